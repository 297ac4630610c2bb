import OAuth
import Storage

/// What a browser's cookies prove: which browser it is, and which session it has.
package struct Browser: Sendable {
    /// Binds login transactions and forms to the browser.
    package let secret: Secret
    package let session: Secret?
    /// Where the request comes from, as failed logins are counted.
    package let address: String
    /// What it was given for being remembered; nil where it was not.
    package let remembered: Secret?

    package init(secret: Secret, session: Secret?, address: String, remembered: Secret? = nil) {
        (self.secret, self.session, self.address, self.remembered) = (secret, session, address, remembered)
    }

    /// The browser's session, where it has not ended.
    package func session(_ services: Services) async throws -> Session? {
        guard let session else { return nil }
        return try await services.stores.sessions.find(digest: session.digest, at: services.now())
    }

    /// The transaction that `state` names, where this browser started it.
    package func transaction(_ state: Secret, _ services: Services) async throws -> LoginTransaction? {
        try await services.stores.loginTransactions.find(
            digest: state.digest, browserDigest: secret.digest, at: services.now())
    }
}
