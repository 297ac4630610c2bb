import Foundation
import OAuth
import Storage

/// The browser's side of the device flow, [RFC 8628 §3.3](https://www.rfc-editor.org/rfc/rfc8628#section-3.3): a user
/// types the device's code, confirms it, signs in as for any application, and lets the device in.
///
/// Confirming starts a ``LoginTransaction`` of the browser's own, which ends in ``resume(_:state:browser:)`` instead of an
/// answer to a client. So nobody lets a device in who has not seen its code and the application's name, in this browser.
package struct DeviceActivation: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// A device that waits, as the user is shown it.
    package struct Question: Sendable {
        package let userCode: String
        package let client: Client
        let device: DeviceCode
    }

    /// Why a code leads nowhere.
    package enum Refusal: Error, Sendable {
        /// Not a code, unknown, answered or expired.
        case unknownCode
        /// This address has tried too many that were none.
        case tooManyGuesses
    }

    /// The device that waits for what the user typed.
    /// - Throws: ``Refusal``.
    package func question(_ typed: String, browser: Browser) async throws -> Question {
        let settings = try await services.configuration.settings().deviceFlow
        try await takeGuess(browser.address)
        guard let code = UserCode(typed: typed, settings),
            let device = try await services.stores.deviceCodes.find(
                userCodeDigest: services.secret.digest(of: code), at: services.now()),
            let client = try await services.configuration.client(device.clientID)?.client,
            client.grantTypes.contains(.deviceCode)
        else { throw Refusal.unknownCode }
        try await giveGuessBack(browser.address)
        return Question(userCode: code.text, client: client, device: device)
    }

    /// What the confirmation's form must send back: it is good for this device in this browser.
    package func formToken(_ question: Question, _ browser: Browser) -> String {
        services.secret.formToken(browser, state: "activate \(question.userCode)")
    }

    /// The user has confirmed that the code is the one that the device shows.
    /// - Returns: the `state` of the login transaction that this starts.
    package func confirm(_ question: Question, browser: Browser) async throws -> Secret {
        let (state, now) = (Secret.random(), services.now())
        var login = LoginTransaction(
            digest: state.digest, browserDigest: browser.secret.digest, clientID: question.client.clientID,
            parameters: [:], createdAt: now, expiresAt: question.device.expiresAt)
        login.progress.deviceCodeDigest = question.device.digest
        let started = login
        try await services.stores.database.write { try LoginTransactionStore.insert(started, in: $0) }
        return state
    }

    /// The user does not know the device, or does not want it.
    package func cancel(_ question: Question) async throws {
        let (digest, now) = (question.device.digest, services.now())
        try await services.stores.database.write { try DeviceCodeStore.deny(digest: digest, at: now, in: $0) }
    }

    // MARK: The login transaction

    /// What the pages of a device's login transaction show and ask for.
    /// - Throws: ``AuthorizationFailure`` where the device no longer waits.
    func request(of login: LoginTransaction) async throws -> VerifiedAuthorizationRequest {
        let target = try ResponseTarget.activation(services.issuer)
        let digest = login.progress.deviceCodeDigest ?? ""
        guard let device = try await services.stores.deviceCodes.find(digest: digest, at: services.now()),
            let registered = try await services.configuration.client(device.clientID),
            registered.client.grantTypes.contains(.deviceCode)
        else { throw AuthorizationFailure.redirect(Self.ended, target) }
        let request = try AuthorizationRequest(
            Parameters(trusted: [
                "client_id": device.clientID, "response_type": ResponseType.code.text, "scope": device.scope.text,
                "audience": device.audience ?? services.issuer.userInfoAudience,
            ]))
        return VerifiedAuthorizationRequest(
            VerifiedClient(registered: registered, target: target, sentRedirectURI: nil), request,
            resourceServer: try await RequestedAccess.resourceServer(
                request.audience, resource: nil, services: services),
            expectedSubjects: nil)
    }

    /// Asks what is left to ask, as the authorization endpoint does, and then lets the device in.
    func resume(_ login: LoginTransaction, state: Secret, browser: Browser) async throws -> AuthorizationOutcome {
        let request = try await request(of: login)
        if login.progress.isDenied {
            try await end(login) { try DeviceCodeStore.deny(digest: $0, at: $1, in: $2) }
            throw AuthorizationFailure.redirect(
                .accessDenied("User did not authorize the request"), request.target)
        }
        let session = try await browser.session(services)
        switch try await LoginSteps.next(for: request, session, login.progress, services) {
        case .ask(let page): return .prompt(page, state: state, request.target)
        case .done(let access, let session):
            let approval = DeviceCode.Approval(
                userID: session.userID, scope: access.scope, sid: session.sid,
                authenticatedAt: session.authenticatedAt)
            let participant =
                request.client.logout.isTold ? SessionClient(session, clientID: request.client.clientID) : nil
            let isLetIn = try await end(login) { digest, now, transaction in
                guard try DeviceCodeStore.approve(digest: digest, approval, at: now, in: transaction) else {
                    return false
                }
                if let participant { try SessionClientStore.insert(participant, in: transaction) }
                return true
            }
            guard isLetIn else { throw AuthorizationFailure.redirect(Self.ended, request.target) }
            return .respond(AuthorizationResponse([], to: request.target))
        }
    }

    /// Ends the login transaction with a decision about its device, both or neither.
    @discardableResult
    private func end(
        _ login: LoginTransaction,
        _ decide: @escaping @Sendable (String, Date, any SQLTransaction) throws -> Bool
    ) async throws -> Bool {
        let (digest, now) = (login.progress.deviceCodeDigest ?? "", services.now())
        return try await services.stores.database.write { transaction in
            guard try LoginTransactionStore.delete(digest: login.digest, in: transaction) else {
                throw TransactionNotFound()
            }
            return try decide(digest, now, transaction)
        }
    }

    private static let ended = OAuthError(
        .expiredToken, "Invalid or expired device code.",
        hint: "The device's code has expired or was answered already. Start again on the device.")

    // MARK: Guesses

    /// Wrong codes that an address may try within ``guessWindow``, and no more: of 20^8 that is nothing.
    private static let mostGuesses = 20
    /// Seconds: no code lives longer.
    private static let guessWindow: TimeInterval = 900

    private static func guesses(_ address: String) -> String { "user codes \(address)" }

    /// Counted before the code is looked for, so that guesses that run at once cannot each be the last.
    private func takeGuess(_ address: String) async throws {
        guard
            try await services.stores.rateLimits.refusal(
                Self.guesses(address), most: Self.mostGuesses, window: Self.guessWindow, at: services.now()) == nil
        else { throw Refusal.tooManyGuesses }
    }

    /// One only: whoever knows a right code must not get more guesses at others'.
    private func giveGuessBack(_ address: String) async throws {
        try await services.stores.rateLimits.giveBack(Self.guesses(address))
    }
}
