import OAuth
import Storage

extension UpstreamLogin {
    /// Takes an answer that no request of this server's asked for, where its connection does so: a login that begins at the
    /// provider, from a list of applications there.
    ///
    /// Nothing binds it to the browser that brings it: whoever has an answer about themselves can let somebody else's browser
    /// bring it, and that one is signed in as them. So a connection takes none unless its settings say so, and nobody's session
    /// is replaced by somebody else's.
    /// - Returns: no session where the application wants a newer proof than the answer is; the provider is asked for it then.
    /// - Throws: ``TransactionNotFound`` where the connection takes none, ``OAuthError`` for an answer that proves nothing or is
    ///   about another user than the one who is signed in, and ``AuthorizationFailure`` for the application.
    func finishUnsolicited(_ sent: Parameters, _ browser: Browser) async throws -> Return {
        guard let name = sent["connection"],
            let connection = try await services.configuration.connections().first(where: { $0.name == name }),
            services.strategies[connection.strategy]?.takesUnsolicited(connection) == true,
            case .redirect(let strategy)? = try? await services.login(with: connection),
            let unsolicited = strategy.unsolicited
        else { throw TransactionNotFound() }
        let trail = LogTrail()
        trail.note { ($0.connection, $0.clientID) = (connection.name, unsolicited.clientID) }
        let arrival = UpstreamArrival(
            connection: connection, parameters: sent, memory: [:], callbackURL: callbackURL(connection),
            requested: Parameters(trusted: [:]), isUnsolicited: true)
        let profile: UpstreamProfile
        do throws(UpstreamFailure) {
            profile = try await strategy.finish(arrival, services)
        } catch {
            services.log(.failedLogin, trail, description: error.explanation)
            throw refused(error, connection)
        }
        try await refuseAnother(than: profile, connection, browser, trail)
        // Only what is proved begins anything.
        let parameters = Parameters(
            trusted: unsolicited.parameters.merging(["client_id": unsolicited.clientID, "connection": name]) { $1 })
        let (login, state, request) = try await AuthorizationEndpoint(services: services).begin(
            parameters, browser: browser)
        // The provider was not told what the application wants, so it is asked now, and an answer without a time is not enough.
        let now = services.now()
        if let earliest = Self.earliestLogin(for: request.request, departedAt: now, now),
            profile.authenticatedAt.map({ $0 < earliest }) ?? true
        {
            return Return(state: state, session: nil, request: request)
        }
        do {
            let session = try await UpstreamUsers(services: services).signIn(
                profile, connection: connection, login: login, browser: browser, trail: trail)
            return Return(state: state, session: session, request: request)
        } catch let failure as UpstreamFailure {
            services.log(.failedLogin, trail, description: failure.explanation)
            throw AuthorizationFailure.redirect(refused(failure, connection), request.target)
        } catch let error as OAuthError {
            services.log(.failedLogin, trail, failure: error)
            throw AuthorizationFailure.redirect(error, request.target)
        }
    }
    /// - Throws: ``OAuthError`` where the browser has the session of another user than the profile's.
    private func refuseAnother(
        than profile: UpstreamProfile, _ connection: Connection, _ browser: Browser, _ trail: LogTrail
    ) async throws {
        guard let session = try await browser.session(services) else { return }
        do {
            let id = try UpstreamUsers.userID(profile.id, connection, services.strategies)
            let found = try await services.stores.database.read { try UserStore.upstreamAccount(id, in: $0) }
            guard session.userID != found?.user.id ?? id else { return }
        } catch let failure as UpstreamFailure {
            services.log(.failedLogin, trail, description: failure.explanation)
            throw refused(failure, connection)
        }
        let refusal = OAuthError.accessDenied(
            "Somebody else is signed in in this browser. To sign in with \(connection.title.forDisplay), log out first, "
                + "and begin again.")
        services.log(.failedLogin, trail, failure: refusal)
        throw refusal
    }
}
