import OAuth
import Storage

/// Where the parameters of an authorization request come from: the browser's own request, or what its client has pushed.
struct RequestSource: Sendable {
    let services: Services

    /// The parameters that count.
    /// - Throws: ``AuthorizationFailure/display(_:_:)`` for a reference to nothing, or where the client must push its requests
    ///   and has not.
    func parameters(_ sent: Parameters) async throws -> Parameters {
        if let reference = sent["request_uri"], reference.hasPrefix(PushedAuthorizationEndpoint.prefix) {
            return try await pushed(String(reference.dropFirst(PushedAuthorizationEndpoint.prefix.count)), sent)
        }
        if let clientID = sent["client_id"],
            try await services.configuration.client(clientID)?.client.requiresPushedRequests == true
        {
            throw AuthorizationFailure.display(
                .invalidRequest(
                    "The application must push its authorization requests",
                    hint: "Send the parameters to /oauth/par first (RFC 9126), or switch off the application's "
                        + "require_pushed_authorization_requests."), nil)
        }
        return try await RequestObject(services: services).resolve(sent)
    }

    /// A reference is good once, so that nobody who sees it in a history or a log can use it again.
    private func pushed(_ reference: String, _ sent: Parameters) async throws -> Parameters {
        guard let clientID = sent["client_id"] else {
            throw AuthorizationFailure.display(.missingParameter("client_id"), nil)
        }
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
