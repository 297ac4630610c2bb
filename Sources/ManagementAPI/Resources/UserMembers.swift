import AuthorizationServer
import Foundation
import OAuth
import Storage
import TenantConfiguration

/// A user as the API shows one.
enum UserMembers {
    /// What an answer may have of a user.
    static let members: Members = UserRules.profile.reduce(into: [
        "user_id": .text.always, "email": .text, "email_verified": .bool, "username": .text, "phone_verified": .bool,
        "identities": .list(identityMembers), "created_at": .text, "updated_at": .text, "last_login": .text,
        "last_ip": .text, "logins_count": .count, "user_metadata": .anyObject, "app_metadata": .anyObject,
        "blocked": .bool,
        // What the providers of other connections tell stands beside the rest, as at Auth0.
        Members.others: .anything,
    ]) { $0[$1] = .text }

    static let identityMembers: Members = [
        "provider": .text.always, "user_id": .text.always, "connection": .text, "isSocial": .bool,
        "profileData": .anyObject, "access_token": .text, "refresh_token": .text, "expires_in": .count,
    ]

    /// What a list of a role's users shows of each.
    static let summary: Members = ["user_id": .text.always, "email": .text, "picture": .text, "name": .text]

    /// Auth0's members; those without a value are left out.
    /// - Parameter tokens: those of the providers, by the identities' ids.
    static func shown(
        _ user: User, identities: [User] = [], tokens: [String: JSONObject] = [:]
    ) -> JSONObject {
        var members = UserDocument.members(of: user, identities: identities) { user, isLinked in
            identityMembers(of: user, withProfile: isLinked, tokens: tokens)
        }
        members["last_login"] = user.lastLogin.map(time)
        if user.loginsCount > 0 { members["logins_count"] = .integer(Int64(user.loginsCount)) }
        if !user.userMetadata.isEmpty { members["user_metadata"] = .object(user.userMetadata) }
        if !user.appMetadata.isEmpty { members["app_metadata"] = .object(user.appMetadata) }
        if user.isBlocked { members["blocked"] = true }
        return members
    }

    /// Who the user is at the connection, with the profile of an identity that is not the user's first.
    static func identity(of user: User, withProfile: Bool) -> JSONValue {
        .object(identityMembers(of: user, withProfile: withProfile, tokens: [:]))
    }

    private static func identityMembers(
        of user: User, withProfile: Bool, tokens: [String: JSONObject]
    ) -> JSONObject {
        UserDocument.identityMembers(of: user, withProfile: withProfile).merging(tokens[user.id] ?? [:]) { $1 }
    }

    /// The users with their identities, in their order.
    /// - Parameter box: opens the tokens that providers gave, for who may see them; nil leaves them out.
    static func shown(
        _ users: [User], tokensFrom box: SecretBox? = nil, at now: Date = .distantPast,
        in transaction: any SQLTransaction
    ) throws -> [JSONObject] {
        let identities = try UserStore.identities(of: users.map(\.id), in: transaction)
        var tokens: [String: JSONObject] = [:]
        if let box {
            let ids = users.map(\.id) + identities.values.flatMap { $0.map(\.id) }
            tokens = try UserStore.upstreamTokens(of: ids, in: transaction).mapValues { sealed in
                shown(try JSON.decode(UpstreamTokens.self, from: box.open(sealed)), at: now)
            }
        }
        return users.map { shown($0, identities: identities[$0.id] ?? [], tokens: tokens) }
    }

    private static func shown(_ tokens: UpstreamTokens, at now: Date) -> JSONObject {
        var members: JSONObject = ["access_token": .string(tokens.accessToken)]
        members["refresh_token"] = tokens.refreshToken.map(JSONValue.string)
        members["expires_in"] = tokens.expiresAt.map { .integer(Int64(max(0, $0.timeIntervalSince(now)))) }
        return members
    }

    static func time(_ date: Date) -> JSONValue {
        .string(date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
    }
}
