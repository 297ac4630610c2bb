/// A set of scope values, in the order in which they were asked for.
///
/// [RFC 6749 §3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3): the order has no meaning, so two scopes are
/// equal when they hold the same values.
package struct Scope: Sendable, Hashable {
    package private(set) var values: [String]

    package static let empty = Scope([])

    /// The values, each kept once.
    package init(_ values: some Sequence<String>) {
        var seen: Set<String> = []
        self.values = values.filter { seen.insert($0).inserted }
    }

    /// - Throws: ``OAuthError`` `invalid_scope` where a value has a character that RFC 6749 §3.3 forbids.
    package init(parsing text: String) throws(OAuthError) {
        let tokens = text.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
        for token in tokens where !token.utf8.allSatisfy(Self.isAllowed) {
            throw OAuthError(
                .invalidScope, "Invalid scope: \(token.forDisplay)",
                hint: "A scope value has printable ASCII characters only, without quotes and backslashes; "
                    + "values are separated by one space (%20 in a URL).")
        }
        self.init(tokens)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        byte == 0x21 || (0x23...0x5B).contains(byte) || (0x5D...0x7E).contains(byte)
    }

    /// The values with a space between each, as on the wire.
    package var text: String { values.joined(separator: " ") }
    package var isEmpty: Bool { values.isEmpty }
    /// Whether `value` is asked for.
    package func contains(_ value: String) -> Bool { values.contains(value) }
    /// Whether every value is one of `other`'s.
    package func isSubset(of other: Scope) -> Bool { Set(values).isSubset(of: other.values) }
    /// The values that `isIncluded` accepts, in their order.
    package func filter(_ isIncluded: (String) -> Bool) -> Scope { Scope(values.filter(isIncluded)) }
    /// The values that `other` has too, in their order.
    package func intersection(_ other: Scope) -> Scope { filter(Set(other.values).contains) }
    /// The values that `other` does not have, in their order.
    package func subtracting(_ other: Scope) -> Scope {
        let removed = Set(other.values)
        return filter { !removed.contains($0) }
    }
    /// These values, then those of `other` that are new.
    package func union(_ other: Scope) -> Scope { Scope(values + other.values) }

    package static func == (left: Scope, right: Scope) -> Bool { Set(left.values) == Set(right.values) }
    package func hash(into hasher: inout Hasher) { hasher.combine(Set(values)) }
}

extension Scope {
    package static let openID = "openid"
    package static let offlineAccess = "offline_access"

    /// Each value of OpenID Connect and the user's attributes that it asks for: OpenID Connect Core §5.4, and Auth0's
    /// scopes for single attributes.
    package static let claims: [String: [String]] = [
        "profile": [
            "name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture",
            "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at",
        ],
        "email": ["email", "email_verified"],
        "phone": ["phone_number", "phone_number_verified"],
        "address": ["address"],
        "name": ["name"], "family_name": ["family_name"], "given_name": ["given_name"], "nickname": ["nickname"],
        "picture": ["picture"], "email_verified": ["email_verified"], "created_at": ["created_at"],
        "identities": ["identities"],
    ]

    /// The narrowest scope that gives the claim `name`; nil where none does.
    package static func value(revealing name: String) -> String? {
        if claims[name]?.contains(name) == true { return name }
        return ["profile", "phone", "address"].first { claims[$0]?.contains(name) == true }
    }

    /// Whether OpenID Connect or the server itself defines `value`, rather than an API.
    package static func isReserved(_ value: String) -> Bool {
        value == openID || value == offlineAccess || claims[value] != nil
    }
}
