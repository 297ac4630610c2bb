import OAuth

/// What the server knows of its clients' certificates; there is none of it unless a proxy passes them on.
package struct MutualTLS: Sendable {
    /// Whether the proxy says which certificates' chains it has verified. Without that there is no `tls_client_auth`.
    let verifiesChains: Bool
    /// Where clients show their certificates, if not at the issuer itself.
    let host: Issuer?

    /// - Parameters:
    ///   - verifiesChains: whether the proxy says which certificates' chains it has verified.
    ///   - host: where clients show their certificates, if not at the issuer itself
    ///     ([RFC 8705 §5](https://www.rfc-editor.org/rfc/rfc8705#section-5)).
    package init(verifiesChains: Bool, host: Issuer? = nil) {
        (self.verifiesChains, self.host) = (verifiesChains, host)
    }
}

extension ClientAuthenticationMethod {
    /// The methods that the server offers.
    static func supported(_ mutualTLS: MutualTLS?) -> [ClientAuthenticationMethod] {
        allCases.filter { method in
            switch method {
            case .tlsClientAuth: mutualTLS?.verifiesChains == true
            case .selfSignedTLSClientAuth: mutualTLS != nil
            case .none, .clientSecretPost, .clientSecretBasic, .clientSecretJWT, .privateKeyJWT: true
            }
        }
    }
}
