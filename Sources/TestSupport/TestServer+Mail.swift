import AuthorizationServer
import Foundation
import OAuth

extension TestServer {
    /// A mail that was to be there is not.
    package struct NoMail: Error, CustomStringConvertible {
        package let description: String
    }

    /// The mails in the development inbox, the newest first.
    /// - Parameter recipient: whose; nil for everybody's.
    package func mails(to recipient: String? = nil) async throws -> [DevelopmentInbox.Letter] {
        try await DevelopmentInbox(services: services).letters(to: recipient)
    }

    /// The path and query of the first link of the newest mail to somebody.
    /// - Throws: ``NoMail``.
    package func mailedPath(to recipient: String) async throws -> String {
        guard let letter = try await mails(to: recipient).first else {
            throw NoMail(description: "there is no mail to \(recipient)")
        }
        guard let link = letter.links.first(where: { $0.hasPrefix(Self.issuer) }) else {
            throw NoMail(description: "no link of '\(letter.content.subject)' leads to this server")
        }
        // No browser sends a fragment.
        return "/" + link.dropFirst(Self.issuer.count).prefix { $0 != "#" }
    }
}
