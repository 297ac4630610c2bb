import OAuth
import Storage

/// Which account the user goes on with, where the request asks that (`prompt=select_account`, OpenID Connect Core
/// §3.1.2.1): the one of the browser's session, or another one.
package struct AccountSelection: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// The account that the browser has a session of.
    package struct Question: Sendable {
        package let user: User
        /// The id of the session, so that an answer cannot be about another one than was shown.
        package let sid: String
    }

    /// - Returns: nil where the browser has no session whose account could be chosen.
    package func question(browser: Browser) async throws -> Question? {
        guard let session = try await browser.session(services),
            let user = try await services.stores.users.find(session.userID)
        else { return nil }
        return Question(user: user, sid: session.sid)
    }

    /// Goes on with the account of the session that the page showed.
    /// - Returns: whether the browser still has that session.
    package func chooseSession(sid: String, _ login: LoginTransaction, browser: Browser) async throws -> Bool {
        guard let session = try await browser.session(services), session.sid == sid else { return false }
        try await keep(.session(digest: session.digest), login)
        return true
    }

    /// Goes on with a login; the session stays until that has succeeded.
    package func chooseAnother(_ login: LoginTransaction) async throws { try await keep(.another, login) }

    /// The address that the login page begins with: the chosen account's where the request wants a login all the same, else
    /// the request's `login_hint`, but not that of an account which the user has turned down.
    package func suggestedAddress(
        _ login: LoginTransaction, _ request: VerifiedAuthorizationRequest, browser: Browser
    ) async throws -> String {
        let hint = request.request.loginHint ?? ""
        guard let choice = login.progress.accountChoice,
            let user = try await question(browser: browser)?.user, let own = user.email ?? user.username
        else { return hint }
        switch choice {
        case .session: return own
        case .another: return hint.lowercased() == own.lowercased() ? "" : hint
        }
    }

    private func keep(_ choice: LoginTransaction.AccountChoice, _ login: LoginTransaction) async throws {
        var progress = login.progress
        progress.accountChoice = choice
        let updated = progress
        try await services.stores.database.write { transaction in
            try LoginTransactionStore.lock(digest: login.digest, in: transaction)
            try LoginTransactionStore.update(updated, digest: login.digest, in: transaction)
        }
    }
}
