import OAuth

/// What the HTTP side of the server is told at its start.
package struct WebConfiguration: Sendable {
    /// Whether errors explain themselves in full. In production they carry an id only.
    package let isDevelopment: Bool
    /// The proxies whose `X-Forwarded-For` and client certificates are believed; nobody else's are.
    package let trustedProxies: [AddressRange]
    /// Where the proxies put clients' certificates; nil where they pass on none.
    package let clientCertificates: ClientCertificateHeaders?

    package init(
        isDevelopment: Bool, trustedProxies: [AddressRange] = [], clientCertificates: ClientCertificateHeaders? = nil
    ) {
        (self.isDevelopment, self.trustedProxies) = (isDevelopment, trustedProxies)
        self.clientCertificates = clientCertificates
    }
}
