import Foundation
import OAuth
import Storage

/// A user as a script of a custom database describes one: Auth0's normalized user profile, read and checked.
struct DatabaseProfile: Sendable {
    /// The user's id here: `auth0|` and what the script calls the user.
    let id: String
    let email: String?
    /// nil where the script does not say.
    let isEmailVerified: Bool?
    /// In lower case.
    let username: String?
    /// The root attributes.
    let attributes: JSONObject
    /// Members that the script names, null for one that is to go; nil where it says nothing of metadata.
    let userMetadata: JSONObject?
    let appMetadata: JSONObject?
    /// Whether the other database keeps the user out.
    let isBlocked: Bool

    /// What is wrong with a profile.
    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    /// Bytes of a user's metadata of one kind at most.
    private static let mostMetadata = 64 << 10

    /// - Throws: ``Problem`` for what is no profile of anybody.
    init(_ value: JSONValue) throws(Problem) {
        guard let members = value.object else { throw Problem(description: "the profile must be an object") }
        guard !value.holdsPrototype, !value.holdsNUL else {
            throw Problem(description: "the profile must not have a member '__proto__' nor the character NUL")
        }
        id = "auth0|" + (try Self.id(members))
        username = try Self.username(members)
        userMetadata = try Self.metadata("user_metadata", members)
        // Scripts call the applications' metadata so at Auth0, which takes either name.
        let app = try Self.metadata("app_metadata", members)
        appMetadata = try Self.metadata("metadata", members).map { $0.merging(app ?? [:]) { $1 } } ?? app
        isBlocked = members["blocked"]?.bool ?? false
        var upstream = UpstreamProfile(id: id)
        upstream.email = members["email"]?.string
        isEmailVerified = members["email_verified"]?.bool
        upstream.attributes = members.filter { !Self.isLeftOut($0.key) }.mapValues(Self.open)
        let profile = NormalizedProfile(upstream)
        if let sent = upstream.email, !sent.isEmpty, profile.email == nil {
            throw Problem(description: "the profile's email is no e-mail address")
        }
        email = profile.email
        var attributes = profile.attributes
        attributes["nickname"] = attributes["nickname"] ?? username.map(JSONValue.string)
        attributes["name"] = attributes["name"] ?? username.map(JSONValue.string)
        self.attributes = attributes
    }

    /// What scripts that give back whole rows have among them, and nobody else shall see.
    private static func isLeftOut(_ name: String) -> Bool {
        ["id", "metadata", "mfa_factors"].contains(name.lowercased()) || isSecret(name)
    }

    private static func isSecret(_ name: String) -> Bool {
        let name = name.lowercased().replacing("passport", with: "")
        return ["pass", "pwd", "hash", "salt"].contains { name.contains($0) }
    }

    /// A value without the members that are secrets, at any depth.
    private static func open(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let members): .object(members.filter { !isSecret($0.key) }.mapValues(open))
        case .array(let elements): .array(elements.map(open))
        default: value
        }
    }

    private static func id(_ members: JSONObject) throws(Problem) -> String {
        let sent = [members["user_id"], members["id"]].compactMap(\.self).first { $0 != .null }
        let id: String
        switch sent {
        case .string(let text): id = text
        case .integer(let number): id = String(number)
        case nil: throw Problem(description: "the profile has no user_id")
        default: throw Problem(description: "the profile's user_id must be a text")
        }
        guard id.wholeMatch(of: /[\x21-\x7E]{1,240}/) != nil else {
            throw Problem(
                description: "the profile's user_id must be 1 to 240 characters of printable ASCII without spaces")
        }
        return id
    }

    private static func username(_ members: JSONObject) throws(Problem) -> String? {
        guard let value = members["username"], value != .null, value != "" else { return nil }
        guard let text = value.string?.lowercased(), text.utf8.count <= 128, !text.contains(where: \.isWhitespace)
        else {
            throw Problem(description: "the profile's username must be a text of 128 bytes at most, without spaces")
        }
        // What looks like an address is compared with addresses.
        guard EmailAddress(text) == nil else { return nil }
        return text
    }

    private static func metadata(_ name: String, _ members: JSONObject) throws(Problem) -> JSONObject? {
        guard let value = members[name], value != .null else { return nil }
        guard let metadata = open(value).object else {
            throw Problem(description: "the profile's \(name) must be an object")
        }
        guard let text = try? JSON.text(metadata), text.utf8.count <= mostMetadata else {
            throw Problem(description: "the profile's \(name) has more than \(mostMetadata >> 10) KB")
        }
        guard !metadata.keys.contains(where: { $0.contains(/[.$]/) || $0.isEmpty }) else {
            throw Problem(description: "names in the profile's \(name) must not have a '.' or '$'")
        }
        return metadata
    }
}

extension DatabaseProfile {
    /// A new user as the other database describes them.
    func user(of connection: Connection, at now: Date) -> User {
        refreshed(User(id: id, connection: connection.name, email: nil, createdAt: now))
    }

    /// A user as the other database describes them now. Metadata that the script does not name stay, and so does a block.
    func refreshed(_ present: User) -> User {
        var user = present
        user.isEmailVerified = email != nil && (isEmailVerified ?? (email == present.email && present.isEmailVerified))
        (user.email, user.username, user.profile) = (email, username, attributes)
        user.userMetadata = Self.merged(present.userMetadata, userMetadata)
        user.appMetadata = Self.merged(present.appMetadata, appMetadata)
        return user
    }

    private static func merged(_ present: JSONObject, _ named: JSONObject?) -> JSONObject {
        present.merging(named ?? [:]) { $1 }.filter { $0.value != .null }
    }
}
