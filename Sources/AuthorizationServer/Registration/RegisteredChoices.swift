import Foundation
import OAuth
import Storage

/// What a client has chosen for all its authorization requests, OpenID Connect Dynamic Client Registration §2.
extension Client {
    /// The parameters with the client's `default_max_age` and `default_acr_values` where a request leaves them open; a
    /// request for the claim `acr` has said what it wants.
    func completing(_ parameters: Parameters) -> Parameters {
        var all = parameters.all
        if let maxAge = openID.defaultMaxAge, all["max_age"] == nil { all["max_age"] = String(maxAge) }
        if !openID.defaultACRValues.isEmpty, all["acr_values"] == nil, !Self.asksForACR(parameters["claims"]) {
            all["acr_values"] = openID.defaultACRValues.joined(separator: " ")
        }
        return Parameters(trusted: all)
    }

    /// Whether responses may be sent to `uri`. An application of somebody else's that runs on the user's machine may use
    /// any port there, since it gets one from the system when it starts
    /// ([RFC 8252 §7.3](https://www.rfc-editor.org/rfc/rfc8252#section-7.3)); the tenant's own have one, as with Auth0.
    func accepts(_ uri: RedirectURI) -> Bool {
        let hasFreePort = appType == .native && !isFirstParty
        return callbacks.contains { $0.matches(uri) || hasFreePort && $0.matchesIgnoringLoopbackPort(uri) }
    }

    private static func asksForACR(_ claims: String?) -> Bool {
        guard let claims, let object = try? JSON.decode(JSONObject.self, from: claims) else { return false }
        return object["id_token"]?.object?["acr"] != nil
    }

    /// - Throws: ``OAuthError`` `unauthorized_client` for a response type that the client has excluded, `invalid_request`
    ///   where a client of somebody else's without a secret does not prove that the code is its own: anybody may send the
    ///   `client_id` of such a client ([RFC 9700 §2.1.1](https://www.rfc-editor.org/rfc/rfc9700#section-2.1.1)).
    func check(_ request: AuthorizationRequest) throws(OAuthError) {
        if let types = openID.responseTypes, !types.contains(request.responseType) {
            throw OAuthError(
                .unauthorizedClient, "The client has not registered the response type \(request.responseType.text)",
                hint: "It has registered \(types.map(\.text).joined(separator: ", ")) (response_types).")
        }
        let mustProve = !isFirstParty && !isConfidential && request.responseType.contains(.code)
        guard !mustProve || request.proofKey?.method == .s256 else {
            throw .invalidRequest(
                "This client must use PKCE: send code_challenge and code_challenge_method=S256",
                hint: "The client has no secret and is not the tenant's own (RFC 7636).")
        }
    }
}
