import Foundation
import OAuth
import Storage

/// An authorization request whose parameters its client has put into a token, by value or by reference:
/// [RFC 9101](https://www.rfc-editor.org/rfc/rfc9101) and OpenID Connect Core §6.
struct RequestObject: Sendable {
    let services: Services
    private let registered: RegisteredClient
    private var client: Client { registered.client }

    init(services: Services, client: RegisteredClient) { (self.services, registered) = (services, client) }

    /// Bytes of an object at most.
    static let mostBytes = 16_384
    private static let skew: TimeInterval = 10
    /// A token that was made for another purpose is no request, whoever signed it (RFC 9101 §10.8).
    private static let tokenTypes: Set<String?> = [nil, "jwt", "oauth-authz-req+jwt"]
    /// Claims about the object itself, and what must never be kept.
    private static let noParameters: Set<String> = [
        "iss", "aud", "exp", "nbf", "iat", "jti", "sub", "client_secret", "client_assertion", "client_assertion_type",
    ]

    /// The parameters that count: those of the object win over those beside it; where the client must sign its requests,
    /// nothing beside the object counts at all (RFC 9101 §6.3). A request without an object is returned as it is, and so is
    /// one of a client that has registered nothing to verify it with: that is refused later, as not supported.
    /// - Throws: ``AuthorizationFailure`` with `invalid_request_object`, `invalid_request_uri` or `invalid_request`.
    func resolve(_ sent: Parameters) async throws -> Parameters {
        do {
            guard let text = try await text(sent) else { return sent }
            return try await parameters(in: text, beside: sent)
        } catch let error as OAuthError {
            // The object may not be believed, but a callback that is registered may be told so.
            let verification = ClientVerification(services: services)
            guard let verified = try? await verification.verify(sent, of: registered) else {
                throw AuthorizationFailure.display(error, nil)
            }
            throw AuthorizationFailure.redirect(error, verified.target)
        }
    }

    // MARK: Finding the object

    private func text(_ sent: Parameters) async throws -> String? {
        switch (sent["request"], sent["request_uri"]) {
        case (nil, nil):
            guard !client.requestObject.isRequired else {
                throw OAuthError.invalidRequest(
                    "The application must send signed request objects",
                    hint: "Put the parameters into a JSON Web Token and send it as 'request' (RFC 9101), or switch off "
                        + "the application's signed_request_object.required.")
            }
            return nil
        case (let object?, nil): return canVerify(object) ? object : nil
        case (nil, let uri?): return client.requestObject.uris.isEmpty ? nil : try await fetch(uri)
        case (_?, _?):
            throw OAuthError.invalidRequest("request and request_uri exclude one another (RFC 9101 §5)")
        }
    }

    /// Whether there is something to verify the object with, or nothing to verify.
    private func canVerify(_ object: String) -> Bool {
        let settings = client.requestObject
        return settings.isRequired || settings.isUnsigned || settings.isSignedWithSecret
            || !settings.credentials.isEmpty || client.keys.set != nil || client.keys.setURI != nil
            || (try? SignedToken(parsing: object, most: Self.mostBytes))?.isUnsecured == true
    }

    /// Fetches an object from an address that the client has registered, so that nobody chooses whom this server asks.
    private func fetch(_ uri: String) async throws -> String {
        guard client.requestObject.uris.contains(uri) else {
            throw OAuthError(
                .invalidRequestURI, "The request_uri is not registered",
                hint: "Add \(uri.forDisplay) to the application's request_uris; they are compared as they are.")
        }
        if let known = services.requestObjects.object(at: uri) { return known }
        let address = String(uri.prefix { $0 != "#" })
        try await countRequest(to: address)
        let response: OutboundResponse
        do throws(OutboundFailure) {
            response = try await services.outbound.send(
                OutboundRequest(
                    .get, address, accept: "application/oauth-authz-req+jwt, application/jwt",
                    mostBytes: Self.mostBytes))
        } catch {
            throw OAuthError(.invalidRequestURI, "The request_uri gives no request object", hint: error.description)
        }
        guard response.status == 200, let text = String(data: response.body, encoding: .utf8) else {
            throw OAuthError(
                .invalidRequestURI, "The request_uri gives no request object",
                hint: "It answered with the status \(response.status).")
        }
        let object = text.trimmingCharacters(in: .whitespacesAndNewlines)
        services.requestObjects.keep(object, body: response.body, at: uri)
        return object
    }

    /// Requests to one host that strangers' clients cause in an hour.
    static let mostPerHost = 3600

