import Foundation
import OAuth
import Storage

/// Asks who the user is, unless the browser's session says it well enough.
struct AuthenticationStep {
    let request: VerifiedAuthorizationRequest
    let progress: LoginTransaction.Progress
    let now: Date

    /// Where the user proves who they are.
    var login: AuthorizationOutcome.LoginPage {
        guard request.invitation != nil else { return request.request.prefersSignup ? .signup : .login }
        switch progress.invitation {
        case nil: return .invitation
        case .signup?: return .signup
        case .login?, .accepted?, .refused?: return .login
        }
    }

    private func isExpected(_ session: Session) -> Bool {
        request.expectedSubjects?.contains(session.userID) ?? true
    }

    /// The page that is left to show. The session is good where its connection serves the application, and where it was made
    /// in this very transaction or the request does not ask for another (`prompt`, `max_age`).
    /// - Returns: nil where the session is good for this request.
    /// - Throws: ``OAuthError`` `login_required` where somebody else has signed in than the client expects.
    func page(
        for session: Session, _ configuration: ConfigurationCache
    ) async throws -> AuthorizationOutcome.LoginPage? {
        let connection = try await configuration.connections().first { $0.name == session.connection }
        guard let connection, connection.serves(request.client), request.organization?.offers(connection) ?? true else {
            return login
        }
        // Another connection's session is another way of knowing who the user is.
        if let wanted = request.request.connection, wanted != session.connection { return login }
        guard isExpected(session) else {
            guard session.digest == progress.sessionDigest else { return login }
            throw OAuthError(
                .loginRequired, "The user who signed in is not the one that the application expects",
                hint: "The request's id_token_hint or claims name another user (OpenID Connect Core §3.1.2.1).")
        }
        if session.digest == progress.sessionDigest { return nil }
        // An invitation is accepted by signing in, never by a session that happens to be there.
        if request.invitation != nil { return login }
        if request.request.prompt.contains(.selectAccount) {
            if progress.accountChoice == .another { return login }
            if progress.accountChoice != .session(digest: session.digest) { return .selectAccount }
        }
        return isFresh(session) ? nil : login
    }

    private func isFresh(_ session: Session) -> Bool {
        guard !request.request.prompt.contains(.login) else { return false }
        // OpenID Connect Core §3.1.2.1; with 0 every session is too old.
        guard let maxAge = request.request.maxAge else { return true }
        return maxAge > 0 && now.timeIntervalSince(session.authenticatedAt) <= Double(maxAge)
    }
}
