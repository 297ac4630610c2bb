import Foundation
import OAuth
import Storage

/// Which claims scripts may give tokens. What is not allowed is left out without a word, as at Auth0.
enum ClaimNames {
    /// Bytes of a token's claims from scripts at most, as JSON.
    static let mostBytes = 100 * 1024

    /// Those that the server itself answers for, or that other specifications give a meaning.
    private static let reserved: Set<String> = [
        "acr", "act", "active", "amr", "at_hash", "ath", "attest", "aud", "auth_time", "authorization_details", "azp",
        "c_hash", "client_id", "cnf", "cty", "dest", "entitlements", "events", "exp", "groups", "gty", "htm", "htu",
        "iat", "internalService", "iss", "jcard", "jku", "jti", "jwe", "jwk", "kid", "may_act", "mky", "nbf", "nonce",
        "object_id", "org_id", "org_name", "orig", "origid", "permissions", "roles", "rph", "s_hash", "sid",
        "sip_callid", "sip_cseq_num", "sip_date", "sip_from_tag", "sip_via_branch", "sub", "sub_jwk", "toe", "txn",
        "typ", "uuid", "vot", "vtm", "x5t#S256",
        // The access token's own: what was granted, and what the userinfo endpoint is to tell.
        "scope", "claims", "__proto__",
    ]

    /// Claims of OpenID Connect about the user: a script may set them where the scope asks for them (Core §5.4).
    private static let standard: Set<String> = [
        "address", "birthdate", "email", "email_verified", "family_name", "gender", "given_name", "locale",
        "middle_name", "name", "nickname", "phone_number", "phone_number_verified", "picture", "preferred_username",
        "profile", "updated_at", "website", "zoneinfo",
    ]

    /// Auth0's own, below which nobody else names claims.
    private static let foreign = ["auth0.com", "webtask.io", "webtask.run"]

    /// Whether a script may set the claim at all.
    static func isAllowed(_ name: String) -> Bool {
        guard !name.isEmpty, !reserved.contains(name), !name.hasPrefix("urn:auth0") else { return false }
        guard let host = namespaceHost(name) else { return true }
        return !foreign.contains { host == $0 || host.hasSuffix("." + $0) }
    }

    /// Whether the name is an http or https URL.
    static func isNamespaced(_ name: String) -> Bool { namespaceHost(name) != nil }

    private static func namespaceHost(_ name: String) -> String? {
        guard let prefix = ["https://", "http://"].first(where: { name.lowercased().hasPrefix($0) }) else { return nil }
        let host = name.dropFirst(prefix.count).prefix { !"/?#:".contains($0) }.lowercased()
        return host.isEmpty ? nil : host
    }

    /// The claims that a token of this scope may have: those of OpenID Connect follow its scopes, and values that are null
    /// are no claims.
    static func visible(_ claims: JSONObject, scope: Scope) -> JSONObject {
        guard !claims.isEmpty else { return claims }
        let asked = Set(scope.values.flatMap { Scope.claims[$0] ?? [] })
        return claims.filter { name, value in
            isAllowed(name) && value != .null && (!standard.contains(name) || asked.contains(name))
        }
    }
}

extension JSONValue {
    /// Whether a member anywhere in the value has the name `__proto__`, which is another thing than data to those who copy
    /// members carelessly.
    var holdsPrototype: Bool {
        switch self {
        case .array(let values): values.contains(where: \.holdsPrototype)
        case .object(let members): members["__proto__"] != nil || members.values.contains(where: \.holdsPrototype)
        default: false
        }
    }
}
