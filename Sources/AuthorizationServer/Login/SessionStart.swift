import Foundation
import OAuth
import Storage

/// Begins a session for a user who has just proved who they are. Its id is new at each login, and the browser's former
/// session ends, so that an id known from before is worth nothing afterwards.
struct SessionStart: Sendable {
    let services: Services

    /// - Parameter also: what else is written in the same transaction.
    func begin(
        _ user: User, connection: Connection, login: LoginTransaction, browser: Browser,
        also: @escaping @Sendable (any SQLTransaction) throws -> Void
    ) async throws -> PasswordLogin.NewSession {
        let settings = try await services.configuration.settings()
        let (secret, now) = (Secret.random(), services.now())
        let session = Session(
            digest: secret.digest, sid: Base64URL.encode(RandomBytes.make(24)), userID: user.id,
            connection: connection.name, authenticatedAt: now,
            idleExpiresAt: now.addingTimeInterval(Double(settings.idleSessionLifetime)),
            expiresAt: now.addingTimeInterval(Double(settings.sessionLifetime)))
        var progress = login.progress
        progress.sessionDigest = session.digest
        let (updated, former, end) = (progress, browser.session, SessionEnd(services: services))
        try await services.stores.database.write { transaction in
            try LoginTransactionStore.lock(digest: login.digest, in: transaction)
            guard
                try LoginTransactionStore.find(
                    digest: login.digest, browserDigest: login.browserDigest, at: now, in: transaction) != nil
            else { throw TransactionNotFound() }
            try also(transaction)
            if let former { try end.replace(digest: former.digest, with: session, in: transaction) }
            try SessionStore.insert(session, in: transaction)
            try UserStore.recordLogin(of: user.id, at: now, in: transaction)
            try LoginTransactionStore.update(updated, digest: login.digest, in: transaction)
        }
        return PasswordLogin.NewSession(
            secret: secret, cookieLifetime: settings.sessionCookieIsPersistent ? settings.sessionLifetime : nil)
    }
}
