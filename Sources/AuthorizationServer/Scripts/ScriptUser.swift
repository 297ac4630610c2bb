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
        var members = UserDocument.members(of: user, identities: identities) { user, isLinked in
            var members = UserDocument.identityMembers(of: user, withProfile: isLinked)
            // Rules have it under either name.
            members["userId"] = members["user_id"]
            return members
        }
        members["multifactor"] = factors.isEmpty ? [] : ["guardian"]
        return members
    }
}
