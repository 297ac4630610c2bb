/// What whoever uses a token must prove to hold: the `cnf` of [RFC 7800](https://www.rfc-editor.org/rfc/rfc7800). Empty for
/// a bearer token.
package struct Confirmation: Sendable, Hashable {
    /// The `jkt`: the thumbprint of a key ([RFC 9449 §6.1](https://www.rfc-editor.org/rfc/rfc9449#section-6.1)).
    package var keyThumbprint: String?
    /// The `x5t#S256`: the thumbprint of a certificate
    /// ([RFC 8705 §3.1](https://www.rfc-editor.org/rfc/rfc8705#section-3.1)).
    package var certificateThumbprint: String?

    package init(keyThumbprint: String? = nil, certificateThumbprint: String? = nil) {
        (self.keyThumbprint, self.certificateThumbprint) = (keyThumbprint, certificateThumbprint)
    }

    /// Reads the `cnf` of a token's claims.
    package init(claims: JSONObject) {
        let members = claims["cnf"]?.object
        (keyThumbprint, certificateThumbprint) = (members?["jkt"]?.string, members?["x5t#S256"]?.string)
    }

    /// Whether nothing is to be proved.
    package var isEmpty: Bool { keyThumbprint == nil && certificateThumbprint == nil }

    /// The value of `cnf`; nil for a bearer token.
    package var claim: JSONValue? {
        guard !isEmpty else { return Optional<JSONValue>.none }
        var members: JSONObject = [:]
        members["jkt"] = keyThumbprint.map(JSONValue.string)
        members["x5t#S256"] = certificateThumbprint.map(JSONValue.string)
        return .object(members)
    }
}
