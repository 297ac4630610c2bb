import OAuth

/// An access token as a request presents it to a resource of ours: as a bearer token, or with a proof that the client holds
/// the token's key ([RFC 9449 §7](https://www.rfc-editor.org/rfc/rfc9449#section-7)).
package struct PresentedAccessToken: Sendable {
    package let text: String
    /// The scheme of the `Authorization` header; a token in the body is a bearer token.
    package let type: TokenType
    /// The values of the `DPoP` headers.
    let proofs: [String]
    let method: String
    /// The certificate of the connection that the token comes over.
    let certificate: ClientCertificate?

    package init(
        _ text: String, type: TokenType = .bearer, proofs: [String] = [], method: String = "GET",
        certificate: ClientCertificate? = nil
    ) {
        (self.text, self.type, self.proofs, self.method) = (text, type, proofs, method)
        self.certificate = certificate
    }

    /// Makes sure that a token that is bound comes with the proof of what it is bound to, and no other token pretends to be.
    /// - Parameters:
    ///   - confirmation: the token's `cnf`.
    ///   - path: the resource's path below the issuer.
    /// - Throws: ``OAuthError`` `invalid_token`, `invalid_dpop_proof` or `use_dpop_nonce`.
    func requirePossession(of confirmation: Confirmation, at path: String, services: Services) async throws {
        try requireCertificate(confirmation.certificateThumbprint)
        try await requireKey(confirmation.keyThumbprint, at: path, services: services)
    }

    /// [RFC 8705 §3](https://www.rfc-editor.org/rfc/rfc8705#section-3): the token comes over a connection with the
    /// certificate that it is bound to.
    private func requireCertificate(_ thumbprint: String?) throws(OAuthError) {
        guard let thumbprint else { return }
        guard let certificate else {
            throw OAuthError(
                .invalidToken, "The access token is bound to a certificate: connect with that, where it is passed on")
        }
        guard ConstantTime.equal(certificate.thumbprint, thumbprint) else {
            throw OAuthError(.invalidToken, "The access token is bound to another certificate than the connection's")
        }
    }

    private func requireKey(_ thumbprint: String?, at path: String, services: Services) async throws {
        switch (type, thumbprint) {
        case (.bearer, nil): return
        case (.bearer, .some):
            throw OAuthError(
                .invalidToken, "The access token is bound to a key: send it with the scheme DPoP, and with a proof")
        case (.dpop, nil):
            throw OAuthError(.invalidToken, "The access token is bound to no key: send it with the scheme Bearer")
        case (.dpop, let thumbprint?):
            let target = DPoPProof.Target(method: method, path: path, accessToken: text, services: services)
            guard let proof = try await DPoPVerifier(services: services).verify(proofs, for: target) else {
                throw OAuthError(.invalidDPoPProof, "The request has no DPoP proof")
            }
            guard proof.keyThumbprint == thumbprint else {
                throw OAuthError(.invalidToken, "The access token is bound to another key than the DPoP proof's")
            }
        }
    }
}
