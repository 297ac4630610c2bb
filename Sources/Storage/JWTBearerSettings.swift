import OAuth

/// A client's `jwt_bearer`, a setting of Portico's own: for whom the client may ask with an assertion that it has signed
/// itself ([RFC 7523 §2.1](https://www.rfc-editor.org/rfc/rfc7523#section-2.1)).
package struct JWTBearerSettings: Sendable, Hashable {
    /// Whether it may act in the name of any user, whom nobody asks; without it, for itself alone.
    package var allowsAnyUser = false

    package init() {}

    /// - Throws: ``Document/Problem`` for the first member that is unknown or has a wrong value.
    package init(document: Document) throws(Document.Problem) {
        var document = document
        allowsAnyUser = try document.bool("allow_any_user", default: false)
        _ = try document.remaining(known: [])
    }

    /// The settings as they are written; nil where there are none.
    package var document: JSONObject? { allowsAnyUser ? ["allow_any_user": true] : nil }
}
