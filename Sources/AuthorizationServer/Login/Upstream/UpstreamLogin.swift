import Foundation
import Logging
import OAuth
import Storage

/// Signing in at somebody else's: the way to a connection's provider, and back by `/login/callback`.
///
/// What comes back is good for the browser that was sent, the connection that it was sent by and the login that waits, once
/// and for a while. So nobody signs somebody else in with their own account (login CSRF), passes one provider's answer off as
/// another's (mix-up), or uses an answer twice.
package struct UpstreamLogin: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// Seconds that somebody may take at the provider.
    static let lifetime: TimeInterval = 1800
    /// Where providers send browsers back to, as Auth0's address is called.
    package static let callbackPath = "login/callback"

    /// A login that has come back.
    package struct Return: Sendable {
        /// The login that goes on.
        package let state: Secret
        package let session: PasswordLogin.NewSession
        package let request: VerifiedAuthorizationRequest
    }

    /// What is remembered of a login that is under way.
    private struct Memory: Codable {
        let state: String
        let strategy: JSONObject
    }

    // MARK: The way there

    /// Where the browser goes to sign in with a connection.
    /// - Parameter state: the login's, which goes on at the return.
    /// - Parameter identifier: the address of the user, where that is known.
    /// - Throws: ``OAuthError`` for the application, where the provider cannot be asked.
    package func begin(
        _ connection: Connection, _ login: LoginTransaction, state: Secret, browser: Browser, identifier: String? = nil
    ) async throws -> UpstreamDeparture.Destination {
        do {
            guard case .redirect(let strategy) = try await services.login(with: connection) else {
                throw Self.notRedirecting(connection)
            }
            let upstream = Secret.random()
            let departure = try await strategy.begin(
                UpstreamStart(
                    connection: connection, state: upstream, callbackURL: services.issuer.url(Self.callbackPath),
                    parameters: Self.parameters(login), identifier: identifier), services)
            try await remember(departure.memory, connection, state: state, upstream, browser)
            return departure.destination
        } catch let failure as UpstreamFailure {
            throw refused(failure, connection)
        }
    }

    /// As ``begin(_:_:state:browser:)``, for a user who has chosen the connection on a page.
    /// - Parameter identifier: the address that the user has written there.
    /// - Throws: ``AuthorizationFailure`` for the application.
    package func choose(
        _ connection: Connection, _ login: LoginTransaction, state: Secret, identifier: String? = nil,
        _ request: VerifiedAuthorizationRequest, browser: Browser
    ) async throws -> UpstreamDeparture.Destination {
        do {
            return try await begin(connection, login, state: state, browser: browser, identifier: identifier)
        } catch let error as OAuthError {
            let trail = LogTrail()
            trail.note(request)
            trail.note { $0.connection = connection.name }
            services.log(.failedLogin, trail, failure: error)
            throw AuthorizationFailure.redirect(error, request.target)
        }
    }

    private func remember(
        _ memory: JSONObject, _ connection: Connection, state: Secret, _ upstream: Secret, _ browser: Browser
    ) async throws {
        let now = services.now()
        let sealed = try services.secret.box.seal(JSON.text(Memory(state: state.text, strategy: memory)))
        let transaction = UpstreamTransaction(
            digest: upstream.digest, browserDigest: browser.secret.digest, connectionID: connection.id,
            sealedMemory: sealed, createdAt: now, expiresAt: now.addingTimeInterval(Self.lifetime))
        try await services.stores.database.write { try UpstreamTransactionStore.insert(transaction, in: $0) }
    }

    private static func parameters(_ login: LoginTransaction) -> Parameters {
        guard case .authorization(let sent) = login.purpose else { return Parameters(trusted: [:]) }
        return sent
    }

    // MARK: The way back

    /// Takes what a browser brings back from a provider, and begins the user's session.
    /// - Throws: ``TransactionNotFound`` where this browser was sent to no provider with this `state`, or has come back
    ///   already; ``AuthorizationFailure`` for the application.
    package func finish(_ sent: Parameters, browser: Browser) async throws -> Return {
        guard let text = sent["state"] ?? sent["RelayState"] else { throw OAuthError.missingParameter("state") }
        let (digest, now) = (Secret(text).digest, services.now())
        let taken = try await services.stores.database.write { transaction in
            try UpstreamTransactionStore.take(
                digest: digest, browserDigest: browser.secret.digest, at: now, in: transaction)
        }
        guard let taken else { throw TransactionNotFound() }
        let memory = try JSON.decode(Memory.self, from: services.secret.box.open(taken.sealedMemory))
        let state = Secret(memory.state)
        guard let login = try await browser.transaction(state, services) else { throw TransactionNotFound() }
        let request = try await AuthorizationEndpoint(services: services).request(of: login)
        do {
            let connection = try await offered(taken.connectionID, for: request)
            let session = try await finish(sent, memory.strategy, connection, login, browser)
            return Return(state: state, session: session, request: request)
        } catch let error as OAuthError {
            throw AuthorizationFailure.redirect(error, request.target)
        }
    }

    private func finish(
        _ sent: Parameters, _ memory: JSONObject, _ connection: Connection, _ login: LoginTransaction,
        _ browser: Browser
    ) async throws -> PasswordLogin.NewSession {
        let trail = LogTrail()
        trail.note(login)
        trail.note { $0.connection = connection.name }
        do {
            guard case .redirect(let strategy) = try await services.login(with: connection) else {
                throw Self.notRedirecting(connection)
            }
            // Addresses of the callback that name a connection are good for that one alone.
            if let named = sent["connection"], named != connection.name {
                throw UpstreamFailure.untrusted(cause: "The answer is for the connection \(named.forDisplay)")
            }
            let profile = try await strategy.finish(
                UpstreamArrival(
                    connection: connection, parameters: sent, memory: memory,
                    callbackURL: services.issuer.url(Self.callbackPath), requested: Self.parameters(login)), services)
            return try await UpstreamUsers(services: services).signIn(
                profile, connection: connection, login: login, browser: browser, trail: trail)
        } catch let failure as UpstreamFailure {
            services.log(.failedLogin, trail, description: failure.explanation)
            throw refused(failure, connection)
        } catch let refusal as OAuthError {
            services.log(.failedLogin, trail, failure: refusal)
            throw refusal
        }
    }

    /// The connection, where the application's users may still come from it.
    private func offered(_ id: String, for request: VerifiedAuthorizationRequest) async throws -> Connection {
        let connections = try await LoginConnections.offered(for: request, services)
        guard let connection = connections.redirecting.first(where: { $0.id == id }) else {
            throw LoginConnections.notEnabled
        }
        return connection
    }

    // MARK: Failures

    private func refused(_ failure: UpstreamFailure, _ connection: Connection) -> OAuthError {
        services.logger.warning(
            "upstream login failed",
            metadata: ["connection": "\(connection.name)", "why": "\(failure.explanation)"])
        return failure.told(connection.title)
    }

    private static func notRedirecting(_ connection: Connection) -> UpstreamFailure {
        .misconfigured(
            cause: "The strategy \(connection.strategy) sends nobody to a provider",
            mend: "Use the connection's form on the sign-in page")
    }
}

extension Connection {
    /// What pages and messages call the connection.
    package var title: String { displayName ?? name }
}

extension Services {
    /// A connection with its options and secrets read.
    /// - Throws: ``UpstreamFailure`` ``UpstreamFailure/misconfigured(cause:mend:)``.
    func login(with connection: Connection) async throws -> ConnectionLogin {
        guard let strategy = strategies[connection.strategy] else {
            throw UpstreamFailure.misconfigured(
                cause: "This version cannot sign in with the strategy \(connection.strategy)",
                mend: "Disable the connection for the application")
        }
        let sealed = try await stores.connections.sealedSecrets(of: connection.name)
        let secrets = try sealed.map { try JSON.decode(JSONObject.self, from: secret.box.open($0)) } ?? [:]
        do throws(Document.Problem) {
            return try ConnectionStrategies.login(strategy, connection, secrets: secrets, path: connection.name)
        } catch {
            throw UpstreamFailure.misconfigured(
                cause: error.description, mend: "Correct the connection's options")
        }
    }
}
