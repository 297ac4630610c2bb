/// Who asks an identity provider: this server, for one connection.
package struct ServiceProvider: Sendable, Hashable {
    /// What the provider knows it as.
    package let entityID: String
    /// Where assertions are sent: the assertion consumer service.
    package let consumerURL: String

    package init(entityID: String, consumerURL: String) {
        (self.entityID, self.consumerURL) = (entityID, consumerURL)
    }
}

/// How a message travels ([Bindings](https://docs.oasis-open.org/security/saml/v2.0/saml-bindings-2.0-os.pdf) §3.4 and §3.5).
package enum Binding: String, Sendable, CaseIterable {
    case redirect = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
    case post = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
}

/// An identity provider, as its metadata or an administrator describes it.
package struct IdentityProvider: Sendable {
    /// What it calls itself; nil where nobody has said so.
    package var entityID: String?
    package var signInURL: String
    package var binding: Binding
    /// The certificates of the keys that it signs with; never empty.
    package var certificates: [Certificate]
    /// Whether signatures with SHA-1 count.
    package var allowsSHA1 = false

    /// - Returns: nil without a certificate.
    package init?(entityID: String?, signInURL: String, binding: Binding, certificates: [Certificate]) {
        guard !certificates.isEmpty else { return nil }
        (self.entityID, self.signInURL) = (entityID, signInURL)
        (self.binding, self.certificates) = (binding, certificates)
    }
}
