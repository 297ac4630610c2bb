import OAuth
import Storage

extension TokenRequest {
    /// Everything that the client has proved to hold.
    var possession: Confirmation {
        Confirmation(keyThumbprint: proof?.keyThumbprint, certificateThumbprint: certificate?.thumbprint)
    }

    /// What an access token for the API `audience` is bound to: a key whenever the client proves one, and its certificate
    /// where the client or the API wants that. A client may show a certificate to prove itself and for nothing else.
    func confirmation(audience: String?) -> Confirmation {
        var confirmation = possession
        if !bindsToCertificate(audience: audience) { confirmation.certificateThumbprint = nil }
        return confirmation
    }

    private func bindsToCertificate(audience: String?) -> Bool {
        if client.keys.mutualTLS.bindsAccessTokens { return true }
        if let audience, possessionDemands[audience]?.mechanism == .mtls { return true }
        return client.requiresProofOfPossession && proof == nil && client.tokenEndpointAuthMethod.usesCertificate
    }

    /// What refresh tokens are bound to: a client that authenticates itself may change its key or certificate, and its
    /// tokens are safe without one ([RFC 9449 §5](https://www.rfc-editor.org/rfc/rfc9449#section-5),
    /// [RFC 8705 §4](https://www.rfc-editor.org/rfc/rfc8705#section-4)).
    func refreshConfirmation(audience: String?) -> Confirmation {
        client.isConfidential ? Confirmation() : confirmation(audience: audience)
    }

    /// Why this request does not redeem what is bound, and issues nothing for the API `audience`; nil where it may.
    func proofProblem(boundTo bound: Confirmation = Confirmation(), audience: String?) -> OAuthError? {
        if let thumbprint = bound.keyThumbprint, thumbprint != proof?.keyThumbprint {
            return .invalidGrant(
                proof == nil
                    ? "The grant is bound to a key, and the request has no DPoP proof"
                    : "The grant is bound to another key than the DPoP proof's",
                hint: "Send a DPoP header with a proof by the key that the grant was obtained with.")
        }
        if let thumbprint = bound.certificateThumbprint, thumbprint != certificate?.thumbprint {
            return .invalidGrant(
                certificate == nil
                    ? "The grant is bound to a certificate, and none has come with the request"
                    : "The grant is bound to another certificate than the connection's",
                hint: "Connect with the certificate that the grant was obtained with (RFC 8705 §4).")
        }
        let confirmation = confirmation(audience: audience)
        if let problem = clientProblem(confirmation) { return problem }
        guard let audience, let demands = possessionDemands[audience], demands.requires(of: client) else { return nil }
        switch demands.mechanism {
        case .dpop where confirmation.keyThumbprint == nil: return .missingProof("The API \(audience.forDisplay)")
        case .mtls where confirmation.certificateThumbprint == nil:
            return .missingCertificate("The API \(audience.forDisplay)")
        case .dpop, .mtls: return nil
        }
    }

    /// Why the client gets no token that is bound to `confirmation` alone; nil where it does.
    func clientProblem(_ confirmation: Confirmation) -> OAuthError? {
        if client.keys.mutualTLS.bindsAccessTokens, confirmation.certificateThumbprint == nil {
            return .missingCertificate("The application")
        }
        if client.openID.bindsTokensToKeys, confirmation.keyThumbprint == nil {
            return .missingProof("The application")
        }
        return client.requiresProofOfPossession && confirmation.isEmpty ? .missingProof("The application") : nil
    }
}

extension OAuthError {
    /// The client or the API takes no tokens that anybody can use.
    static func missingProof(_ requirer: String) -> OAuthError {
        .invalidRequest(
            "\(requirer) requires a DPoP proof",
            hint: "Send a DPoP header with a proof of possession (RFC 9449); a DPoP library makes it.")
    }

    /// The client or the API takes only tokens that are bound to a certificate.
    static func missingCertificate(_ requirer: String) -> OAuthError {
        .invalidRequest(
            "\(requirer) requires a client certificate",
            hint: "Connect with a TLS client certificate (RFC 8705 §3), to the address whose proxy passes it on.")
    }

    /// A bound token would become one that anybody can use.
    static let exchangeUnbinds = OAuthError.invalidRequest(
        "The subject_token is bound to a key or certificate, and the request proves none",
        hint: "Send a DPoP proof, or connect with a client certificate: the new token is bound to that.")
}

extension Client {
    /// - Throws: ``OAuthError`` where the client or the API requires tokens that are bound to a key or certificate, which
    ///   the authorization endpoint cannot issue: no proof comes with its requests.
    func refuseUnboundTokens(_ type: ResponseType, for api: ResourceServer?) throws(OAuthError) {
        guard type.contains(.token) else { return }
        let requirer: String
        if requiresProofOfPossession || openID.bindsTokensToKeys || keys.mutualTLS.bindsAccessTokens {
            requirer = "The application"
        } else if let api, api.proofOfPossession.requires(of: self) {
            requirer = "The API \(api.identifier.forDisplay)"
        } else {
            return
        }
        throw .invalidRequest(
            "\(requirer) requires tokens that are bound to a key or certificate, which response_type=token cannot have",
            hint: "Use response_type=code, and send a DPoP proof or a client certificate to the token endpoint.")
    }
}
