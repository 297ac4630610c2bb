import Foundation
import Logging
import OAuth
import Storage

/// The authorization endpoint, [RFC 6749 §3.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.1) and OpenID Connect
/// Core §3.1.2.
package struct AuthorizationEndpoint: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// Seconds until a login transaction is forgotten.
    package static let transactionLifetime: TimeInterval = 3600

    /// Answers a new request, or says what the user must be asked first.
    /// - Throws: ``AuthorizationFailure``.
    package func authorize(_ sent: Parameters, browser: Browser) async throws -> AuthorizationOutcome {
        let events = AuthorizationEvents(services: services, sent)
        return try await events.recording { try await authorize(sent, browser, events) }
    }

    private func authorize(
        _ sent: Parameters, _ browser: Browser, _ events: AuthorizationEvents
    ) async throws -> AuthorizationOutcome {
        let (client, parameters) = try await RequestSource(services: services).read(sent)
        let request = try await verify(parameters, of: client)
        events.note(request)
        return try await telling(request.target) {
            let sessionFound = try await browser.session(services)
            if let sessionFound { events.note(sessionFound) }
            var progress = LoginTransaction.Progress()
            switch try await LoginSteps.next(
                for: request, sessionFound, &progress, services, events.trail,
                visit: LoginSteps.Visit(remembered: browser.remembered))
            {
            case .done(let request, let access, let session):
                let response = try await ResponseIssuing(services: services).respond(
                    to: request, access, session, transactionDigest: nil)
                return .respond(keeping(progress.scripts?.cookieMode, session, browser, response))
            case .ask(let page):
                try request.refuseIfSilent(page)
                let (login, state) = try await begin(parameters, request, browser, progress)
                return try await ask(page, login, state: state, request, browser)
            case .leave(let url):
                let (_, state) = try await begin(parameters, request, browser, progress)
                return try Self.leave(to: url, state: state, request)
            }
        }
    }

    /// Goes on with a transaction whose user comes back from where a script had sent them: Auth0's `/continue`.
    /// - Parameter returned: what they bring.
    /// - Throws: ``AuthorizationFailure``, or ``TransactionNotFound``.
    package func proceed(_ returned: Parameters, browser: Browser) async throws -> AuthorizationOutcome {
        try await resume(state: Secret(try returned.require("state")), browser: browser, returned: returned)
    }

    /// Goes on with a transaction after the user has answered a page.
    /// - Throws: ``AuthorizationFailure``, or ``TransactionNotFound``.
    package func resume(
        state: Secret, browser: Browser, returned: Parameters? = nil
    ) async throws -> AuthorizationOutcome {
        guard let login = try await browser.transaction(state, services) else { throw TransactionNotFound() }
        let events = AuthorizationEvents(services: services, login)
        return try await events.recording(isLoggedIn: login.progress.sessionDigest != nil) {
            try await resume(login, state: state, returned, browser, events)
        }
    }

    private func resume(
        _ login: LoginTransaction, state: Secret, _ returned: Parameters?, _ browser: Browser,
        _ events: AuthorizationEvents
    ) async throws -> AuthorizationOutcome {
        let ending = ending(of: login)
        let request = try await ending.request()
        events.note(request)
        return try await telling(request.target) {
            let sessionFound = try await browser.session(services)
            if let sessionFound { events.note(sessionFound) }
            guard !login.progress.isDenied else {
                try await ending.deny()
                throw OAuthError.accessDenied("User did not authorize the request")
            }
            var progress = login.progress
            switch try await LoginSteps.next(
                for: request, sessionFound, &progress, services, events.trail,
                visit: LoginSteps.Visit(state: state, returned: returned, remembered: browser.remembered))
            {
            case .done(let request, let access, let session):
                let response = try await ending.respond(to: request, access, session)
                return .respond(keeping(progress.scripts?.cookieMode, session, browser, response))
            case .ask(let page):
                try await keep(progress, of: login)
                return try await ask(page, login, state: state, request, browser)
            case .leave(let url):
                try await keep(progress, of: login)
                return try Self.leave(to: url, state: state, request)
            }
        }
    }

    /// The response, with the cookie of the session where scripts want the browser to keep it in another way.
    private func keeping(
        _ mode: CookieMode?, _ session: Session, _ browser: Browser, _ response: AuthorizationResponse
    ) -> AuthorizationResponse {
        guard let mode, let secret = browser.session, secret.digest == session.digest else { return response }
        let rest = max(1, Int(session.expiresAt.timeIntervalSince(services.now())))
        var response = response
        response.session = PasswordLogin.NewSession(secret: secret, cookieLifetime: mode == .persistent ? rest : nil)
        return response
    }

    /// Keeps what has become known without a question.
    private func keep(_ progress: LoginTransaction.Progress, of login: LoginTransaction) async throws {
        guard progress != login.progress else { return }
        try await services.keep(of: login) { [progress] present in
            (present.organizationChoice, present.scripts) = (progress.organizationChoice, progress.scripts)
            present.consentSessionDigest = progress.consentSessionDigest
            present.pickerSessionDigest = progress.pickerSessionDigest
            if let asked = progress.factor { present.factor = present.factor?.asking(asked) ?? asked }
        }
    }

    /// Sends the browser to where a script wants it, which sends it back with the `state`.
    private static func leave(
        to url: String, state: Secret, _ request: VerifiedAuthorizationRequest
    ) throws -> AuthorizationOutcome {
        guard let address = RedirectURI(url),
            let uri = RedirectURI(address.adding([(name: "state", value: state.text)]))
        else { throw OAuthError.serverError }
        return .depart(.redirect(uri), request.target)
    }

    /// Shows a page, or sends the browser to a provider where there is nothing to choose or the request's address chooses.
    /// Whoever has signed in and is asked to sign in again sees the page: a provider that knows its user would send them
    /// back at once, for ever.
    private func ask(
        _ page: AuthorizationOutcome.LoginPage, _ login: LoginTransaction, state: Secret,
        _ request: VerifiedAuthorizationRequest, _ browser: Browser
    ) async throws -> AuthorizationOutcome {
        guard [.login, .signup].contains(page), login.progress.sessionDigest == nil,
            let connection = try await LoginConnections.offered(for: request, services).straight(
                for: AccountSelection.expectedAddress(login, request))
        else { return .prompt(page, state: state, request.target) }
        return .depart(
            try await UpstreamLogin(services: services).begin(
                connection, login, of: request.client, state: state, browser: browser),
            request.target)
    }

    /// The request behind a transaction, for the pages.
    package func request(of login: LoginTransaction) async throws -> VerifiedAuthorizationRequest {
        try await ending(of: login).request()
    }

    // MARK: Steps

    private func ending(of login: LoginTransaction) -> any LoginEnding {
        switch login.purpose {
        case .authorization(let sent): ClientAnswer(services: services, login: login, sent: sent)
        case .device(let codeDigest): DeviceAdmission(services: services, login: login, codeDigest: codeDigest)
        }
    }

    /// A request that would be accepted, whoever the user is.
    /// - Parameter progress: what the user has answered so far.
    /// - Throws: ``AuthorizationFailure``.
    func verify(
        _ parameters: Parameters, progress: LoginTransaction.Progress = LoginTransaction.Progress()
    ) async throws -> VerifiedAuthorizationRequest {
        try await verify(parameters, of: ClientVerification(services: services).client(parameters), progress)
    }

    /// A request of `client` that would be accepted, whoever the user is.
    /// - Throws: ``AuthorizationFailure``.
    private func verify(
        _ parameters: Parameters, of client: RegisteredClient,
        _ progress: LoginTransaction.Progress = LoginTransaction.Progress()
    ) async throws -> VerifiedAuthorizationRequest {
        let verified = try await ClientVerification(services: services).verify(parameters, of: client)
        let redirectsMissingType = try await services.configuration.settings().wireDialect.redirectsMissingResponseType
        guard parameters["response_type"] != nil || redirectsMissingType else {
            throw AuthorizationFailure.display(.missingParameter("response_type"), nil)
        }
        return try await telling(verified.target) {
            let request = try AuthorizationRequest(verified.client.completing(parameters))
            try Self.checkGrants(request.responseType, of: verified.client)
            try Self.checkAuthenticationContext(request)
            try verified.client.check(request)
            let organizations = try await RequestedOrganization(request, by: verified.client, progress, services)
            if let name = request.connection {
                try await LoginConnections.check(
                    name, for: verified.client, organization: organizations.organization, services)
            } else {
                try await LoginConnections.checkAny(
                    for: verified.client, organization: organizations.organization, services)
            }
            let api = try await RequestedAccess.resourceServer(
                request.audience, resource: request.resource, services: services)
            try verified.client.refuseUnboundTokens(request.responseType, for: api?.resourceServer)
            return VerifiedAuthorizationRequest(
                verified, request, resourceServer: api,
                expectedSubjects: try await expectedSubjects(request, verified.client), organizations: organizations)
        }
    }

    /// A login here reaches one named authentication context, that of a second factor; a client that insists on another one is told
    /// at once (OpenID Connect Core §5.5.1.1).
    private static func checkAuthenticationContext(_ request: AuthorizationRequest) throws(OAuthError) {
        guard let demand = request.claims?.idToken["acr"], demand.isEssential, !demand.values.isEmpty,
            !demand.values.contains(.string(SecondFactors.context))
        else { return }
        throw OAuthError(
            .unmetAuthenticationRequirements, "None of the required authentication contexts (acr) can be met",
            hint: "Ask for acr as a voluntary claim, or with acr_values, and look at what the ID token says.")
    }

    /// Whom `id_token_hint` and a `sub` among the claims name (OpenID Connect Core §3.1.2.1, §5.5.1).
    private func expectedSubjects(_ request: AuthorizationRequest, _ client: Client) async throws -> Set<String>? {
        var expected: Set<String>?
        if let demand = request.claims?.idToken["sub"], !demand.values.isEmpty {
            let subjects = services.secret.subjects
            expected = Set(demand.values.compactMap(\.string).compactMap { subjects.userID(of: $0, for: client) })
        }
        guard let text = request.idTokenHint else { return expected }
        guard let hint = try await IDTokenHint(text, services: services), hint.mayBeShown(by: client) else {
            throw OAuthError.invalidRequest(
                "id_token_hint is not an ID token of this issuer",
                hint: "Send an ID token as it was issued here; it may have expired. An access token is none.")
        }
        return expected.map { $0.intersection([hint.subject]) } ?? [hint.subject]
    }

    private static func checkGrants(_ type: ResponseType, of client: Client) throws(OAuthError) {
        if let missing = type.grantTypes.subtracting(client.grantTypes).map(\.rawValue).min() {
            throw OAuthError(
                .unauthorizedClient, "Grant type '\(missing)' not allowed for the client.",
                hint: "Add '\(missing)' to the application's grant types (grant_types).")
        }
    }

    /// Runs `body`, whose refusals the client is told.
    private func telling<T>(_ target: ResponseTarget, _ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let error as OAuthError {
            throw AuthorizationFailure.redirect(error, target)
        } catch let error as AuthorizationFailure {
            throw error
        } catch let error as SQLError {
            throw error
        } catch let error as TransactionNotFound {
            throw error
        } catch {
            services.logger.error("authorization request failed", metadata: ["cause": "\(error)"])
            throw AuthorizationFailure.redirect(.serverError, target)
        }
    }

    /// Begins the login of a request that a provider's user has brought about.
    /// - Throws: ``AuthorizationFailure`` where it is none that would be accepted.
    func begin(
        _ parameters: Parameters, browser: Browser
    ) async throws -> (LoginTransaction, state: Secret, VerifiedAuthorizationRequest) {
        let request = try await verify(parameters)
        let (login, state) = try await begin(parameters, request, browser, LoginTransaction.Progress())
        return (login, state, request)
    }

    /// Starts the transaction of a request whose user has to be asked something, in this browser.
    func begin(
        _ parameters: Parameters, _ request: VerifiedAuthorizationRequest, _ browser: Browser,
        _ progress: LoginTransaction.Progress = LoginTransaction.Progress()
    ) async throws -> (LoginTransaction, state: Secret) {
        let state = LostLogin.state(for: request.client.clientID)
        let now = services.now()
        var login = LoginTransaction(
            digest: state.digest, browserDigest: browser.secret.digest, clientID: request.client.clientID,
            purpose: .authorization(parameters), createdAt: now,
            expiresAt: now.addingTimeInterval(Self.transactionLifetime))
        login.progress = progress
        let begun = login
        try await services.stores.database.write { try LoginTransactionStore.insert(begun, in: $0) }
        return (begun, state)
    }
}

/// No such transaction in this browser: it ended, its hour passed, or it belongs to another browser.
package struct TransactionNotFound: Error, Sendable { package init() {} }
