import Foundation
import OAuth

/// What the tenant's scripts have changed of the tokens of one authorization.
package struct ScriptChanges: Sendable, Hashable {
    /// Claims of the access token, beside those of the server.
    package var accessTokenClaims: JSONObject = [:]
    /// Claims of the ID token, which the userinfo endpoint tells as well.
    package var idTokenClaims: JSONObject = [:]
    /// What the refresh token is made with that the authorization begins with; nil where scripts say nothing of it.
    package var refreshToken: NewRefreshToken?
    /// What stands in the place of the scope that was asked for, before anybody decides what of it is granted; nil where that
    /// counts.
    package var targetScope: [String]?
    /// What stands in the place of the scope that was granted; nil where that counts.
    private var replacement: [String]?
    private var added: [String] = []
    private var removed: [String] = []

    package init() {}

    package var isEmpty: Bool { self == ScriptChanges() }

    /// The scope that is asked for, as scripts would have it: what of it is granted follows the same rules.
    package func target(of asked: Scope) -> Scope { targetScope.map(Scope.init) ?? asked }

    /// Puts these values in the place of the scope, whatever was added and removed before.
    package mutating func replaceScope(by values: [String]) { (replacement, added, removed) = (values, [], []) }

    /// Gives the access token one more value.
    package mutating func addScope(_ value: String) {
        removed.removeAll { $0 == value }
        if !added.contains(value) { added.append(value) }
    }

    /// Takes a value from the access token.
    package mutating func removeScope(_ value: String) {
        added.removeAll { $0 == value }
        if !removed.contains(value) { removed.append(value) }
    }

    /// The scope of the access token, and so of the response. Scopes that OpenID Connect gives a meaning are the user's to
    /// grant: a script adds none of them, neither a refresh token nor what the userinfo endpoint tells.
    package func scope(of granted: Scope) -> Scope {
        Scope((replacement ?? granted.values) + added).filter { value in
            !removed.contains(value) && (granted.contains(value) || !Scope.isReserved(value))
        }
    }

    /// The scope that is kept with an opaque access token. It is for the userinfo endpoint, which asks for `openid`: where that
    /// was granted it stays.
    package func opaqueTokenScope(of granted: Scope) -> Scope {
        let left = scope(of: granted)
        return granted.filter { $0 == Scope.openID && !left.contains($0) }.union(left)
    }

    /// What is left of what the user is asked to grant, and later refreshes may have: an API's scopes that a script takes
    /// away do not come back with the next script. The rest of OpenID Connect's scopes decides about the ID token, of which
    /// a rule that replaces the access token's scope says nothing.
    package func granted(of asked: Scope) -> Scope {
        let left = scope(of: asked)
        return asked.filter { value in
            left.contains(value)
                || Scope.isReserved(value) && !(value == Scope.offlineAccess && removed.contains(value))
        }
    }
}

/// What scripts want of a refresh token that is yet to be made.
package struct NewRefreshToken: Sendable, Hashable {
    /// When it ends, unless it would end earlier; nil where scripts do not say.
    package var expiresAt: Date?
    /// When it ends unless it is used before, or would end earlier; nil where scripts do not say.
    package var idleExpiresAt: Date?
    /// What is kept with it.
    package var metadata: JSONObject = [:]

    package init() {}
}

extension ScriptChanges: Codable {
    /// As an object, which is how an authorization code keeps them.
    package var members: JSONObject {
        var members: JSONObject = ["added": JSONValue(added), "removed": JSONValue(removed)]
        if !accessTokenClaims.isEmpty { members["accessTokenClaims"] = .object(accessTokenClaims) }
        if !idTokenClaims.isEmpty { members["idTokenClaims"] = .object(idTokenClaims) }
        members["targetScope"] = targetScope.map { JSONValue($0) }
        members["replacement"] = replacement.map { JSONValue($0) }
        members["refreshToken"] = refreshToken.map { .object($0.members) }
        return members
    }

    package init(members: JSONObject) {
        accessTokenClaims = members["accessTokenClaims"]?.object ?? [:]
        idTokenClaims = members["idTokenClaims"]?.object ?? [:]
        refreshToken = members["refreshToken"]?.object.map(NewRefreshToken.init(members:))
        targetScope = members["targetScope"].map(Self.values)
        replacement = members["replacement"].map(Self.values)
        (added, removed) = (Self.values(members["added"]), Self.values(members["removed"]))
    }

    private static func values(_ list: JSONValue?) -> [String] { (list?.array ?? []).compactMap(\.string) }

    package init(from decoder: any Decoder) throws { self.init(members: try JSONObject(from: decoder)) }

    package func encode(to encoder: any Encoder) throws { try members.encode(to: encoder) }
}

extension NewRefreshToken {
    fileprivate var members: JSONObject {
        var members: JSONObject = ["metadata": .object(metadata)]
        members["expiresAt"] = expiresAt.map { .number($0.timeIntervalSince1970) }
        members["idleExpiresAt"] = idleExpiresAt.map { .number($0.timeIntervalSince1970) }
        return members
    }

    fileprivate init(members: JSONObject) {
        metadata = members["metadata"]?.object ?? [:]
        expiresAt = (members["expiresAt"]?.seconds).map(Date.init(timeIntervalSince1970:))
        idleExpiresAt = (members["idleExpiresAt"]?.seconds).map(Date.init(timeIntervalSince1970:))
    }
}

extension JSONValue {
    fileprivate var seconds: TimeInterval? {
        switch self {
        case .number(let value): value
        case .integer(let value): TimeInterval(value)
        default: nil
        }
    }
}

/// How far the scripts of a login are that waits for its user.
package struct ScriptProgress: Sendable, Hashable, Codable {
    /// The digest of the session that they ran for; they run anew for another one.
    package let sessionDigest: String
    /// The id of that session, which is another one where the login has become another user's; nil where there is no session.
    package var sid: String?
    /// The organization that they ran for, and for no other; nil for none.
    package let organizationID: String?
    package var changes = ScriptChanges()
    /// What actions have noted for those that follow.
    package var transactionMetadata: [String: String] = [:]
    /// The second factor that they want in the end; nil for none.
    package var factor: FactorDemand?
    /// The user whose login it has become, because the account that signed in is an identity of that user's now; nil where it
    /// stays the one that it was.
    package var primaryUserID: String?
    /// How the session's cookie is to be kept; nil where scripts do not say.
    package var cookieMode: CookieMode?
    /// Where they wait for the user to come back; nil where all have run.
    package var pause: Pause?

    /// A script that has sent the user somewhere else, or asks for a second factor before the next one runs.
    package struct Pause: Sendable, Hashable, Codable {
        /// The action's id; nil for a rule, after which all rules run again.
        package let actionID: String?
        /// The rule's id; nil for an action.
        package let ruleID: String?
        /// Where the user was sent to; nil for nowhere.
        package let url: String?
        /// The second factor that the user has to pass first; nil for none.
        package var factor: FactorDemand?

        package init(actionID: String?, ruleID: String?, url: String?, factor: FactorDemand? = nil) {
            (self.actionID, self.ruleID, self.url, self.factor) = (actionID, ruleID, url, factor)
        }
    }

    package init(sessionDigest: String, organizationID: String?) {
        (self.sessionDigest, self.organizationID) = (sessionDigest, organizationID)
    }
}
