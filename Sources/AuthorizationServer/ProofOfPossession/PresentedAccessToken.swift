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

    package init(_ text: String, type: TokenType = .bearer, proofs: [String] = [], method: String = "GET") {
        (self.text, self.type, self.proofs, self.method) = (text, type, proofs, method)
    }

    /// Makes sure that a token that is bound to a key comes with the proof of it, and no other token pretends to.
    /// - Parameters:
    ///   - thumbprint: the `jkt` of the token's `cnf`; nil for a bearer token.
    ///   - path: the resource's path below the issuer.
    /// - Throws: ``OAuthError`` `invalid_token`, `invalid_dpop_proof` or `use_dpop_nonce`.
    func requirePossession(of thumbprint: String?, at path: String, services: Services) async throws {
        switch (type, thumbprint) {
        case (.bearer, nil): return
        case (.bearer, .some):
            throw OAuthError(
                .invalidToken, "The access token is bound to a key: send it with the scheme DPoP, and with a proof")
        case (.dpop, nil):
            throw OAuthError(.invalidToken, "The access token is bound to no key: send it with the scheme Bearer")
        case (.dpop, let thumbprint?):
            let target = DPoPProof.Target(method: method, url: services.issuer.url(path), accessToken: text)
            guard let proof = try await DPoPVerifier(services: services).verify(proofs, for: target) else {
                throw OAuthError(.invalidDPoPProof, "The request has no DPoP proof")
            }
            guard proof.keyThumbprint == thumbprint else {
                throw OAuthError(.invalidToken, "The access token is bound to another key than the DPoP proof's")
            }
        }
    }
}
