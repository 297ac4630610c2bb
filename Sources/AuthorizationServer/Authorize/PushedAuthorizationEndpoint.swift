import Foundation
import OAuth
import Storage

/// The pushed authorization request endpoint, [RFC 9126](https://www.rfc-editor.org/rfc/rfc9126): a client sends its request
/// ahead, over its own connection, and the browser carries only a reference to it.
package struct PushedAuthorizationEndpoint: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// Seconds for which a pushed request waits for its browser.
    package static let lifetime = 30
    /// What a reference starts with (RFC 9126 §2.2).
    static let prefix = "urn:ietf:params:oauth:request_uri:"

    /// The reference to a request that was kept.
    package struct Receipt: Sendable, Encodable {
        package let requestURI: String
        /// Seconds.
        package let expiresIn: Int

        private enum CodingKeys: String, CodingKey {
            case requestURI = "request_uri"
            case expiresIn = "expires_in"
        }
    }

    /// Keeps a request that would be accepted at the authorization endpoint.
    /// - Throws: ``OAuthError``, for the client's authentication as for what the authorization endpoint would refuse.
    package func push(_ parameters: Parameters, authorizationHeader: String?) async throws -> Receipt {
        guard try await services.configuration.settings().acceptsPushedRequests else { throw Self.disabled }
        let credentials = try ClientCredentials(authorizationHeader: authorizationHeader, parameters: parameters)
        let client = try await ClientAuthenticator(configuration: services.configuration).authenticate(credentials)
            .client
        guard parameters["request_uri"] == nil else {
            throw OAuthError.invalidRequest(
                "request_uri cannot be pushed", hint: "Push the parameters themselves (RFC 9126 §2.1).")
        }
        let kept = Self.withoutCredentials(parameters, clientID: client.clientID)
        do {
            _ = try await AuthorizationEndpoint(services: services).verify(Parameters(trusted: kept))
        } catch AuthorizationFailure.display(let error, _) {
            throw OAuthError.invalidRequest(error.description, hint: error.hint)
        } catch AuthorizationFailure.redirect(let error, _) {
            throw error
        }
        let (reference, now) = (Secret.random(), services.now())
        let request = PushedAuthorizationRequest(
            digest: reference.digest, clientID: client.clientID, parameters: kept,
            expiresAt: now.addingTimeInterval(Double(Self.lifetime)))
        try await services.stores.database.write { try PushedAuthorizationRequestStore.insert(request, in: $0) }
        return Receipt(requestURI: Self.prefix + reference.text, expiresIn: Self.lifetime)
    }

    private static let disabled = OAuthError.invalidRequest(
        "Pushed authorization requests are switched off",
        hint: "Set the tenant's pushed_authorization_requests_supported to true.")

    /// How the client proved itself is nobody else's business.
    private static func withoutCredentials(_ parameters: Parameters, clientID: String) -> [String: String] {
        var kept = parameters.all
        for name in ["client_secret", "client_assertion", "client_assertion_type"] { kept[name] = nil }
        kept["client_id"] = clientID
        return kept
    }
}
