import OAuth
import Storage

/// Auth0's `/v2/logout`: ends the browser's session and sends it where the application or the tenant allows.
package struct LogoutEndpoint: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// - Throws: ``AuthorizationFailure/display(_:_:)`` where `returnTo` is not allowed; the session has ended all the
    ///   same, because whoever asked for that wants it.
    package func logOut(_ parameters: Parameters, browser: Browser) async throws -> LogoutOutcome {
        let (session, frames) = try await SessionEnd(services: services).logOut(browser)
        let trail = LogTrail()
        trail.note { $0.clientID = parameters["client_id"] }
        services.logLogout(session, trail)
        do {
            let client = try await LogoutRedirect.client(parameters["client_id"], services)
            let outcome = LogoutOutcome(
                redirectURI: try await redirectURI(parameters["returnTo"], client),
                goesOn: client?.isFirstParty ?? true, state: nil, frames: frames, applicationName: client?.name)
            guard parameters["federated"] != nil else { return outcome }
            return try await FederatedLogout(services: services).leading(
                outcome, from: session, isVouchedFor: client?.isFirstParty ?? false)
        } catch {
            services.log(.failedLogout, trail, failure: error)
            throw error
        }
    }

    private func redirectURI(_ returnTo: String?, _ client: Client?) async throws -> RedirectURI? {
        let redirect = try await LogoutRedirect(client, services)
        guard let returnTo else {
            return redirect.allowed.first.flatMap { RedirectURI($0.text) }.flatMap { $0.text.contains("*") ? nil : $0 }
        }
        guard let uri = RedirectURI(returnTo), redirect.allowed.contains(where: { $0.matchesIgnoringQuery(uri) })
        else { throw redirect.refused(returnTo, parameter: "returnTo") }
        return uri
    }
}