    /// A client that registered itself may name anybody's address, and everybody may send its requests: this server must
    /// not be made to ask somebody else's without end.
    private func countRequest(to uri: String) async throws {
        guard !client.isFirstParty, let host = RedirectURI(uri)?.host.lowercased() else { return }
        let refusal = try await services.stores.rateLimits.refusal(
            "request objects \(host)", most: Self.mostPerHost, window: 3600, at: services.now())
        if refusal != nil {
            throw OAuthError(
                .temporarilyUnavailable, "Too many request objects of \(host.forDisplay); try again later",
                hint: "Send the object itself as 'request', or push it to /oauth/par.")
        }
    }

    // MARK: Believing it

    private func parameters(in text: String, beside sent: Parameters) async throws -> Parameters {
        let claims = try await claims(of: text)
        try check(claims)
        guard claims["request"] == nil, claims["request_uri"] == nil else {
            throw Self.invalid("it has another request or request_uri inside")
        }
        guard (claims["client_id"] ?? .string(client.clientID)) == .string(client.clientID) else {
            throw Self.invalid("its client_id is not the request's")
        }
        if let type = claims["response_type"], let outer = sent["response_type"], type != .string(outer) {
            throw Self.invalid("its response_type is not the request's")
        }
        var parameters = client.requestObject.isRequired ? [:] : sent.all
        for (name, value) in claims where !Self.noParameters.contains(name) {
            parameters[name] = try Self.text(value)
        }
        (parameters["request"], parameters["request_uri"]) = (nil, nil)
        parameters["client_id"] = client.clientID
        return Parameters(trusted: parameters)
    }

    private func claims(of text: String) async throws -> JSONObject {
        let settings = client.requestObject
        do {
            let token = try SignedToken(parsing: text, most: Self.mostBytes)
            guard Self.tokenTypes.contains(token.type) else {
                throw Self.invalid("its 'typ' is that of another kind of token")
            }
            if settings.isUnsigned || token.isUnsecured && settings.mayBeUnsigned {
                return try token.unsecuredClaims()
            }
            if let algorithm = settings.algorithm, settings.isSignedWithSecret {
                guard let sealed = registered.sealedSecret else { throw Self.invalid("the application has no secret") }
                return try token.verified(bySecret: services.secret.box.open(sealed), algorithms: [algorithm])
            }
            return try await ClientKeyring(services: services, keys: client.keys, credentials: settings.credentials)
                .verify(token, algorithms: settings.algorithm.map { [$0] } ?? JWSAlgorithm.asymmetric)
        } catch let problem as SignedToken.Problem {
            throw Self.invalid(problem.description)
        } catch let problem as ClientKeyring.Problem {
            throw Self.invalid(problem.description)
        }
    }

    /// RFC 9101 §4 and §10.8: an object for another server, of another client, of another time, or one that could be
    /// taken for a client's assertion.
    private func check(_ claims: JSONObject) throws(OAuthError) {
        let now = services.now()
        guard (claims["iss"] ?? .string(client.clientID)) == .string(client.clientID) else {
            throw Self.invalid("its 'iss' is not the client_id")
        }
        guard claims["sub"] != .string(client.clientID) else {
            throw Self.invalid("its 'sub' is the client_id, as in an assertion")
        }
        if let audience = claims["aud"] {
            guard (audience.array ?? [audience]).contains(.string(services.issuer.text)) else {
                throw Self.invalid("its 'aud' is not the issuer, \(services.issuer.text)")
            }
        }
        if claims["exp"] != nil {
            guard let expiry = claims.date("exp"), expiry > now.addingTimeInterval(-Self.skew) else {
                throw Self.invalid("it has expired")
            }
        }
        for name in ["iat", "nbf"] where claims[name] != nil {
            guard let date = claims.date(name), date <= now.addingTimeInterval(Self.skew) else {
                throw Self.invalid("its '\(name)' is in the future")
            }
        }
    }

    /// A parameter's text: numbers and structures as their JSON (OpenID Connect Core §6.1).
    private static func text(_ value: JSONValue) throws -> String {
        switch value {
        case .string(let text): text
        case .null: ""
        default: try JSON.text(value)
        }
    }

    private static func invalid(_ problem: String) -> OAuthError {
        OAuthError(
            .invalidRequestObject, "Request object refused: \(problem)",
            hint: "RFC 9101 §4 and OpenID Connect Core §6.1 say what a request object must have.")
    }
}

extension OAuthError.Code {
    /// The request object cannot be believed, RFC 9101 §7.
    static let invalidRequestObject = OAuthError.Code(rawValue: "invalid_request_object")
    /// There is no request object at the `request_uri`, RFC 9101 §7.
    static let invalidRequestURI = OAuthError.Code(rawValue: "invalid_request_uri")
}
