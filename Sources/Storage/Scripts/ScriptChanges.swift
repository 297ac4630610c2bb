import OAuth

/// What the tenant's scripts have changed of the tokens of one authorization.
package struct ScriptChanges: Sendable, Hashable, Codable {
    /// Claims of the access token, beside those of the server.
    package var accessTokenClaims: JSONObject = [:]
    /// Claims of the ID token, which the userinfo endpoint tells as well.
    package var idTokenClaims: JSONObject = [:]
    /// What stands in the place of the scope that was granted; nil where that counts.
    private var replacement: [String]?
    private var added: [String] = []
    private var removed: [String] = []

    package init() {}

    package var isEmpty: Bool { self == ScriptChanges() }

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

    /// The scope of the access token, and so of the response. A script cannot promise a refresh token that nobody asked for.
    package func scope(of granted: Scope) -> Scope {
        let offline = granted.contains(Scope.offlineAccess)
        return Scope((replacement ?? granted.values) + added).filter { value in
            !removed.contains(value) && (offline || value != Scope.offlineAccess)
        }
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

/// How far the scripts of a login are that waits for its user.
package struct ScriptProgress: Sendable, Hashable, Codable {
    /// The digest of the session that they ran for; they run anew for another one.
    package let sessionDigest: String
    package var changes = ScriptChanges()
    /// What actions have noted for those that follow.
    package var transactionMetadata: [String: String] = [:]
    /// Where they wait for the user to come back; nil where all have run.
    package var pause: Pause?

    /// A script that has sent the user somewhere else.
    package struct Pause: Sendable, Hashable, Codable {
        /// The action's id; nil for a rule, after which all rules run again.
        package let actionID: String?
        /// Where the user was sent to.
        package let url: String

        package init(actionID: String?, url: String) { (self.actionID, self.url) = (actionID, url) }
    }

    package init(sessionDigest: String) { self.sessionDigest = sessionDigest }
}
