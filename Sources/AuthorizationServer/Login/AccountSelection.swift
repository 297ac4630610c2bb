import OAuth
import Storage

/// Which account the user goes on with, where the request asks that (`prompt=select_account`, OpenID Connect Core
/// §3.1.2.1): the one of the browser's session, or another one.
package struct AccountSelection: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// Whose session the browser has.
    /// - Returns: nil where it has none, so that there is nothing to choose.
    package func account(of browser: Browser) async throws -> User? {
        guard let session = try await browser.session(services) else { return nil }
        return try await services.stores.users.find(session.userID)
    }

    /// Goes on with the account of the browser's session.
    package func chooseSession(_ login: LoginTransaction, browser: Browser) async throws {
        guard let session = try await browser.session(services) else { return }
        try await keep(.session(digest: session.digest), login)
    }

    /// Goes on with a login; the session stays until that has succeeded.
    package func chooseAnother(_ login: LoginTransaction) async throws { try await keep(.another, login) }

    /// The address that the login page begins with: the invited person's, the chosen account's where the request wants a login all the same, else
    /// the request's `login_hint`, but not that of an account which the user has turned down.
    package func suggestedAddress(
        _ login: LoginTransaction, _ request: VerifiedAuthorizationRequest, browser: Browser
    ) async throws -> String {
        if let invitation = request.invitation { return invitation.inviteeEmail }
        let hint = request.request.loginHint ?? ""
        guard let choice = login.progress.accountChoice,
            let user = try await account(of: browser), let own = user.email ?? user.username
        else { return hint }
        switch choice {
        case .session: return own
        case .another: return hint.lowercased() == own.lowercased() ? "" : hint
        }
    }

    /// Who is expected to sign in, by the request's word: not where an invitation says it, or the user has turned an account
    /// down.
    static func expectedAddress(_ login: LoginTransaction, _ request: VerifiedAuthorizationRequest) -> String? {
        guard request.invitation == nil, login.progress.accountChoice != .another else { return nil }
        return request.request.loginHint
    }

    private func keep(_ choice: LoginTransaction.AccountChoice, _ login: LoginTransaction) async throws {
        try await services.keep(of: login) { $0.accountChoice = choice }
    }
}
