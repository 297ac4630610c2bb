import OAuth
import Storage

/// Where the parameters of an authorization request come from: the browser's own request, or what its client has pushed.
struct RequestSource: Sendable {
    let services: Services

    /// The client, and the parameters that count.
    /// - Throws: ``AuthorizationFailure`` for an unknown client, a reference to nothing, an object that cannot be believed,
    ///   or where the client must push its requests and has not.
    func read(_ sent: Parameters) async throws -> (RegisteredClient, Parameters) {
        let client = try await ClientVerification(services: services).client(sent)
        if let reference = sent["request_uri"], reference.hasPrefix(PushedAuthorizationEndpoint.prefix) {
            let name = String(reference.dropFirst(PushedAuthorizationEndpoint.prefix.count))
            return (client, try await pushed(name, client.client.clientID))
        }
        guard !client.client.requiresPushedRequests else {
            throw AuthorizationFailure.display(
                .invalidRequest(
                    "The application must push its authorization requests",
                    hint: "Send the parameters to /oauth/par first (RFC 9126), or switch off the application's "
                        + "require_pushed_authorization_requests."), nil)
        }
        return (client, try await RequestObject(services: services, client: client).resolve(sent))
    }

    /// A reference is good once, so that nobody who sees it in a history or a log can use it again.
    private func pushed(_ reference: String, _ clientID: String) async throws -> Parameters {
        let (digest, now) = (Secret(reference).digest, services.now())
        let found = try await services.stores.database.write {
            try PushedAuthorizationRequestStore.take(digest: digest, clientID: clientID, at: now, in: $0)
        }
        guard let found else {
            throw AuthorizationFailure.display(
                .invalidRequest(
                    "The request_uri is unknown, expired or used",
                    hint: "A pushed request is good once, for \(PushedAuthorizationEndpoint.lifetime) seconds, and for "
                        + "its own client_id. Push a new one for each authorization."), nil)
        }
        return Parameters(trusted: found.parameters)
    }
}
