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
            guard let connection = try await databaseConnection(for: login) else { throw Refusal.noConnection }
            let proof = try await PasswordCheck(services: services).check(
                sent, password: password, connection: connection, address: browser.address, trail: trail)
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

    /// The first database connection that serves the application, and the organization that the login is for, with what
    /// that allows.
    package func databaseConnection(for login: LoginTransaction) async throws -> Connection? {
        do {
            return try await AuthorizationEndpoint(services: services).request(of: login).databaseConnection(services)
        } catch is AuthorizationFailure {
            return nil
        }
    }
}

extension VerifiedAuthorizationRequest {
    /// The first database connection that serves the application, and the organization that the login is for, with what
    /// that allows.
    package func databaseConnection(_ services: Services) async throws -> Connection? {
        let connections = try await services.configuration.connections().filter { $0.isDatabase && $0.serves(client) }
        guard let organization else { return connections.first }
        return connections.first(where: organization.offers).map(organization.offered)
    }
}
