import Foundation
import OAuth
import Storage

/// Asks who the user is, unless the browser's session says it well enough.
struct AuthenticationStep {
    let request: VerifiedAuthorizationRequest
    let progress: LoginTransaction.Progress
    let now: Date

    var page: AuthorizationOutcome.LoginPage { request.request.prefersSignup ? .signup : .login }

    private func isExpected(_ session: Session) -> Bool {
        request.expectedSubjects?.contains(session.userID) ?? true
    }

    /// Whether the session is good for this request: its connection serves the application, and where the request asks
    /// for a fresh login (`prompt=login`, `max_age`) it was made in this very transaction.
    /// - Throws: ``OAuthError`` `login_required` where somebody else has signed in than the client expects.
    func accepts(_ session: Session, _ configuration: ConfigurationCache) async throws -> Bool {
        let connection = try await configuration.connections().first { $0.name == session.connection }
        guard connection?.serves(request.client) == true else { return false }
        guard isExpected(session) else {
            guard session.digest == progress.sessionDigest else { return false }
            throw OAuthError(
                .loginRequired, "The user who signed in is not the one that the application expects",
                hint: "The request's id_token_hint or claims name another user (OpenID Connect Core §3.1.2.1).")
        }
        if session.digest == progress.sessionDigest { return true }
        guard request.request.prompt.isDisjoint(with: [.login, .selectAccount]) else { return false }
        if let maxAge = request.request.maxAge {
            // OpenID Connect Core §3.1.2.1; with 0 every session is too old.
            return maxAge > 0 && now.timeIntervalSince(session.authenticatedAt) <= Double(maxAge)
        }
        return true
    }
}
