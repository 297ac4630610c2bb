import OAuth
import Storage

/// The user's decision on the consent page.
package struct Consent: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// What the page shows: each scope with its meaning.
    package struct Question: Sendable {
        package let user: User
        package let client: Client
        package let scope: Scope
        package let items: [Item]
    }

    /// One line of the page.
    package struct Item: Sendable, Equatable {
        /// The resource of `action:resource` scopes, or the scope's own name.
        package let title: String
        package let detail: String
        /// The name of the API whose scope it is; nil for what concerns the user's profile or the access as a whole.
        package var api: String?
    }

    /// - Returns: nil where the transaction waits for something else.
    package func question(
        _ login: LoginTransaction, _ request: VerifiedAuthorizationRequest, browser: Browser
    ) async throws -> Question? {
        guard let session = try await browser.session(services), login.progress.consentSessionDigest == session.digest,
            let user = try await services.stores.users.find(session.userID)
        else { return nil }
        let scope = try await decidedScope(login, request, session.userID)
        return Question(
            user: user, client: request.client, scope: scope,
            items: ConsentItems.make(scope, request.resourceServer?.resourceServer))
    }

    /// Records that the user allows what the page showed.
    package func allow(
        _ login: LoginTransaction, _ request: VerifiedAuthorizationRequest, browser: Browser
    ) async throws {
        // Only who was asked: the session may be one that has yet to pass a second factor, or a script.
        guard let session = try await browser.session(services), login.progress.consentSessionDigest == session.digest
        else { throw TransactionNotFound() }
        let userID = session.userID
        let scope = try await decidedScope(login, request, userID)
        let grant = ConsentGrant(
            userID, clientID: request.client.clientID,
            audience: request.resourceServer?.resourceServer.identifier,
            organizationID: request.organization?.organization.id, scope: scope)
        let now = services.now()
        try await services.stores.database.write { transaction in
            try LoginTransactionStore.lock(digest: login.digest, in: transaction)
            let present = try LoginTransactionStore.find(
                digest: login.digest, browserDigest: login.browserDigest, at: now, in: transaction)
            guard var progress = present?.progress, progress.consentSessionDigest == session.digest else {
                throw TransactionNotFound()
            }
            (progress.consentedScope, progress.consentedUserID) = (scope.text, userID)
            try ConsentGrantStore.allow(grant, at: now, in: transaction)
            try LoginTransactionStore.update(progress, digest: login.digest, in: transaction)
        }
        let trail = LogTrail()
        trail.note(request)
        trail.note { ($0.userID, $0.scope) = (userID, scope.text) }
        services.log(.consent, trail, description: "The user has allowed the scopes")
    }

    /// Records that the user refuses; the session stays.
    package func deny(_ login: LoginTransaction) async throws {
        var progress = login.progress
        progress.isDenied = true
        let updated = progress
        try await services.stores.database.write {
            try LoginTransactionStore.update(updated, digest: login.digest, in: $0)
        }
    }

    /// Scripts may ask for more than the application does: the user reads of all of it.
    private func decidedScope(
        _ login: LoginTransaction, _ request: VerifiedAuthorizationRequest, _ userID: String
    ) async throws -> Scope {
        let access = try await RequestedAccess.resolve(
            request.scope(targeted: login.progress.scripts?.changes), client: request.client,
            resourceServer: request.resourceServer, userID: userID,
            organizationID: request.organization?.organization.id, stores: services.stores)
        return ConsentStep(request: request, progress: LoginTransaction.Progress(), access: access).scope
    }
}
