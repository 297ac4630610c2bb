import Foundation
import OAuth
import Storage

/// A login that becomes another user's: the account that has signed in is an identity of that user's by now, mostly because a script
/// has just linked the two (`api.authentication.setPrimaryUser`, `context.primaryUser`).
extension PostLoginPass {
    /// Makes the login that of a user, for the actions that follow. Whether it may be is found out when all have run.
    /// - Throws: ``FailedScript``, ``Denial``.
    mutating func become(_ id: String, _ title: String) async throws {
        guard id != login.user.id else { return }
        guard progress.primaryUserID == nil else {
            throw FailedScript(title, cause: "it changes the primary user, which scripts can do once in a login")
        }
        guard login.refreshToken == nil, login.flow != .exchange else {
            // Linking takes back what was issued to the account, this token with it.
            throw Denial(
                error: .invalidGrant(
                    "The account has become a part of another one; sign in again.",
                    hint:
                        "\(title) changes the primary user, and a token stays that of the account that it was issued to."
                ))
        }
        guard let primary = try await services.stores.users.find(id) else {
            throw FailedScript(title, cause: "there is no user '\(id.forDisplay)' who could be the primary user")
        }
        progress.primaryUserID = id
        (login.user, user) = (primary, primary)
        facts = try await ScriptFacts(login, services)
    }

    /// Hands a login over to the user that the scripts have named: the account must be an identity of theirs by now, and neither may
    /// be blocked. The browser keeps its cookie; its session is the other user's, with an id that no application knows yet.
    /// - Throws: ``FailedScript``, ``Denial``.
    mutating func settlePrimaryUser(_ trail: LogTrail) async throws {
        guard let id = progress.primaryUserID, id != signedIn.id, login.session?.userID != id else { return }
        let (account, session, isNew, now) = (signedIn.id, login.session, login.isNew, services.now())
        let (authenticatorID, end) = (formerAuthenticatorID, SessionEnd(services: services))
        let sid = Base64URL.encode(RandomBytes.make(24))
        let outcome = try await services.stores.database.write { transaction -> PrimaryUserOutcome in
            for user in [id, account].sorted() { try UserStore.lock(user, in: transaction) }
            guard try UserStore.primary(of: account, in: transaction) == id else { return .isNoIdentity }
            guard let user = try UserStore.find(id, in: transaction), !user.isBlocked,
                let identity = try UserStore.account(account, in: transaction), !identity.isBlocked
            else { return .isBlocked }
            guard let session else { return .settled(nil) }
            guard session.expiresAt > now, session.idleExpiresAt > now else { return .hasEnded }
            if isNew { try UserStore.recordLogin(of: id, at: now, in: transaction) }
            let other = Session(session, sid: sid, of: id)
            try end.replace(digest: session.digest, with: other, in: transaction)
            try SessionStore.insert(other, in: transaction)
            if !session.metadata.isEmpty { try SessionStore.setMetadata(session.metadata, of: sid, in: transaction) }
            // The factor that was passed has moved with the account; another one of the user's has not been passed.
            let present = try AuthenticatorStore.find(of: id, in: transaction)?.id
            if let passedAt = session.multiFactorAt, let present, present == authenticatorID {
                try SessionStore.setMultiFactor(at: passedAt, digest: session.digest, in: transaction)
            }
            return .settled(try SessionStore.find(sid: sid, in: transaction))
        }
        switch outcome {
        case .settled(let session):
            login.session = session
            trail.note { $0.userID = id }
            if let session { trail.note(session) }
        case .isNoIdentity:
            throw FailedScript(
                "The tenant's scripts",
                cause: "they name \(id.forDisplay) as the primary user, of whom \(account.forDisplay) is no identity: "
                    + "link it first (POST /api/v2/users/{id}/identities)")
        case .isBlocked:
            throw Denial(
                error: OAuthError(
                    login.session == nil ? .invalidGrant : .unauthorized, "user is blocked", reason: .userIsBlocked))
        case .hasEnded: throw Denial(error: OAuthError(.loginRequired, "Login required"))
        }
    }

    /// Whose notes are written down: the user's whom the account belongs to in the end, whatever became of the login.
    func ownerID() async throws -> String {
        guard progress.primaryUserID != nil else { return login.user.id }
        let account = signedIn.id
        return try await services.stores.database.readOnce { try UserStore.primary(of: account, in: $0) } ?? account
    }
}

/// What becomes of a login that scripts make another user's.
private enum PrimaryUserOutcome: Sendable {
    /// It is that user's, in this session; nil where there was none.
    case settled(Session?)
    case isNoIdentity
    case isBlocked
    /// The session's time was up meanwhile.
    case hasEnded
}
