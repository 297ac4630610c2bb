import OAuth
import Storage

/// The `end_session_endpoint` of OpenID Connect RP-Initiated Logout 1.0, at Auth0's `/oidc/logout`.
package struct EndSessionEndpoint: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// What a logout request comes to.
    package enum Outcome: Sendable {
        case ended(LogoutOutcome)
        /// Nothing proves that the session's application or its user wants this: the user is asked.
        case ask(Question)
    }

    /// What the confirmation page shows, and sends back with the user's answer.
    package struct Question: Sendable {
        /// Nil where the request names no application.
        package let client: Client?
        /// The request without its hints, which have been looked at.
        package let parameters: [(name: String, value: String)]
        package let redirectURI: RedirectURI?
    }

    /// Ends the browser's session, or says that its user must be asked first.
    /// - Throws: ``OAuthError`` or ``AuthorizationFailure/display(_:_:)`` for a request with something wrong in it;
    ///   nothing has ended then.
    package func endSession(_ parameters: Parameters, browser: Browser) async throws -> Outcome {
        let request = try await verified(parameters)
        let session = try await browser.session(services)
        let isProved = session.map(request.proves) ?? false
        guard session != nil, !isProved, try await services.configuration.settings().logout.asksBeforeLogout else {
            return .ended(try await end(request, browser, isWanted: isProved))
        }
        return .ask(request.question)
    }

    /// Ends the session of a user who has said so on the confirmation page.
    /// - Throws: as ``endSession(_:browser:)``.
    package func confirm(_ parameters: Parameters, browser: Browser) async throws -> LogoutOutcome {
        try await end(verified(parameters), browser, isWanted: true)
    }

    /// - Parameter isWanted: whether the session itself, or its user, has shown that the application is the right one.
    private func end(
        _ request: LogoutRequest, _ browser: Browser, isWanted: Bool
    ) async throws -> LogoutOutcome {
        let (session, frames) = try await SessionEnd(services: services).logOut(browser)
        let trail = LogTrail()
        trail.note { $0.clientID = request.client?.clientID }
        services.logLogout(session, trail)
        let outcome = LogoutOutcome(
            redirectURI: request.redirectURI, goesOn: isWanted || request.client?.isFirstParty ?? true,
            state: request.state, frames: frames, applicationName: request.client?.name)
        guard request.isFederated, request.client?.isFirstParty ?? true else { return outcome }
        return try await FederatedLogout(services: services).leading(
            outcome, from: session, isVouchedFor: isWanted || request.client?.isFirstParty ?? false)
    }

    private func verified(_ parameters: Parameters) async throws -> LogoutRequest {
        do {
            return try await verify(parameters)
        } catch {
            let trail = LogTrail()
            trail.note { $0.clientID = parameters["client_id"] }
            services.log(.failedLogout, trail, failure: error)
            throw error
        }
    }

    private func verify(_ parameters: Parameters) async throws -> LogoutRequest {
        let hint = try await hint(parameters["id_token_hint"])
        let clientID = parameters["client_id"]
        if let clientID, let hint, hint.client.clientID != clientID {
            throw OAuthError.invalidRequest(
                "client_id is not the audience of id_token_hint",
                hint: "The ID token was issued to '\(hint.client.clientID)'. Send that client_id, or leave it out.")
        }
        var client = hint?.client
        if client == nil { client = try await LogoutRedirect.client(clientID, services) }
        return LogoutRequest(
            client: client, hint: hint, logoutHint: parameters["logout_hint"],
            redirectURI: try await redirectURI(parameters["post_logout_redirect_uri"], client),
            state: parameters["state"], uiLocales: parameters["ui_locales"],
            isFederated: parameters["federated"] != nil)
    }

    private func hint(_ token: String?) async throws -> IDTokenHint? {
        guard let token else { return nil }
        guard let hint = try await IDTokenHint(token, services: services) else {
            throw OAuthError.invalidRequest(
                "Invalid id_token_hint",
                hint:
                    "It must be an ID token that \(services.issuer.text) has issued to an application that still exists, "
                    + "unchanged; it may have expired. Leave it out where there is none.")
        }
        return hint
    }

    /// Compared whole, with its query (RP-Initiated Logout 1.0 §3).
    private func redirectURI(_ sent: String?, _ client: Client?) async throws -> RedirectURI? {
        guard let sent else { return nil }
        let redirect = try await LogoutRedirect(client, services)
        guard let uri = RedirectURI(sent), uri.text == sent, redirect.allowed.contains(where: { $0.matches(uri) })
        else {
            throw redirect.refused(sent, parameter: "post_logout_redirect_uri")
        }
        return uri
    }
}

/// A logout request whose tokens are ours and whose addresses are allowed.
private struct LogoutRequest: Sendable {
    let client: Client?
    let hint: IDTokenHint?
    let logoutHint: String?
    let redirectURI: RedirectURI?
    let state: String?
    let uiLocales: String?
    /// Whether the user logs out at the provider too.
    let isFederated: Bool

    /// Whether whoever sends this was given something by this very session: its ID token, or its `sid`. Another session's
    /// is no proof, or anybody could log everybody out with a token of their own; nor is one of no session, which a client
    /// whose tokens have HS256 can sign itself.
    func proves(_ session: Session) -> Bool { (hint.map(\.sid) ?? logoutHint) == session.sid }

    var question: EndSessionEndpoint.Question {
        let sent: [(String, String?)] = [
            ("client_id", client?.clientID), ("post_logout_redirect_uri", redirectURI?.text), ("state", state),
            ("ui_locales", uiLocales), ("federated", isFederated ? "true" : nil),
        ]
        return EndSessionEndpoint.Question(
            client: client, parameters: sent.compactMap { name, value in value.map { (name: name, value: $0) } },
            redirectURI: redirectURI)
    }
}
