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
    package func push(
        _ parameters: Parameters, authorizationHeader: String?, proofs: [String] = [],
        certificate: ClientCertificate? = nil
    ) async throws -> Receipt {
        let trail = LogTrail()
        do {
            return try await push(parameters, authorizationHeader, proofs, certificate, trail)
        } catch {
            services.log(.failedPushedRequest, trail, failure: error)
            throw error
        }
    }

    private func push(
        _ parameters: Parameters, _ authorizationHeader: String?, _ proofs: [String],
        _ certificate: ClientCertificate?, _ trail: LogTrail
    ) async throws -> Receipt {
        guard try await services.configuration.settings().acceptsPushedRequests else { throw Self.disabled }
        let credentials = try ClientCredentials(
            authorizationHeader: authorizationHeader, parameters: parameters, certificate: certificate)
        trail.note { $0.clientID = credentials.clientID }
        let client = try await ClientAuthenticator(services: services).authenticate(credentials)
        guard parameters["request_uri"] == nil else {
            throw OAuthError.invalidRequest(
                "request_uri cannot be pushed", hint: "Push the parameters themselves (RFC 9126 §2.1).")
        }
        var kept = Self.withoutCredentials(parameters, clientID: client.client.clientID)
        do {
            // A request object may be pushed (RFC 9126 §3); what it says is kept, and the object itself is not.
            let resolved = try await RequestObject(services: services, client: client)
                .resolve(Parameters(trusted: kept))
            kept = resolved.all
            kept["dpop_jkt"] = try await keyThumbprint(resolved, proofs)
            _ = try await AuthorizationEndpoint(services: services).verify(Parameters(trusted: kept))
        } catch AuthorizationFailure.display(let error, _) where error.code == .invalidRequestObject {
            throw error
        } catch AuthorizationFailure.display(let error, _) {
            throw OAuthError.invalidRequest(error.description, hint: error.hint)
        } catch AuthorizationFailure.redirect(let error, _) {
            throw error
        }
        let (reference, now) = (Secret.random(), services.now())
        let request = PushedAuthorizationRequest(
            digest: reference.digest, clientID: client.client.clientID, parameters: kept,
            expiresAt: now.addingTimeInterval(Double(Self.lifetime)))
        try await services.stores.database.write { try PushedAuthorizationRequestStore.insert(request, in: $0) }
        return Receipt(requestURI: Self.prefix + reference.text, expiresIn: Self.lifetime)
    }

    /// The key that the code is bound to: the one that the request proves, or names
    /// ([RFC 9449 §10.1](https://www.rfc-editor.org/rfc/rfc9449#section-10.1)).
    private func keyThumbprint(_ parameters: Parameters, _ proofs: [String]) async throws -> String? {
        let named = parameters["dpop_jkt"]
        let target = DPoPProof.Target(method: "POST", path: "oauth/par", services: services)
        guard let proof = try await DPoPVerifier(services: services).verify(proofs, for: target) else { return named }
        guard named == nil || named == proof.keyThumbprint else {
            throw OAuthError(.invalidDPoPProof, "dpop_jkt names another key than the DPoP proof's")
        }
        return proof.keyThumbprint
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
