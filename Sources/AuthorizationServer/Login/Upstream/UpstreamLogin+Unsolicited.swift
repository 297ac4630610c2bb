import OAuth
import Storage

extension UpstreamLogin {
    /// Takes an answer that no request of this server's asked for, where its connection does so: a login that begins at the
    /// provider, from a list of applications there.
    ///
    /// Nothing binds it to the browser that brings it: whoever has an answer about themselves can let somebody else's browser
    /// bring it, and that one is signed in as them. So a connection takes none unless its settings say so.
    /// - Throws: ``TransactionNotFound`` where the connection takes none, ``OAuthError`` for an answer that proves nothing, and
    ///   ``AuthorizationFailure`` for the application.
    func finishUnsolicited(_ sent: Parameters, _ browser: Browser) async throws -> Return {
        guard let name = sent["connection"],
            let connection = try await services.configuration.connections().first(where: { $0.name == name }),
            services.strategies[connection.strategy]?.manner == .redirect,
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
        // Only what is proved begins anything.
        let parameters = Parameters(
            trusted: unsolicited.parameters.merging(["client_id": unsolicited.clientID, "connection": name]) { $1 })
        let (login, state, request) = try await AuthorizationEndpoint(services: services).begin(
            parameters, browser: browser)
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
}
