import AuthorizationServer
import LDAP
import OAuth

/// Which attributes of an entry are read, and what of a profile they are: as Auth0's connector maps them.
struct DirectoryProfile: Sendable {
    /// The attribute that is an entry's own for good.
    let identifier: String
    /// Whether the addresses in the directory are its users' beyond doubt.
    var areAddressesVerified = false
    /// Further attributes, which users have under the same names.
    var more: [String] = []

    init(identifier: String) { self.identifier = identifier }

    /// Attributes that users have under their own names.
    private static let kept = [
        "company", "co", "department", "description", "l", "mailNickname", "manager", "physicalDeliveryOfficeName",
        "postalCode", "sAMAccountName", "st", "telephoneNumber", "title", "uid", "userPrincipalName",
    ]
    private static let read = ["cn", "displayName", "givenName", "mail", "memberOf", "sn"]

    /// What the directory is asked for.
    var attributes: [String] { Array(Set([identifier] + Self.read + Self.kept + more)).sorted() }

    /// - Parameter groups: the names of those that were searched for.
    /// - Throws: ``UpstreamFailure`` where the entry has no identifier that can be read.
    func profile(of entry: DirectoryEntry, groups: [String]) throws(UpstreamFailure) -> UpstreamProfile {
        guard let id = entry.identifier(identifier) else {
            throw .misconfigured(
                cause: "An entry of the directory has no \(identifier)",
                mend: "Set options.ldap_user_id_attribute to an attribute that every user has for good, "
                    + "and let the account ldap_bind_user read it")
        }
        var profile = UpstreamProfile(id: id)
        profile.email = entry.text("mail")
        profile.isEmailVerified = areAddressesVerified
        var members: JSONObject = [:]
        for name in Self.kept + more { members[name] = Self.value(entry.texts(name)) }
        let name = entry.text("displayName") ?? entry.text("cn")
        members["name"] = name.map(JSONValue.string)
        members["nickname"] = (entry.text("sAMAccountName") ?? entry.text("uid") ?? name).map(JSONValue.string)
        members["given_name"] = entry.text("givenName").map(JSONValue.string)
        members["family_name"] = entry.text("sn").map(JSONValue.string)
        members["dn"] = .string(entry.name)
        let all = Set(entry.texts("memberOf").compactMap(DirectoryEntry.firstValue) + groups)
        if !all.isEmpty { members["groups"] = JSONValue(all.sorted()) }
        profile.attributes = members
        return profile
    }

    /// One value as it is, several as a list.
    private static func value(_ texts: [String]) -> JSONValue? {
        texts.count > 1 ? JSONValue(texts) : texts.first.map(JSONValue.string)
    }
}
