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
        /// Too many failures from this address, whoever they pretended to be.
        case suspiciousAddress
        /// Too many logins of this identifier from this address in a short time, right or wrong.
        case tooManyLogins
        /// The password is right, and others have lost it.
        case breachedPassword
        case userIsBlocked
        case noConnection
        /// Only the old tenant knows the password, and it does not say.
        case cannotVerify(ImportDoubt)
        /// The directory, or the custom database, that knows the password does not say.
        case directoryFails(String)

        /// For the log, which may know more than the page says.
        var explanation: String {
            switch self {
            case .wrongCredentials: "Wrong email or password."
            case .blocked: "Your account has been blocked after multiple consecutive login attempts."
            case .suspiciousAddress: "Too many failed logins from this address."
            case .tooManyLogins: "Too many logins of this user from this address."
            case .breachedPassword: "The password is known from a data breach."
            case .userIsBlocked: "user is blocked"
            case .noConnection: "No database connection serves the application."
            case .cannotVerify(let doubt): doubt.explanation
            case .directoryFails(let reason): reason
            }
        }
    }

    /// A session that begins: the cookie's secret, and what the cookie needs.
    package struct NewSession: Sendable {
        package let secret: Secret
        /// Nil for a cookie that ends with the browser.
        package let cookieLifetime: Int?
    }

    /// - Throws: ``Refusal``, ``PasswordHasher/Busy``, ``TransactionNotFound`` where another tab ended it meanwhile, or
    ///   ``OAuthError`` where a script has to run.
    package func logIn(
        identifier sent: String, password: String, login: LoginTransaction, browser: Browser
    ) async throws -> NewSession {
        let trail = LogTrail()
        trail.note(login)
        do {
            let connections = try await connections(for: login)
            let connection = connections?.formConnection(for: sent)
            guard let connection else { throw Refusal.noConnection }
            guard connection.isDatabase else {
                return try await DirectoryCheck(services: services).signIn(
                    sent, password: password, connection: connection, login: login, browser: browser, trail: trail)
            }
            let proof = try await PasswordCheck(services: services).check(
                sent, password: password, connection: connection, address: browser.address,
                organization: connections?.organization?.organization, trail: trail)
            let session = try await SessionStart(services: services).begin(
                proof.user, connection: connection, login: login, browser: browser
            ) { try proof.write(in: $0) }
            services.log(.login, trail, description: "Signed in with a password")
            return session
        } catch let refusal as Refusal {
            services.log(trail.facts.failure ?? .failedLogin, trail, description: refusal.explanation)
            throw refusal
        } catch let refusal as OAuthError {
            services.log(.failedLogin, trail, failure: refusal)
            throw refusal
        }
    }

    /// The database connection that serves the application, and the organization that the login is for, with what that
    /// allows.
    package func databaseConnection(for login: LoginTransaction) async throws -> Connection? {
        try await connections(for: login)?.database
    }

    /// How somebody may sign in; nil where the application or the organization has gone.
    package func connections(for login: LoginTransaction) async throws -> LoginConnections? {
        do {
            let request = try await AuthorizationEndpoint(services: services).request(of: login)
            return try await .offered(for: request, services)
        } catch is AuthorizationFailure {
            return nil
        }
    }
}

extension VerifiedAuthorizationRequest {
    /// The database connection that serves the application, and the organization that the login is for, with what that
    /// allows.
    package func databaseConnection(_ services: Services) async throws -> Connection? {
        try await LoginConnections.offered(for: self, services).database
    }
}
