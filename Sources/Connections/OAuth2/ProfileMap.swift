import AuthorizationServer
import OAuth
import Storage

/// Where a provider's description of its user has what: names of members, or paths to them such as `data.user.id`.
struct ProfileMap: Sendable {
    private var paths: [String: String]

    /// Auth0's names of what a profile has, with the provider's.
    init(_ paths: [String: String]) { self.paths = paths }

    /// The names of OpenID Connect Core §5.1, and those that most providers use for the user's id.
    static let standard = ProfileMap([:])

    /// Reads a map, whose values are names or paths.
    init(_ document: inout Document) throws(Document.Problem) {
        paths = [:]
        for name in document.names.sorted() {
            if let path = try document.string(name, most: 255) { paths[name] = path }
        }
    }

    /// The profile that the members describe.
    /// - Throws: ``UpstreamFailure`` where they have no id.
    func profile(_ members: JSONObject) throws(UpstreamFailure) -> UpstreamProfile {
        let candidates = paths["user_id"].map { [$0] } ?? ["user_id", "sub", "id"]
        guard let id = candidates.lazy.compactMap({ Self.text(Self.value($0, members)) }).first else {
            throw .misconfigured(
                cause: "The provider's profile has none of \(candidates.joined(separator: ", "))",
                mend: "Say with user_id, in the map or in the script's profile, which is the user's id")
        }
        var profile = UpstreamProfile(id: id)
        profile.email = Self.text(Self.value(paths["email"] ?? "email", members))
        let verified = Self.value(paths["email_verified"] ?? "email_verified", members)
        profile.isEmailVerified = verified?.bool ?? (verified?.string == "true")
        profile.attributes = members
        profile.attributes["id"] = nil
        for (name, path) in paths where !["user_id", "email", "email_verified"].contains(name) {
            profile.attributes[name] = Self.value(path, members)
        }
        return profile
    }

    private static func value(_ path: String, _ members: JSONObject) -> JSONValue? {
        if let value = members[path] { return value }
        var value: JSONValue? = .object(members)
        for part in path.split(separator: ".") { value = value?.object?[String(part)] }
        return value
    }

    /// Ids are numbers at some providers.
    static func text(_ value: JSONValue?) -> String? {
        switch value {
        case .string(let text): text.isEmpty ? nil : text
        case .integer(let number): String(number)
        default: nil
        }
    }
}
