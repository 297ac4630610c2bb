/// A well-formed authorization request,
/// [RFC 6749 §4.1.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1) and OpenID Connect Core §3.1.2.1.
///
/// Well formed, not allowed: whether this client may ask for it is another question, and another type answers it.
package struct AuthorizationRequest: Sendable {
    package let responseType: ResponseType
    package let responseMode: ResponseMode
    package let scope: Scope
    /// The identifier of the API that the access token is for, as Auth0 names it.
    package let audience: String?
    package let nonce: String?
    package let prompt: Set<Prompt>
    /// Seconds since the user last authenticated, at most.
    package let maxAge: Int?
    /// What the sign-in page starts with as the e-mail address.
    package let loginHint: String?
    /// Whether the client asks for the sign-up page (`screen_hint=signup`).
    package let prefersSignup: Bool
    package let uiLocales: [String]
    package let proofKey: ProofKey?
    /// Single claims that the client asks for.
    package let claims: ClaimsRequest?
    /// The API that the access token is for, as [RFC 8707](https://www.rfc-editor.org/rfc/rfc8707) names it.
    package let resource: String?
    /// An ID token of the user whom the client expects.
    package let idTokenHint: String?
    /// The thumbprint of the key that the code shall be bound to,
    /// [RFC 9449 §10](https://www.rfc-editor.org/rfc/rfc9449#section-10).
    package let dpopKeyThumbprint: String?
    /// The organization that the user shall sign in to, by its id or name.
    package let organization: String?
    /// The ticket of an invitation to it, which whoever signs in accepts.
    package let invitation: String?
    /// The connection that the user shall sign in with, by its name.
    package let connection: String?
    /// Everything that was sent.
    package let parameters: Parameters

    /// Unknown parameters, `ext-*` among them, are ignored (RFC 6749 §3.1).
    /// - Throws: ``OAuthError`` with the code that the specification names for the first parameter that is wrong.
    package init(_ parameters: Parameters) throws(OAuthError) {
        responseType = try ResponseType(parsing: parameters.require("response_type"))
        responseMode = try Self.responseMode(parameters, for: responseType)
        try Self.refuseRequestObjects(parameters)
        scope = try Self.scope(parameters, for: responseType)
        audience = parameters["audience"]
        nonce = try Self.nonce(parameters, for: responseType)
        prompt = try Prompt.parse(parameters["prompt"])
        maxAge = try Self.seconds(parameters["max_age"])
        loginHint = parameters["login_hint"]
        prefersSignup = parameters["screen_hint"] == "signup"
        uiLocales = (parameters["ui_locales"] ?? "").split(separator: " ").prefix(10).map(String.init)
        proofKey = try ProofKey(parameters)
        claims = try parameters["claims"].map { text throws(OAuthError) in try ClaimsRequest(parsing: text) }
        resource = try ResourceIndicator.parse(parameters["resource"])
        idTokenHint = parameters["id_token_hint"]
        dpopKeyThumbprint = try Self.thumbprint(parameters["dpop_jkt"])
        organization = parameters["organization"]
        invitation = parameters["invitation"]
        connection = parameters["connection"]
        self.parameters = parameters
    }

    /// The mode asked for, or the response type's own.
    /// - Throws: ``OAuthError`` `invalid_request` for an unknown mode, or for a token in a query.
    package static func responseMode(
        _ parameters: Parameters, for type: ResponseType
    ) throws(OAuthError) -> ResponseMode {
        guard let text = parameters["response_mode"] else { return type.defaultMode }
        let mode = try ResponseMode(parsing: text)
        guard mode != .query || type.defaultMode == .query else {
            throw .invalidRequest(
                "response_mode=query cannot carry tokens",
                hint: "Leave response_mode out, or send fragment or form_post.")
        }
        return mode
    }

    /// Without a code there is nobody to give a refresh token to, so `offline_access` is ignored (OpenID Connect Core §11).
    private static func scope(_ parameters: Parameters, for type: ResponseType) throws(OAuthError) -> Scope {
        let scope = try Scope(parsing: parameters["scope"] ?? "")
        return type.contains(.code) ? scope : scope.filter { $0 != Scope.offlineAccess }
    }

    /// OpenID Connect Core §3.2.2.1 and §3.3.2.11: an ID token that passes through the browser is bound by its nonce.
    private static func nonce(_ parameters: Parameters, for type: ResponseType) throws(OAuthError) -> String? {
        guard type.contains(.idToken) else { return parameters["nonce"] }
        return try parameters.require("nonce")
    }

    /// OpenID Connect Core §6.1: a server that does not read request objects says so.
    private static func refuseRequestObjects(_ parameters: Parameters) throws(OAuthError) {
        if parameters["request"] != nil {
            throw OAuthError(
                OAuthError.Code(rawValue: "request_not_supported"), "The request parameter is not supported",
                hint: "Send the parameters themselves.")
        }
        if parameters["request_uri"] != nil {
            throw OAuthError(
                OAuthError.Code(rawValue: "request_uri_not_supported"), "The request_uri parameter is not supported",
                hint: "Send the parameters themselves.")
        }
    }

    private static func thumbprint(_ text: String?) throws(OAuthError) -> String? {
        guard let text else { return nil }
        guard text.utf8.count == 43, Base64URL.decode(text)?.count == 32 else {
            throw .invalidRequest(
                "Malformed dpop_jkt: \(text.forDisplay)",
                hint: "dpop_jkt is the base64url SHA-256 thumbprint of the key (RFC 7638), 43 characters.")
        }
        return text
    }

    private static func seconds(_ text: String?) throws(OAuthError) -> Int? {
        guard let text else { return nil }
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let seconds = Int(text) else {
            throw .invalidRequest(
                "Invalid max_age: \(text.forDisplay)", hint: "max_age is a whole number of seconds, 0 or more.")
        }
        return seconds
    }
}
