import Foundation
import OAuth
import Storage

/// The members of Auth0's user profile that scripts and the Management API see alike.
package enum UserDocument {
    /// Who the user is and where from, without metadata; members without a value are left out.
    /// - Parameter identities: the users that are linked to this one.
    /// - Parameter identity: how one of them is shown, and whether it is not the user's first.
    package static func members(
        of user: User, identities: [User],
        as identity: (_ user: User, _ isLinked: Bool) -> JSONObject = { identityMembers(of: $0, withProfile: $1) }
    ) -> JSONObject {
        var members = user.profile.filter { $0.value != .null && $0.key != "phone_number_verified" }
        members["phone_verified"] = user.profile["phone_number_verified"]
        members["user_id"] = .string(user.id)
        addNames(of: user, to: &members)
        members["name"] = members["name"] ?? members["email"] ?? members["username"]
        members["created_at"] = .string(user.createdAt.formatted(.iso8601WithMilliseconds))
        members["updated_at"] = .string(user.updatedAt.formatted(.iso8601WithMilliseconds))
        members["identities"] = .array(
            [.object(identity(user, false))] + identities.map { .object(identity($0, true)) })
        return members
    }

    /// Who the user is at the connection.
    /// - Parameter withProfile: whether what the connection tells of the user is shown, too.
    package static func identityMembers(of user: User, withProfile: Bool) -> JSONObject {
        let bar = user.id.firstIndex(of: "|") ?? user.id.startIndex
        let provider = String(user.id[..<bar])
        var members: JSONObject = [
            "provider": .string(provider), "user_id": .string(String(user.id[bar...].trimmingPrefix("|"))),
            "connection": .string(user.connection), "isSocial": .bool(Connection.socialStrategies.contains(provider)),
        ]
        if withProfile {
            var profile = user.profile.filter { $0.value != .null }
            addNames(of: user, to: &profile)
            members["profileData"] = .object(profile)
        }
        return members
    }

    private static func addNames(of user: User, to members: inout JSONObject) {
        members["email"] = user.email.map(JSONValue.string)
        if user.email != nil { members["email_verified"] = .bool(user.isEmailVerified) }
        members["username"] = user.username.map(JSONValue.string)
    }
}
