/// The identity of a tenant: the `iss` of its tokens, with the slash at its end that Auth0's have.
package struct Issuer: Sendable, Hashable, CustomStringConvertible {
    /// Such as `https://login.example.com/`.
    package let text: String

    /// Why a text is no issuer.
    package struct Problem: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// - Throws: ``Problem`` unless `text` is `http` or `https` with a host and without path, query and fragment
    ///   (OpenID Connect Discovery §3). A missing slash at the end is added.
    package init(_ text: String) throws(Problem) {
        let text = text.hasSuffix("/") ? text : text + "/"
        guard let uri = RedirectURI(text), ["http", "https"].contains(uri.scheme),
            uri.text == text, text == uri.origin + "/", text == text.lowercased()
        else {
            throw Problem(
                description: "'\(text.forDisplay)' is not an issuer. Use a lower-case origin such as "
                    + "https://login.example.com/ or http://localhost:8080/")
        }
        self.text = text
    }

    package var description: String { text }
    /// `host[:port]`, which Auth0's SDKs call the domain.
    package var domain: String { String(text.drop { $0 != "/" }.dropFirst(2).dropLast()) }
    /// `scheme://host[:port]` without the slash.
    package var origin: String { String(text.dropLast()) }
    package var isSecure: Bool { text.hasPrefix("https:") }
    /// The absolute address of `path`, which has no slash at its start.
    package func url(_ path: String) -> String { text + path }
    /// The identifier of the tenant's own API, the Management API: with the slash at its end that Auth0's has.
    package var managementAudience: String { url("api/v2/") }
    /// The identifier of Auth0's MFA API, by which users manage their second factors.
    package var mfaAudience: String { url("mfa/") }
    /// The audience of tokens for the userinfo endpoint.
    package var userInfoAudience: String { url("userinfo") }
}
