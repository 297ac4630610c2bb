import Foundation
import OAuth
import Storage

/// Signing in with an e-mail address (or user name) and a password, on the page of a transaction.
package struct PasswordLogin: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// Why a login is refused, in words that do not tell whether the user exists.
    package enum Refusal: Error, Sendable, Equatable {
        case wrongCredentials
        /// Ten failures of this identifier from this address.
        case blocked
        case userIsBlocked
        case noConnection
    }

    /// A session that begins: the cookie's secret, and what the cookie needs.
    package struct NewSession: Sendable {
        package let secret: Secret
        /// Nil for a cookie that ends with the browser.
        package let cookieLifetime: Int?
    }

    /// - Throws: ``Refusal``, ``PasswordHasher/Busy``, or ``TransactionNotFound`` where another tab ended it meanwhile.
    package func logIn(
        identifier sent: String, password: String, login: LoginTransaction, browser: Browser
    ) async throws -> NewSession {
        guard let connection = try await databaseConnection(for: login.clientID) else { throw Refusal.noConnection }
        let identifier = EmailAddress(sent)?.text ?? sent.lowercased()
        let attempts = FailedLogins(
            services: services, connection: connection, identifier: identifier, browser: browser)
        guard try await attempts.take() else { throw Refusal.blocked }
        let found = try await services.stores.users.find(connection: connection.name, identifier: identifier)
        guard try await services.passwords.verify(password, against: found?.passwordHash), let found else {
            throw Refusal.wrongCredentials
        }
        guard !found.user.isBlocked else { throw Refusal.userIsBlocked }
        let upgrade = try await upgradedHash(password, found.passwordHash)
        return try await SessionStart(services: services).begin(
            found.user, connection: connection, login: login, browser: browser
        ) { transaction in
            try attempts.clear(in: transaction)
            if let upgrade {
                try UserStore.upgradePasswordHash(
                    of: found.user.id, from: upgrade.old, to: upgrade.new, in: transaction)
            }
        }
    }

    /// The first database connection that serves the application.
    package func databaseConnection(for clientID: String) async throws -> Connection? {
        guard let client = try await services.configuration.client(clientID)?.client else { return nil }
        return try await services.configuration.connections().first { $0.isDatabase && $0.serves(client) }
    }

    private func upgradedHash(_ password: String, _ old: String?) async throws -> (old: String, new: String)? {
        guard let old, PasswordHash.needsUpgrade(old) else { return nil }
        return (old, try await services.passwords.hash(password))
    }
}

/// Counting the failures of one identifier from one address.
struct FailedLogins: Sendable {
    let services: Services
    let connection: Connection
    let identifierDigest: String
    let address: String

    init(services: Services, connection: Connection, identifier: String, browser: Browser) {
        (self.services, self.connection, address) = (services, connection, browser.address)
        identifierDigest = Secret("\(connection.name) \(identifier)").digest
    }

    /// Whether the pair may try once more; the try is counted before the password is read.
    func take() async throws -> Bool {
        guard connection.hasBruteForceProtection else { return true }
        let most = try await services.configuration.settings().bruteForceMaximumAttempts
        let (now, digest, address) = (services.now(), identifierDigest, address)
        return try await services.stores.database.write { transaction in
            try FailedLoginStore.takeAttempt(
                identifierDigest: digest, address: address, most: most, at: now, in: transaction)
        }
    }

    func clear(in transaction: any SQLTransaction) throws {
        try FailedLoginStore.clear(identifierDigest: identifierDigest, address: address, in: transaction)
    }
}
