import Foundation
import Logging
import OAuth
import Storage

/// Signing in at somebody else's: the way to a connection's provider, and back by `/login/callback`.
///
/// What comes back is good for the browser that was sent, the connection that it was sent by and the login that waits, once
/// and for a while. So nobody signs somebody else in with their own account (login CSRF), or uses an answer twice.
///
/// All providers answer at one address, but those of connections with one of their own (``Connection/hasOwnCallback``). One
/// provider's answer is not taken for another's (mix-up) where it says whose it is: by `iss` (RFC 9207), by an ID token that
/// comes with the browser, by an assertion, or by the connection in the address. A bare `code` does not say it: a provider that
/// an attacker runs can send a browser on to another one with the `state` that it was given, and is then shown that one's code.
package struct UpstreamLogin: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// Seconds that somebody may take at the provider.
    static let lifetime: TimeInterval = 1800
    /// Seconds that the provider's clock may differ from this one.
    private static let leeway: TimeInterval = 60
    /// Where providers send browsers back to, as Auth0's address is called.
    package static let callbackPath = "login/callback"

    /// A login that has come back.
    package struct Return: Sendable {
        /// The login that goes on.
        package let state: Secret
        /// nil where the user has yet to be sent to the provider.
        package let session: PasswordLogin.NewSession?
        package let request: VerifiedAuthorizationRequest
    }

    /// What is remembered of a login that is under way.
    private struct Memory: Codable {
        let state: String
        let strategy: JSONObject
    }

    /// What the provider of a connection is told about this server (`/samlp/metadata`).
    /// - Returns: nil where there is no such connection, or its protocol has nothing of the kind.
    package func metadata(connection name: String) async throws -> String? {
        guard let connection = try await services.configuration.connections().first(where: { $0.name == name }),
            !connection.isDatabase, services.strategies[connection.strategy] != nil,
            case .redirect(let strategy) = try await services.login(with: connection)
        else { return nil }
        return try await strategy.metadata(services.issuer.url(Self.callbackPath), services)
    }

    // MARK: The way there

    /// Where the browser goes to sign in with a connection.
    /// - Parameter client: the login's application.
    /// - Parameter state: the login's, which goes on at the return.
    /// - Parameter identifier: the address of the user, where that is known.
    /// - Throws: ``OAuthError`` for the application, where the provider cannot be asked.
    package func begin(
        _ connection: Connection, _ login: LoginTransaction, of client: Client, state: Secret, browser: Browser,
        identifier: String? = nil
    ) async throws -> UpstreamDeparture.Destination {
        do {
            guard case .redirect(let strategy) = try await services.login(with: connection) else {
                throw Self.notRedirecting(connection)
            }
            let upstream = Secret.random()
            let departure = try await strategy.begin(
                UpstreamStart(
                    connection: connection, state: upstream, callbackURL: callbackURL(connection),
                    parameters: Self.parameters(login, client), identifier: identifier), services)
            try await remember(departure.memory, connection, state: state, upstream, browser)
            return departure.destination
        } catch let failure as UpstreamFailure {
            throw refused(failure, connection)
        }
    }

    /// As ``begin(_:_:of:state:browser:identifier:)``, for a user who has chosen the connection on a page.
    /// - Parameter identifier: the address that the user has written there.
    /// - Throws: ``AuthorizationFailure`` for the application.
    package func choose(
        _ connection: Connection, _ login: LoginTransaction, state: Secret, identifier: String? = nil,
        _ request: VerifiedAuthorizationRequest, browser: Browser
    ) async throws -> UpstreamDeparture.Destination {
        do {
            return try await begin(
                connection, login, of: request.client, state: state, browser: browser, identifier: identifier)
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

    /// With what the client has registered for all its requests: its `default_max_age` is the provider's business too.
    private static func parameters(_ login: LoginTransaction, _ client: Client) -> Parameters {
        guard case .authorization(let sent) = login.purpose else { return Parameters(trusted: [:]) }
        return client.completing(sent)
    }

    // MARK: The way back

    /// Takes what a browser brings back from a provider, or from one whose users begin there, and begins the user's session.
    /// - Parameters:
    ///   - named: the connection in the address that the browser came back to; nil where it names none.
    ///   - isPosted: whether a form brings it. What nobody asked for is not taken from addresses, which anything on any page
    ///     can have a browser open (SAML Profiles §4.1.3.5).
    /// - Throws: ``TransactionNotFound`` where this browser was sent to no provider with this `state`, or has come back
    ///   already; ``AuthorizationFailure`` for the application.
    package func finish(
        _ sent: Parameters, at named: String? = nil, isPosted: Bool, browser: Browser
    ) async throws -> Return {
        guard let text = sent["state"] ?? sent["RelayState"] else {
            guard isPosted, sent["SAMLResponse"] != nil else { throw OAuthError.missingParameter("state") }
            return try await finishUnsolicited(sent, browser)
        }
        let (digest, now) = (Secret(text).digest, services.now())
        let taken = try await services.stores.database.write { transaction in
            try UpstreamTransactionStore.take(
                digest: digest, browserDigest: browser.secret.digest, at: now, in: transaction)
        }
        guard let taken else {
            guard isPosted else { throw TransactionNotFound() }
            return try await finishUnsolicited(sent, browser)
        }
        let memory = try JSON.decode(Memory.self, from: services.secret.box.open(taken.sealedMemory))
        let state = Secret(memory.state)
        guard let login = try await browser.transaction(state, services) else { throw TransactionNotFound() }
        let request = try await AuthorizationEndpoint(services: services).request(of: login)
        do {
            let connection = try await offered(taken.connectionID, for: request)
            let arrival = UpstreamArrival(
                connection: connection, parameters: sent, memory: memory.strategy,
                callbackURL: callbackURL(connection),
                requested: Self.parameters(login, request.client))
            let earliest = Self.earliestLogin(for: request.request, departedAt: taken.createdAt, now)
            let session = try await finish(arrival, at: named, earliest, login, browser)
            return Return(state: state, session: session, request: request)
        } catch let error as OAuthError {
            throw AuthorizationFailure.redirect(error, request.target)
        }
    }

    /// When the user must have signed in at the provider, at the earliest (OpenID Connect Core §3.1.2.1); nil where the
    /// request does not ask for that.
    static func earliestLogin(
        for request: AuthorizationRequest, departedAt: Date, _ now: Date
    ) -> Date? {
        let anew = request.prompt.contains(.login) || request.maxAge == 0 ? departedAt : nil
        let recent = request.maxAge.flatMap { $0 > 0 ? now.addingTimeInterval(-Double($0)) : nil }
        return [anew, recent].compactMap(\.self).max()?.addingTimeInterval(-leeway)
    }

    private func finish(
        _ arrival: UpstreamArrival, at named: String?, _ earliest: Date?, _ login: LoginTransaction, _ browser: Browser
    ) async throws -> PasswordLogin.NewSession {
        let (connection, trail) = (arrival.connection, LogTrail())
        trail.note(login)
        trail.note { $0.connection = connection.name }
        do {
            guard case .redirect(let strategy) = try await services.login(with: connection) else {
                throw Self.notRedirecting(connection)
            }
            try Self.checkAddress(of: arrival, at: named)
            let profile = try await strategy.finish(arrival, services)
            // Refused, and not asked again: a provider that overlooks the wish once would do so for ever.
            if let earliest, let time = profile.authenticatedAt, time < earliest {
                throw UpstreamFailure.untrusted(
                    cause: "The provider did not sign the user in anew, as max_age or prompt=login demands")
            }
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

    func callbackURL(_ connection: Connection) -> String {
        services.issuer.url(
            connection.hasOwnCallback ? "\(Self.callbackPath)/\(connection.name)" : Self.callbackPath)
    }

    /// Addresses of the callback that name a connection are good for that one alone, and a connection with an address of its own
    /// has no other ([RFC 9700 §4.4.2.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.4.2.2)).
    private static func checkAddress(of arrival: UpstreamArrival, at named: String?) throws(UpstreamFailure) {
        let name = arrival.connection.name
        for named in [named, arrival.parameters["connection"]].compactMap(\.self) where named != name {
            throw .untrusted(cause: "The answer is for the connection \(named.forDisplay)")
        }
        guard named != nil || !arrival.connection.hasOwnCallback else {
            throw .untrusted(cause: "The answer was sent to another address than the connection's")
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

    func refused(_ failure: UpstreamFailure, _ connection: Connection) -> OAuthError {
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

    /// The member of `options` behind ``hasOwnCallback``.
    package static let ownCallbackOption = "portico_own_callback"
    /// Whether its provider sends browsers back to `/login/callback/NAME`.
    package var hasOwnCallback: Bool { options[Self.ownCallbackOption]?.bool == true }
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
