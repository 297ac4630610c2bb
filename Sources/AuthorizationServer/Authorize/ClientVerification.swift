import OAuth
import Storage

/// Where a response may be sent: made only for a redirect URI that its client has registered, so that no code can send
/// anything anywhere else.
package struct ResponseTarget: Sendable, Equatable {
    package let redirectURI: RedirectURI
    package let mode: ResponseMode
    /// The client's `state`, given back byte for byte.
    package let state: String?
    /// Who answers, so that a client of several servers cannot take one's answer for another's
    /// ([RFC 9207](https://www.rfc-editor.org/rfc/rfc9207)); nil where the tenant leaves it out, as Auth0 does.
    package let issuer: String?

    fileprivate init(_ redirectURI: RedirectURI, mode: ResponseMode, state: String?, issuer: String?) {
        (self.redirectURI, self.mode, self.state, self.issuer) = (redirectURI, mode, state, issuer)
    }
}

extension ResponseTarget {
    /// The page of our own on which letting a device in ends: nothing of it leaves the server.
    static func activation(_ issuer: Issuer) throws -> ResponseTarget {
        guard let uri = RedirectURI(issuer.url("activate/done")) else { throw OAuthError.serverError }
        return ResponseTarget(uri, mode: .query, state: nil, issuer: nil)
    }
}

/// A client that exists, and a redirect URI that it has registered.
struct VerifiedClient: Sendable {
    let registered: RegisteredClient
    let target: ResponseTarget
    /// The `redirect_uri` as sent, for the token endpoint's comparison; nil where it was left out.
    let sentRedirectURI: String?

    var client: Client { registered.client }
}

/// Why an authorization request gets no code: shown to the user, or told to the client.
package enum AuthorizationFailure: Error, Sendable {
    /// The client or its redirect URI is not proved: nothing may be sent anywhere (RFC 6749 §4.1.2.1).
    case display(OAuthError, CallbackMismatch?)
    case redirect(OAuthError, ResponseTarget)

    package var error: OAuthError {
        switch self {
        case .display(let error, _), .redirect(let error, _): error
        }
    }
}

/// A redirect URI that is not registered, beside the registered one that it is most like.
package struct CallbackMismatch: Sendable, Equatable {
    package let sent: String
    package let nearest: String?
    package let clientName: String
}

/// The first step of every authorization request.
struct ClientVerification: Sendable {
    let services: Services

    /// The client that the request names.
    /// - Throws: ``AuthorizationFailure/display(_:_:)`` for an unknown one.
    func client(_ parameters: Parameters) async throws -> RegisteredClient {
        guard let clientID = parameters["client_id"] else {
            throw AuthorizationFailure.display(.missingParameter("client_id"), nil)
        }
        try await ClientMetadataDocuments(services: services).refresh(clientID)
        guard let registered = try await services.configuration.client(clientID) else {
            throw AuthorizationFailure.display(
                .invalidRequest(
                    "Unknown client: \(clientID.forDisplay)",
                    hint:
                        "No application has this client_id. Compare it with the application's settings, and check that "
                        + "the tenant's domain is the right one."), nil)
        }
        return registered
    }

    /// - Throws: ``AuthorizationFailure/display(_:_:)`` for a redirect URI that is not registered.
    func verify(_ parameters: Parameters, of registered: RegisteredClient) async throws -> VerifiedClient {
        let uri = try redirectURI(parameters["redirect_uri"], of: registered.client)
        let mode = Self.mode(parameters)
        if mode == .webMessage { try Self.checkWebOrigin(of: uri, registered.client) }
        let sendsIssuer = try await services.configuration.settings().sendsIssuerInResponses
        return VerifiedClient(
            registered: registered,
            target: ResponseTarget(
                uri, mode: mode, state: parameters["state"], issuer: sendsIssuer ? services.issuer.text : nil),
            sentRedirectURI: parameters["redirect_uri"])
    }

    /// The mode in which even an error about the request's other parameters is answered.
    private static func mode(_ parameters: Parameters) -> ResponseMode {
        let words = (parameters["response_type"] ?? "").split(separator: " ")
        let standard: ResponseMode = words.contains("token") || words.contains("id_token") ? .fragment : .query
        guard let sent = parameters["response_mode"], let mode = try? ResponseMode(parsing: sent),
            mode != .query || standard == .query
        else { return standard }
        return mode
    }

    /// A message goes to a window of the callback's origin, and only that may frame the page that sends it: the client must
    /// have named it as one of its web origins.
    private static func checkWebOrigin(of uri: RedirectURI, _ client: Client) throws {
        let origin = uri.origin.lowercased()
        guard !client.webOrigins.contains(where: { $0.lowercased() == origin }) else { return }
        let nearest = EditDistance.nearest(to: origin, among: client.webOrigins)
        throw AuthorizationFailure.display(
            OAuthError(
                .unauthorizedClient, "\(origin.forDisplay) is not a web origin of the application",
                hint: "response_mode=web_message answers only to a registered origin"
                    + (nearest.map { "; the nearest is \($0)" } ?? "")
                    + ". Add it to the application's Allowed Web Origins (web_origins)."), nil)
    }

    private func redirectURI(_ sent: String?, of client: Client) throws -> RedirectURI {
        guard let sent else { return try onlyRedirectURI(of: client) }
        if let uri = RedirectURI(sent), client.accepts(uri) { return uri }
        throw mismatch(sent, client)
    }

    /// A client with one exact callback need not repeat it (RFC 6749 §3.1.2.3).
    private func onlyRedirectURI(of client: Client) throws -> RedirectURI {
        guard client.callbacks.count == 1, let only = RedirectURI(client.callbacks[0].text), !only.text.contains("*")
        else { throw AuthorizationFailure.display(.missingParameter("redirect_uri"), nil) }
        return only
    }

    private func mismatch(_ sent: String, _ client: Client) -> AuthorizationFailure {
        let shown = sent.forDisplay
        let nearest = EditDistance.nearest(to: shown, among: client.callbacks.map(\.text))
        let hint =
            if let nearest {
                "\(shown) is not registered; the nearest is \(nearest). Send that one, or add yours to the application's "
                    + "Allowed Callback URLs (callbacks)."
            } else {
                "The application has no callback URL. Add \(shown) to its Allowed Callback URLs (callbacks)."
            }
        return .display(
            OAuthError(
                .unauthorizedClient,
                "Callback URL mismatch. \(shown) is not in the list of allowed callback URLs", hint: hint),
            CallbackMismatch(sent: shown, nearest: nearest, clientName: client.name))
    }
}
