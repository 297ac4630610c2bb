import AuthorizationServer
import Foundation
import OAuth
import Storage

/// A provider that takes everybody's word, for tests of what the server does around one: whoever comes back with `user=ID`
/// is that user, with `email`, `email_verified` and `auth_time` as they are sent.
package struct StandInStrategy: ConnectionStrategy {
    package init() {}

    package var names: Set<String> { ["stand-in"] }
    package var family: ConnectionFamily { .social }
    package var manner: ConnectionManner { .redirect }
    package var secretOptions: Set<String> { ["client_secret"] }
    package var secretRecipients: Set<String> { ["address"] }

    /// Nothing is asked of the options but an `address`, where the provider is.
    package func login(
        _ connection: Connection, _ options: inout Document
    ) throws(Document.Problem) -> ConnectionLogin {
        .redirect(StandInLogin(address: try options.string("address") ?? "https://provider.example.com/authorize"))
    }
}

private struct StandInLogin: RedirectLogin {
    let address: String

    func begin(_ start: UpstreamStart, _ services: Services) async throws(UpstreamFailure) -> UpstreamDeparture {
        guard let uri = RedirectURI(address) else {
            throw .misconfigured(cause: "The address is no URL", mend: "Correct it")
        }
        let full = uri.adding([
            (name: "state", value: start.state.text), (name: "redirect_uri", value: start.callbackURL),
            (name: "login_hint", value: start.loginHint ?? ""),
        ])
        guard let destination = RedirectURI(full) else {
            throw .misconfigured(cause: "The address is no URL", mend: "Correct it")
        }
        return UpstreamDeparture(.redirect(destination), memory: ["connection": .string(start.connection.name)])
    }

    func finish(_ arrival: UpstreamArrival, _ services: Services) async throws(UpstreamFailure) -> UpstreamProfile {
        if let error = arrival.parameters["error"] {
            let description = arrival.parameters["error_description"]
            throw error == "access_denied"
                ? .denied(description: description) : .error(code: error, description: description)
        }
        guard arrival.memory["connection"]?.string == arrival.connection.name else {
            throw .untrusted(cause: "The memory is another connection's")
        }
        guard let id = arrival.parameters["user"] else { throw .untrusted(cause: "The answer names nobody") }
        var profile = UpstreamProfile(id: id)
        profile.email = arrival.parameters["email"]
        profile.isEmailVerified = arrival.parameters["email_verified"] == "true"
        profile.attributes = arrival.parameters["name"].map { ["name": .string($0)] } ?? [:]
        profile.authenticatedAt = arrival.parameters["auth_time"].flatMap(Double.init).map(
            Date.init(timeIntervalSince1970:))
        profile.tokens = UpstreamTokens(accessToken: "upstream-token-of-\(id)")
        return profile
    }
}
