import OAuth
import Storage

/// Where a browser may go after a logout: what the application allows or, where none is known, the tenant.
struct LogoutRedirect: Sendable {
    let client: Client?
    let allowed: [RegisteredURI]

    init(_ client: Client?, _ services: Services) async throws {
        self.client = client
        allowed =
            if let client { client.allowedLogoutURLs } else {
                try await services.configuration.settings().allowedLogoutURLs
            }
    }

    /// The client with this id, or nil where none was sent.
    /// - Throws: ``AuthorizationFailure/display(_:_:)`` where there is no such client.
    static func client(_ id: String?, _ services: Services) async throws -> Client? {
        guard let id else { return nil }
        guard let found = try await services.configuration.client(id) else {
            throw AuthorizationFailure.display(
                .invalidRequest(
                    "Unknown client: \(id.forDisplay)",
                    hint: "No application has this client_id. Compare it with the application's settings."), nil)
        }
        return found.client
    }

    /// The refusal of an address, with the nearest that is allowed.
    /// - Parameter parameter: the name under which it was sent.
    func refused(_ sent: String, parameter: String) -> AuthorizationFailure {
        let shown = sent.forDisplay
        let owner = client.map { "the application '\($0.name)'" } ?? "the tenant, because no client_id was sent"
        return .display(
            .invalidRequest(
                "The \"\(parameter)\" querystring parameter \"\(shown)\" is not defined as a valid URL in \"Allowed Logout URLs\"",
                hint: "Add it to the Allowed Logout URLs (allowed_logout_urls) of \(owner)."),
            CallbackMismatch(
                sent: shown, nearest: EditDistance.nearest(to: shown, among: allowed.map(\.text)),
                clientName: client?.name ?? ""))
    }
}

/// What a browser does once its session has ended.
package struct LogoutOutcome: Sendable {
    /// Where it goes on; nil for the page that says that it is over.
    package let redirectURI: RedirectURI?
    /// Whether it goes on by itself. Otherwise the user sees where to, and decides: a link with the `client_id` of somebody
    /// else's application must not lead to that application's pages
    /// ([RFC 9700 §4.11.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.11.2)).
    package let goesOn: Bool
    /// The client's `state`, given back byte for byte.
    package let state: String?
    /// What the page shows first.
    package let frames: [LogoutFrame]
    /// The application that asked for the logout, where it is known.
    package let applicationName: String?
    /// What the browser keeps for the way back from a provider; nil where it is sent to none.
    package private(set) var memory: String?

    init(
        redirectURI: RedirectURI?, goesOn: Bool, state: String?, frames: [LogoutFrame], applicationName: String?
    ) {
        (self.redirectURI, self.goesOn, self.state) = (redirectURI, goesOn, state)
        (self.frames, self.applicationName) = (frames, applicationName)
    }

    /// The same logout, which goes to a provider first.
    func over(_ provider: RedirectURI, memory: String) -> LogoutOutcome {
        var outcome = LogoutOutcome(
            redirectURI: provider, goesOn: goesOn, state: nil, frames: frames, applicationName: applicationName)
        outcome.memory = memory
        return outcome
    }

    /// The address to go on to.
    package var location: String? {
        redirectURI.map { uri in state.map { uri.adding([(name: "state", value: $0)]) } ?? uri.text }
    }
}
