import OAuth
import Storage

/// A provider's description of somebody as a user has it: Auth0's normalized profile, and what the provider tells beside it.
struct NormalizedProfile {
    let email: String?
    let isEmailVerified: Bool
    let attributes: JSONObject

    /// Members of a user that no provider may set.
    private static let reserved: Set<String> = [
        "_id", "app_metadata", "blocked", "clientID", "created_at", "email", "email_verified", "globalClientID",
        "global_client_id", "identities", "lastIP", "lastLogin", "last_ip", "last_login", "last_password_reset",
        "loginsCount", "logins_count", "metadata", "multifactor", "multifactor_last_modified", "phone_verified",
        "primary_user_id",
        "updated_at", "user_id", "user_metadata", "username", "sub", "__tenant",
    ]
    /// Bytes that what a provider tells may have; Auth0's limit for whole users is a megabyte.
    private static let mostBytes = 32_768

    init(_ profile: UpstreamProfile) {
        let address = profile.email.flatMap(EmailAddress.init)
        email = address?.text
        isEmailVerified = address != nil && profile.isEmailVerified
        var kept: JSONObject = [:]
        var bytes = 0
        // What is longer than it could be for is left out, from the last name on, and the rest is kept.
        for (name, value) in profile.attributes.sorted(by: Self.comesFirst) {
            guard !Self.reserved.contains(name), value != .null, !name.isEmpty,
                !name.contains(where: { ".$".contains($0) }),
                let text = try? JSON.text([name: value])
            else { continue }
            bytes += text.utf8.count
            if bytes <= Self.mostBytes { kept[name] = value }
        }
        for name in Self.first.union(["phone_number"]) where kept[name]?.string == nil { kept[name] = nil }
        if kept["phone_number_verified"]?.bool == nil { kept["phone_number_verified"] = nil }
        let local = email.map { String($0.prefix { $0 != "@" }) }
        kept["nickname"] = kept["nickname"] ?? local.map(JSONValue.string)
        kept["name"] = kept["name"] ?? kept["nickname"] ?? email.map(JSONValue.string)
        attributes = kept
    }

    private static let first: Set<String> = ["name", "nickname", "given_name", "family_name", "picture"]

    private static func comesFirst(_ one: JSONObject.Element, _ other: JSONObject.Element) -> Bool {
        let (isFirst, isOtherFirst) = (first.contains(one.key), first.contains(other.key))
        return isFirst == isOtherFirst ? one.key < other.key : isFirst
    }
}
