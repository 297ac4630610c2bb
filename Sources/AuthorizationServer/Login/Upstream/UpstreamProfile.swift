import Foundation
import OAuth

/// Somebody who has signed in at a provider, as the provider describes them and Auth0 names it.
package struct UpstreamProfile: Sendable {
    /// What the provider calls them, for good: never an address or a name that can pass to somebody else.
    package let id: String
    package var email: String?
    /// Whether the provider says that the address is theirs.
    package var isEmailVerified = false
    /// `name`, `nickname`, `given_name`, `family_name`, `picture` and whatever else the provider tells.
    package var attributes: JSONObject = [:]
    /// What the provider gave for asking it in the user's name.
    package var tokens: UpstreamTokens?
    /// When the user last proved to the provider who they are, where it says so.
    package var authenticatedAt: Date?

    package init(id: String) { self.id = id }
}

/// The tokens of a provider: `identities[].access_token` and those beside it.
package struct UpstreamTokens: Sendable, Codable, Equatable {
    package var accessToken: String
    package var refreshToken: String?
    package var idToken: String?
    /// When the access token ends; nil where the provider does not say.
    package var expiresAt: Date?

    package init(accessToken: String, refreshToken: String? = nil, idToken: String? = nil, expiresAt: Date? = nil) {
        (self.accessToken, self.refreshToken) = (accessToken, refreshToken)
        (self.idToken, self.expiresAt) = (idToken, expiresAt)
    }
}

/// Why nobody could sign in at a provider.
package enum UpstreamFailure: Error, Sendable, Equatable {
    /// The user, or the provider in the user's place, refuses: `access_denied`.
    case denied(description: String?)
    /// Another error of OAuth's or OpenID Connect's that the provider sent back.
    case error(code: String, description: String?)
    /// The provider does not answer, or not as it should.
    case unavailable(cause: String, mend: String)
    /// The connection's settings are not enough, or the provider does not accept them.
    case misconfigured(cause: String, mend: String)
    /// What came back does not prove who the user is: a wrong signature, nonce, audience or issuer.
    case untrusted(cause: String)

    /// What the application hears.
    /// - Parameter connection: how the connection is called on pages.
    func told(_ connection: String) -> OAuthError {
        switch self {
        case .denied(let description):
            return .accessDenied(description.map(Self.safe) ?? "The user did not sign in at \(connection)")
        case .error(let code, let description):
            let text = description.map(Self.safe) ?? "\(connection) answered with an error: \(Self.safe(code))"
            // What the application could have asked for keeps its meaning; the rest is between the two servers.
            let passed = ["login_required", "interaction_required", "consent_required", "account_selection_required"]
            if passed.contains(code) { return OAuthError(OAuthError.Code(rawValue: code), text) }
            return OAuthError(
                code == "temporarily_unavailable" ? .temporarilyUnavailable : .serverError, text,
                hint: "The provider's error is '\(Self.safe(code))'. Compare the connection's settings with its own.")
        case .unavailable(let cause, let mend):
            return OAuthError(
                .temporarilyUnavailable, "\(connection) cannot be reached at the moment", hint: "\(cause). \(mend)")
        case .misconfigured(let cause, let mend):
            return OAuthError(.serverError, "The connection \(connection) is not set up", hint: "\(cause). \(mend)")
        case .untrusted(let cause):
            return .accessDenied("The answer of \(connection) cannot be trusted", hint: "\(cause).")
        }
    }

    /// For the log.
    var explanation: String {
        switch self {
        case .denied(let description): Self.safe(description ?? "access_denied")
        case .error(let code, let description): Self.safe("\(code): \(description ?? "")")
        case .unavailable(let cause, let mend), .misconfigured(let cause, let mend): "\(cause). \(mend)".forDisplay
        case .untrusted(let cause): cause.forDisplay
        }
    }

    /// Somebody else's words, as an error description may have them (RFC 6749 §4.1.2.1).
    private static func safe(_ text: String) -> String {
        String(
            text.unicodeScalars.prefix(500).map { scalar in
                (0x20...0x7E).contains(scalar.value) && scalar != "\"" && scalar != "\\" ? Character(scalar) : " "
            })
    }
}
