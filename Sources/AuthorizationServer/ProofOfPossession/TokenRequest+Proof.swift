import OAuth
import Storage

extension TokenRequest {
    /// The thumbprint of the key that the client has proved to hold; what is issued is bound to it.
    var keyThumbprint: String? { proof?.keyThumbprint }

    /// The key that refresh tokens are bound to: a client that authenticates itself may change its key, and its tokens are
    /// safe without one ([RFC 9449 §5](https://www.rfc-editor.org/rfc/rfc9449#section-5)).
    var refreshTokenKeyThumbprint: String? { client.isConfidential ? nil : keyThumbprint }

    /// Why this request does not redeem what is bound to the key `thumbprint` and issues nothing for the API `audience`; nil
    /// where it may.
    func proofProblem(boundTo thumbprint: String?, audience: String?) -> OAuthError? {
        if let thumbprint, thumbprint != keyThumbprint {
            return .invalidGrant(
                proof == nil
                    ? "The grant is bound to a key, and the request has no DPoP proof"
                    : "The grant is bound to another key than the DPoP proof's",
                hint: "Send a DPoP header with a proof by the key that the grant was obtained with.")
        }
        guard proof == nil, let audience, unprovedAudiences.contains(audience) else { return nil }
        return .missingProof("The API \(audience.forDisplay)")
    }
}

extension OAuthError {
    /// The client or the API takes no tokens that anybody can use.
    static func missingProof(_ requirer: String) -> OAuthError {
        .invalidRequest(
            "\(requirer) requires a DPoP proof",
            hint: "Send a DPoP header with a proof of possession (RFC 9449); a DPoP library makes it.")
    }
}

extension Client {
    /// - Throws: ``OAuthError`` where the client or the API requires tokens that are bound to a key, which the authorization
    ///   endpoint cannot issue: no proof comes with its requests.
    func refuseUnboundTokens(_ type: ResponseType, for api: ResourceServer?) throws(OAuthError) {
        guard type.contains(.token) else { return }
        let requirer: String
        if requiresProofOfPossession {
            requirer = "The application"
        } else if let api, api.proofOfPossession.requires(of: self) {
            requirer = "The API \(api.identifier.forDisplay)"
        } else {
            return
        }
        throw .invalidRequest(
            "\(requirer) requires tokens that are bound to a key, which response_type=token cannot have",
            hint: "Use response_type=code, and send a DPoP proof to the token endpoint.")
    }
}
