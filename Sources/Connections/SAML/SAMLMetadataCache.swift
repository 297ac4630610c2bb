import AuthorizationServer
import Foundation
import OAuth
import SAML
import Synchronization

/// The metadata of providers whose connections have its address, fetched when it is needed and kept for a while.
final class SAMLMetadataCache: Sendable {
    private struct Entry {
        let text: String
        let fetchedAt: Date
    }

    /// Seconds for which metadata is used without asking again.
    private static let lifetime: TimeInterval = 600
    /// Seconds for which it is used while its address does not answer.
    private static let grace: TimeInterval = 3600
    private static let most = 100

    private let entries = Mutex<[String: Entry]>([:])

    /// The provider that the metadata at `url` describes.
    func provider(
        _ url: String, preferred: Binding?, _ services: Services
    ) async throws(UpstreamFailure) -> IdentityProvider {
        let text = try await text(url, services)
        do throws(Metadata.Problem) {
            return try Metadata.provider(text, preferred: preferred)
        } catch {
            throw .unavailable(cause: "The metadata at \(url.forDisplay) \(error)", mend: "Check metadataUrl")
        }
    }

    private func text(_ url: String, _ services: Services) async throws(UpstreamFailure) -> String {
        let now = services.now()
        let known = entries.withLock { $0[url] }
        if let known, now.timeIntervalSince(known.fetchedAt) < Self.lifetime { return known.text }
        do throws(OutboundFailure) {
            let answer = try await services.outbound.send(
                OutboundRequest(.get, url, accept: "application/samlmetadata+xml, application/xml", mostBytes: 1 << 20))
            if answer.status == 200, let text = String(data: answer.body, encoding: .utf8) {
                entries.withLock { entries in
                    if entries.count >= Self.most { entries.removeAll() }
                    entries[url] = Entry(text: text, fetchedAt: now)
                }
                return text
            }
            if let known, now.timeIntervalSince(known.fetchedAt) < Self.grace { return known.text }
            throw OutboundFailure(
                .brokenAnswer, "\(url.forDisplay) answered with \(answer.status)", mend: "Check metadataUrl.")
        } catch {
            if let known, now.timeIntervalSince(known.fetchedAt) < Self.grace { return known.text }
            throw .unavailable(cause: error.cause, mend: error.mend)
        }
    }
}
