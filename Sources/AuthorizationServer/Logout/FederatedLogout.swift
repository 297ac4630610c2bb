import Foundation
import Logging
import OAuth
import Storage

/// Auth0's `federated`: a logout that goes on at the provider where the user has signed in, and comes back from there.
///
/// The provider is told one address of this server's (``path``), which can be registered there. Where the browser goes on then
/// was checked before it left, and stays with it, sealed: the provider is neither told it nor has a say.
package struct FederatedLogout: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// Where providers send browsers back to after a logout.
    package static let path = "v2/logout/callback"
    /// Seconds that somebody may take to log out at the provider.
    package static let lifetime = 600

    /// What a browser keeps while it is at the provider.
    private struct Memory: Codable {
        /// Where it goes on; nil for the page that says that the logout is over.
        let location: String?
        let expiresAt: Date
    }

    /// Leads a logout over the provider, where that has an address for it.
    /// - Parameters:
    ///   - session: the one that has ended; nil where there was none, so that nobody knows the provider.
    ///   - isVouchedFor: whether an application of the tenant's or the user has asked for it. A provider that is given no
    ///     `id_token_hint` asks the user (RP-Initiated Logout 1.0 §2), so nobody's link alone ends a session there.
    func leading(
        _ outcome: LogoutOutcome, from session: Session?, isVouchedFor: Bool
    ) async throws -> LogoutOutcome {
        // Somebody else's application does not log users out of their company.
        guard outcome.goesOn, let session, let provider = try await departure(session, givesHint: isVouchedFor)
        else { return outcome }
        let memory = Memory(
            location: outcome.location,
            expiresAt: services.now().addingTimeInterval(Double(Self.lifetime)))
        return outcome.over(provider, memory: try services.secret.box.seal(JSON.text(memory)))
    }

    /// Where a browser goes on that has come back.
    /// - Parameter sealed: what it has kept; nil where it has nothing.
    /// - Returns: nil for the page that says that the logout is over.
    package func destination(_ sealed: String?) -> String? {
        guard let sealed, let text = try? services.secret.box.open(sealed),
            let memory = try? JSON.decode(Memory.self, from: text), memory.expiresAt > services.now()
        else { return nil }
        return memory.location
    }

    private func departure(_ session: Session, givesHint: Bool) async throws -> RedirectURI? {
        let connection = try await services.configuration.connections().first { $0.name == session.connection }
        guard let connection, !connection.isDatabase else { return nil }
        do {
            guard case .redirect(let strategy) = try await services.login(with: connection) else { return nil }
            return try await strategy.logout(
                UpstreamLeaving(
                    returnURL: services.issuer.url(Self.path),
                    idToken: givesHint ? try await idToken(session) : nil),
                services)
        } catch let failure as UpstreamFailure {
            // The user has logged out here, whatever the provider does.
            services.logger.warning(
                "a provider cannot be asked for a logout",
                metadata: ["connection": "\(connection.name)", "why": "\(failure.explanation)"])
            return nil
        }
    }

    private func idToken(_ session: Session) async throws -> String? {
        let sealed = try await services.stores.database.read { transaction -> String? in
            let user = try UserStore.find(session.userID, in: transaction)
            let others = try UserStore.identities(of: [session.userID], in: transaction)[session.userID] ?? []
            let accounts = ([user].compactMap(\.self) + others).filter { $0.connection == session.connection }
            guard let account = accounts.first, accounts.count == 1 else { return nil }
            return try UserStore.upstreamTokens(of: [account.id], in: transaction)[account.id]
        }
        return try sealed.map { try JSON.decode(UpstreamTokens.self, from: services.secret.box.open($0)) }?.idToken
    }
}
