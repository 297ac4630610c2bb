import Foundation
import OAuth
import Storage

/// Begins a session for a user who has just proved who they are. Its id is new at each login, and the browser's former
/// session ends, so that an id known from before is worth nothing afterwards.
struct SessionStart: Sendable {
    let services: Services

    /// Begins it, and accepts the invitation that the login came with.
    /// - Parameters:
    ///   - needsInvitation: whether nothing is written where the login's invitation is gone; it may be the only reason why
    ///     the user is let in.
    ///   - authenticatedAt: when the user proved it, where that was not now but at a provider.
    ///   - also: what else is written in the same transaction.
    /// - Throws: ``TransactionNotFound``, or ``InvitationGone``.
    func begin(
        _ user: User, connection: Connection, login: LoginTransaction, browser: Browser, needsInvitation: Bool = false,
        authenticatedAt: Date? = nil, also: @escaping @Sendable (any SQLTransaction) throws -> Void
    ) async throws -> PasswordLogin.NewSession {
        let settings = try await services.configuration.settings()
        let (secret, now) = (Secret.random(), services.now())
        var session = Session(
            digest: secret.digest, sid: Base64URL.encode(RandomBytes.make(24)), userID: user.id,
            connection: connection.name, authenticatedAt: min(authenticatedAt ?? now, now),
            idleExpiresAt: now.addingTimeInterval(Double(settings.idleSessionLifetime)),
            expiresAt: now.addingTimeInterval(Double(settings.sessionLifetime)))
        session.lastUsedAt = now.storable
        (session.firstDevice, session.lastDevice) = (services.device, services.device)
        let (former, end) = (browser.session, SessionEnd(services: services))
        let acceptance = InvitationAcceptance(services: services)
        let outcome = try await services.stores.database.write { [session] transaction in
            try LoginTransactionStore.lock(digest: login.digest, in: transaction)
            // As it is now: a form that is sent twice finds the invitation accepted, not gone.
            let current = try LoginTransactionStore.find(
                digest: login.digest, browserDigest: login.browserDigest, at: now, in: transaction)
            guard let current else { throw TransactionNotFound() }
            try also(transaction)
            let outcome = try acceptance.accept(by: user, from: connection, current, at: now, in: transaction)
            if needsInvitation, outcome == .gone { throw InvitationGone() }
            if let former { try end.replace(digest: former.digest, with: session, in: transaction) }
            try SessionStore.insert(session, in: transaction)
            try UserStore.recordLogin(of: user.id, at: now, in: transaction)
            var progress = current.progress
            progress.sessionDigest = session.digest
            progress.invitation = outcome.progress ?? progress.invitation
            try LoginTransactionStore.update(progress, digest: login.digest, in: transaction)
            return outcome
        }
        log(outcome, user, login)
        return PasswordLogin.NewSession(
            secret: secret, cookieLifetime: settings.sessionCookieIsPersistent ? settings.sessionLifetime : nil)
    }

    private func log(_ outcome: InvitationAcceptance.Outcome, _ user: User, _ login: LoginTransaction) {
        let trail = LogTrail()
        trail.note(login)
        trail.note(user)
        switch outcome {
        case .none, .gone: break
        case .accepted(let id):
            trail.note { $0.details["invitation_id"] = .string(id) }
            services.log(.invitationAccepted, trail, description: "The invitation was accepted")
        case .refused(let id):
            trail.note { $0.details["invitation_id"] = .string(id) }
            services.log(
                .failedInvitation, trail,
                description: "the specified account is not allowed to accept the current invitation")
        }
    }
}

/// The invitation that a login came with was accepted or taken back meanwhile.
package struct InvitationGone: Error, Sendable { package init() {} }

extension InvitationAcceptance.Outcome {
    /// What the login transaction remembers; nil for nothing new.
    fileprivate var progress: LoginTransaction.InvitationProgress? {
        switch self {
        case .none, .gone: nil
        case .accepted: .accepted
        case .refused: .refused
        }
    }
}
