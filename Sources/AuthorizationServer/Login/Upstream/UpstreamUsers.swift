import Foundation
import OAuth
import Storage

/// Which user an account at a provider is, and signing that user in.
///
/// The account's id decides and nothing else: an address that two accounts share, verified or not, makes them no one person.
/// They become one user where their owner proves both.
struct UpstreamUsers: Sendable {
    let services: Services

    /// Signs in whoever has the account, with a new user where it is nobody's yet.
    /// - Parameter also: what else is written in the same transaction.
    /// - Throws: ``OAuthError`` where the user is blocked, ``TransactionNotFound``.
    func signIn(
        _ profile: UpstreamProfile, connection: Connection, login: LoginTransaction, browser: Browser, trail: LogTrail,
        also: @escaping @Sendable (any SQLTransaction) throws -> Void = { _ in }
    ) async throws -> PasswordLogin.NewSession {
        let id = try Self.userID(profile.id, connection, services.strategies)
        let found = try await services.stores.database.read { try UserStore.upstreamAccount(id, in: $0) }
        trail.note { ($0.userID, $0.connection) = (found?.user.id ?? id, connection.name) }
        try Self.check(found, connection)
        let account = Self.account(id, profile, connection, found?.identity, at: services.now())
        let sealed = try profile.tokens.map { try services.secret.box.seal(JSON.text($0)) }
        let (user, isKnown, isChanged) = (found?.user ?? account, found != nil, account != found?.identity)
        let session = try await SessionStart(services: services).begin(
            user, connection: connection, login: login, browser: browser, authenticatedAt: profile.authenticatedAt
        ) { transaction in
            try also(transaction)
            try Self.write(
                account, of: user.id, from: connection, isKnown: isKnown, isChanged: isChanged, sealedTokens: sealed,
                in: transaction)
        }
        if found == nil { services.log(.signup, trail, description: "Signed up with \(connection.name)") }
        services.log(.login, trail, description: "Signed in with \(connection.name)")
        return session
    }

    /// What the account's owner is called here. Connections of one social strategy that have other names than it may have
    /// other providers, and so have names of their own in the ids of their users.
    /// - Throws: ``UpstreamFailure`` for an id that is none.
    static func userID(
        _ id: String, _ connection: Connection, _ strategies: ConnectionStrategies
    ) throws(UpstreamFailure) -> String {
        guard !id.isEmpty, id.utf8.count <= 200, id.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            throw .untrusted(cause: "The provider gave the user an id that is empty, too long or has blanks in it")
        }
        let isShared = strategies[connection.strategy]?.family == .social && connection.name == connection.strategy
        return connection.strategy + (isShared ? "|" : "|\(connection.name)|") + id
    }

    private static func check(_ found: UserStore.UpstreamAccount?, _ connection: Connection) throws {
        guard let found else { return }
        guard found.identity.connection == connection.name else {
            throw OAuthError.accessDenied(
                "The account belongs to another connection",
                hint: "Its user was made by the connection '\(found.identity.connection.forDisplay)'.")
        }
        guard !found.isBlocked else {
            throw OAuthError(.unauthorized, "user is blocked")
        }
    }

    /// The account as the provider describes it now.
    private static func account(
        _ id: String, _ profile: UpstreamProfile, _ connection: Connection, _ present: User?, at now: Date
    ) -> User {
        let profile = NormalizedProfile(profile)
        var account = present ?? User(id: id, connection: connection.name, email: nil, createdAt: now)
        guard present == nil || connection.updatesProfiles else { return account }
        (account.email, account.isEmailVerified) = (profile.email, profile.isEmailVerified)
        account.profile = profile.attributes
        if account != present { account.updatedAt = now }
        return account
    }

    /// - Parameter isKnown: whether the account had a user when it was looked for.
    private static func write(
        _ account: User, of userID: String, from connection: Connection, isKnown: Bool, isChanged: Bool,
        sealedTokens: String?, in transaction: any SQLTransaction
    ) throws {
        try UserStore.lock(account.id, in: transaction)
        if let present = try UserStore.upstreamAccount(account.id, in: transaction) {
            // Linked or unlinked since it was looked for: who signs in is another user now.
            guard present.user.id == userID, !present.isBlocked else {
                throw OAuthError.accessDenied("The account has changed meanwhile", hint: "Sign in again.")
            }
            if isChanged { try UserStore.updateUpstream(account, in: transaction) }
        } else {
            // Deleted since it was looked for: what was deleted does not come back from memory.
            guard !isKnown, account.id == userID else {
                throw OAuthError.accessDenied("The account has changed meanwhile", hint: "Sign in again.")
            }
            // One that is made after its connection has gone would be the next one's of that name.
            guard try ConnectionStore.hold(id: connection.id, in: transaction) else {
                throw LoginConnections.notEnabled
            }
            try UserStore.insert(account, passwordHash: nil, in: transaction)
        }
        if let sealedTokens { try UserStore.saveUpstreamTokens(sealedTokens, of: account.id, in: transaction) }
    }
}

extension Connection {
    /// Whether users are brought to what the provider says at each login, Auth0's `set_user_root_attributes`.
    var updatesProfiles: Bool { options["set_user_root_attributes"]?.string ?? "on_each_login" == "on_each_login" }
}
