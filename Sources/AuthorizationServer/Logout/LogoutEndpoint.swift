import OAuth
import Storage

/// Auth0's `/v2/logout`: ends the browser's session and sends it where the application or the tenant allows.
package struct LogoutEndpoint: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// Where the browser goes once its session has ended.
    package enum Outcome: Sendable {
        case redirect(RedirectURI)
        case page(applicationName: String?)
    }

    /// - Throws: ``AuthorizationFailure/display(_:_:)`` where `returnTo` is not allowed; the session has ended all the
    ///   same, because whoever asked for that wants it.
    package func logOut(_ parameters: Parameters, browser: Browser) async throws -> Outcome {
        if let session = browser.session {
            try await services.stores.database.write { try SessionStore.delete(digest: session.digest, in: $0) }
        }
        let client = try await client(parameters["client_id"])
        let allowed =
            if let client { client.allowedLogoutURLs } else {
                try await services.configuration.settings().allowedLogoutURLs
            }
        guard let returnTo = parameters["returnTo"] else {
            guard let first = allowed.first.flatMap({ RedirectURI($0.text) }), !first.text.contains("*") else {
                return .page(applicationName: client?.name)
            }
            return .redirect(first)
        }
        guard let uri = RedirectURI(returnTo), allowed.contains(where: { $0.matchesIgnoringQuery(uri) }) else {
            throw Self.refused(returnTo, allowed, client)
        }
        return .redirect(uri)
    }

    private func client(_ id: String?) async throws -> Client? {
        guard let id else { return nil }
        guard let found = try await services.configuration.client(id) else {
            throw AuthorizationFailure.display(.invalidRequest("Unknown client: \(id.forDisplay)"), nil)
        }
        return found.client
    }

    private static func refused(_ returnTo: String, _ allowed: [RegisteredURI], _ client: Client?)
        -> AuthorizationFailure
    {
        let shown = returnTo.forDisplay
        let owner = client.map { "the application '\($0.name)'" } ?? "the tenant, because no client_id was sent"
        return .display(
            .invalidRequest(
                "The \"returnTo\" querystring parameter \"\(shown)\" is not defined as a valid URL in \"Allowed Logout URLs\"",
                hint: "Add it to the Allowed Logout URLs (allowed_logout_urls) of \(owner)."),
            CallbackMismatch(
                sent: shown, nearest: EditDistance.nearest(to: shown, among: allowed.map(\.text)),
                clientName: client?.name ?? ""))
    }
}
