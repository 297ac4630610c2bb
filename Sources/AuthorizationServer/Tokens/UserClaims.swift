import Foundation
import OAuth
import Storage

/// The claims about a user that scopes ask for, OpenID Connect Core §5.1 and §5.4. Attributes without a value are left
/// out, never null.
package enum UserClaims {
    /// The claims about `user` that `scope` asks for, and those that the client has named (OpenID Connect Core §5.5).
    package static func claims(
        of user: User, scope: Scope, demands: [String: ClaimsRequest.Demand] = [:], dialect: WireDialect
    ) -> JSONObject {
        var claims: JSONObject = [:]
        for value in scope.values {
            for name in Scope.claims[value] ?? [] { claims[name] = claim(name, of: user, dialect: dialect) }
        }
        for (name, demand) in demands where claims[name] == nil && Scope.value(revealing: name) != nil {
            guard let value = claim(name, of: user, dialect: dialect), demand.accepts(value) else { continue }
            claims[name] = value
        }
        return claims
    }

    private static func claim(_ name: String, of user: User, dialect: WireDialect) -> JSONValue? {
        switch name {
        case "email": user.email.map(JSONValue.string)
        case "email_verified": user.email == nil ? nil : .bool(user.isEmailVerified)
        case "updated_at": dialect.updatedAt(user.updatedAt)
        case "created_at": .string(user.createdAt.formatted(.iso8601WithMilliseconds))
        case "identities": identities(of: user)
        case "name": user.profile["name"] ?? user.email.map(JSONValue.string)
        case "nickname": user.profile["nickname"] ?? user.username.map(JSONValue.string)
        default: user.profile[name].flatMap { $0 == .null ? nil : $0 }
        }
    }

    private static func identities(of user: User) -> JSONValue {
        let (provider, id) =
            user.id.firstIndex(of: "|").map {
                (String(user.id[..<$0]), String(user.id[user.id.index(after: $0)...]))
            } ?? ("", user.id)
        return [
            [
                "provider": .string(provider), "user_id": .string(id), "connection": .string(user.connection),
                "isSocial": .bool(Connection.socialStrategies.contains(provider)),
            ]
        ]
    }
}

extension FormatStyle where Self == Date.ISO8601FormatStyle {
    /// `2026-08-01T12:00:00.000Z`, as Auth0 writes times.
    static var iso8601WithMilliseconds: Date.ISO8601FormatStyle {
        Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    }
}
