import AuthorizationServer
import OAuth
import Web

/// What the server is told of the proxy in front of it. With one, requests of tests come over connections from this very
/// machine.
package struct TestProxy: Sendable {
    /// Whether this machine is the proxy.
    package var isTrusted = true
    /// Whether the proxy says which chains it has verified.
    package var hasVerdict = true
    /// Where clients show their certificates, if not at the issuer.
    package var host: String?

    package init() {}

    var trusted: [AddressRange] {
        (isTrusted ? ["127.0.0.1", "::1"] : ["192.0.2.1"]).compactMap(AddressRange.init)
    }
    var headers: ClientCertificateHeaders? {
        ClientCertificateHeaders(certificate: "Client-Cert", verdict: hasVerdict ? "Client-Cert-Verified" : nil)
    }
    var mutualTLS: MutualTLS {
        get throws { MutualTLS(verifiesChains: hasVerdict, host: try host.map { try Issuer($0) }) }
    }
}
