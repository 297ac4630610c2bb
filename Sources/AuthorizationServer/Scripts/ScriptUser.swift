import Foundation
import OAuth
import Storage

/// The user as scripts see them, with the members of Auth0's user profile.
enum ScriptUser {
    /// The `user` of a rule: what applications have noted of the user stands among the rest as well.
    /// - Parameter factors: the second factors that the user has, by Auth0's names.
    static func rule(_ user: User, identities: [User], factors: [String] = []) -> JSONObject {
        var members = base(user, identities: identities, factors: factors)
        if !user.userMetadata.isEmpty { members["user_metadata"] = .object(user.userMetadata) }
        if !user.appMetadata.isEmpty { members["app_metadata"] = .object(user.appMetadata) }
        // Whom the login is of is not the applications' to say.
        return members.merging(user.appMetadata.filter { !identifying.contains($0.key) }) { $1 }
    }

    private static let identifying: Set<String> = [
        "user_id", "identities", "app_metadata", "user_metadata", "multifactor",
    ]

    /// The `event.user` of an action.
    /// - Parameter factors: the second factors that the user has, by Auth0's names.
    static func action(_ user: User, identities: [User], factors: [String] = []) -> JSONObject {
        var members = base(user, identities: identities, factors: factors)
        members["user_metadata"] = .object(user.userMetadata)
        members["app_metadata"] = .object(user.appMetadata)
        members["enrolledFactors"] = .array(factors.map { ["type": .string($0), "options": [:]] })
        return members
    }

    private static func base(_ user: User, identities: [User], factors: [String]) -> JSONObject {
        var members = user.profile.filter { $0.value != .null && $0.key != "phone_number_verified" }
        members["phone_verified"] = user.profile["phone_number_verified"]
        members["user_id"] = .string(user.id)
        members["email"] = user.email.map(JSONValue.string)
        if user.email != nil { members["email_verified"] = .bool(user.isEmailVerified) }
        members["username"] = user.username.map(JSONValue.string)
        members["name"] = members["name"] ?? members["email"] ?? members["username"]
        members["created_at"] = .string(user.createdAt.formatted(.iso8601WithMilliseconds))
        members["updated_at"] = .string(user.updatedAt.formatted(.iso8601WithMilliseconds))
        members["identities"] = .array(
            [identity(user, isFirst: true)] + identities.map { identity($0, isFirst: false) })
        members["multifactor"] = factors.isEmpty ? [] : ["guardian"]
        return members
    }

    private static func identity(_ user: User, isFirst: Bool) -> JSONValue {
        let bar = user.id.firstIndex(of: "|") ?? user.id.startIndex
        let provider = String(user.id[..<bar])
        let id = JSONValue.string(String(user.id[bar...].drop { $0 == "|" }))
        var members: JSONObject = [
            "provider": .string(provider), "user_id": id, "userId": id, "connection": .string(user.connection),
            "isSocial": .bool(Connection.socialStrategies.contains(provider)),
        ]
        if !isFirst {
            var profile = user.profile.filter { $0.value != .null }
            profile["email"] = user.email.map(JSONValue.string)
            if user.email != nil { profile["email_verified"] = .bool(user.isEmailVerified) }
            profile["username"] = user.username.map(JSONValue.string)
            members["profileData"] = .object(profile)
        }
        return .object(members)
    }
}
