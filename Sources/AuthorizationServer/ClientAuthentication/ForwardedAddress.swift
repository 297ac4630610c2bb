import OAuth
import Storage

/// Auth0's header `auth0-forwarded-for`: where the person is for whom an application's own server asks.
package struct ForwardedAddress: Sendable {
    /// The header's name.
    package static let header = "auth0-forwarded-for"

    private let bytes: [UInt8]?

    /// - Parameter value: the header's value; nil where there is none. One that is no address counts as none.
    package init(_ value: String?) { bytes = value.flatMap { IPAddress.bytes($0.trimmed) } }

    /// The address that a request counts for. The header speaks for clients that have proved themselves with a secret and whose
    /// `is_token_endpoint_ip_header_trusted` says so; anybody else could give each guess of a password an address of its own.
    /// - Parameters:
    ///   - client: the client, authenticated.
    ///   - address: where the request itself comes from.
    func counted(for client: Client, else address: String) -> String {
        guard let bytes, client.isForwardedAddressTrusted, client.tokenEndpointAuthMethod.usesSecret else {
            return address
        }
        RequestOrigin.current?.forward(to: IPAddress.text(bytes))
        return IPAddress.bucket(bytes)
    }
}
