import AuthorizationServer
import OAuth
import Storage

/// What is to be known of a provider that speaks OpenID Connect.
struct OIDCProvider: Sendable {
    /// How a code is bound to its request: Auth0's `connection_settings.pkce`.
    enum ProofKeys: String, CaseIterable {
        case auto
        case s256 = "S256"
        case plain, disabled
    }

    var clientID: String
    var secret: OAuth2Provider.ClientSecret
    var scope = ["openid", "profile", "email"]
    /// Where the provider says what it is; nil where ``metadata`` is known.
    var discoveryURL: String?
    /// What the provider is, where that is not looked up.
    var metadata: OIDCMetadata?
    /// The issuer that the provider must say it is; nil for the one that its discovery address belongs to.
    var issuer: String?
    /// Whether the discovery address is the provider's own whatever issuer it names: where it is not the tenant's to choose.
    var trustsDiscovery = false
    /// Whether the ID token comes with the browser.
    var usesFrontChannel = false
    var responseMode: String?
    var proofKeys = ProofKeys.auto
    var tokenEndpointProof: TokenEndpointProof?
    /// The signatures that ID tokens may have.
    var algorithms = JWSAlgorithm.asymmetric
    /// The claim that is the user's id.
    var idClaim = "sub"
    /// Whether addresses count as verified, whatever the provider says; nil where its word counts.
    var trustsEmail: Bool?
    var attributes = AttributeMap.standard
    var parameters: [(name: String, value: String)] = []
    var forwarded: [ForwardedParameter] = []
    /// Where users log out, where the provider has a way of its own; nil for the one of OpenID Connect.
    var logout: (@Sendable (UpstreamLeaving) -> RedirectURI?)?
    /// Refuses who has an account at the provider and none that the connection is for.
    var admit: @Sendable (_ claims: JSONObject) throws(UpstreamFailure) -> Void = { _ in }
    /// Completes a profile with what only this provider brings.
    var complete: @Sendable (inout UpstreamProfile, UpstreamArrival) -> Void = { _, _ in }

    init(clientID: String, secret: OAuth2Provider.ClientSecret) { (self.clientID, self.secret) = (clientID, secret) }

    /// The provider as one of OAuth 2.0.
    func oauth2(_ metadata: OIDCMetadata) throws(UpstreamFailure) -> OAuth2Provider {
        guard let tokenEndpoint = metadata.tokenEndpoint ?? (usesFrontChannel ? "" : nil) else {
            throw .misconfigured(cause: "The provider has no token_endpoint", mend: "Use the type front_channel")
        }
        var provider = OAuth2Provider(
            authorizationURL: metadata.authorizationEndpoint, tokenURL: tokenEndpoint, clientID: clientID,
            secret: secret, scope: scope)
        // A provider that does not know proof keys takes no notice; one that lists its methods without S256 might.
        provider.usesPKCE =
            switch proofKeys {
            case .auto: metadata.proofKeyMethods.isEmpty || metadata.proofKeyMethods.contains("S256")
            case .s256: true
            case .plain, .disabled: false
            }
        let proofs = metadata.tokenEndpointProofs
        let takesOnlyBasic =
            proofs.contains(TokenEndpointProof.basic.rawValue) && !proofs.contains(TokenEndpointProof.post.rawValue)
        provider.usesBasic = tokenEndpointProof.map { $0 == .basic } ?? takesOnlyBasic
        (provider.parameters, provider.forwarded) = (parameters, forwarded)
        return provider
    }

    /// What the application wishes of the login, in OpenID Connect's words (Core §3.1.2.1).
    func wishes(_ start: UpstreamStart) -> [(name: String, value: String)] {
        var wishes: [(name: String, value: String)] = []
        if let hint = start.loginHint { wishes.append((name: "login_hint", value: hint)) }
        let prompts = (start.parameters["prompt"] ?? "").split(separator: " ")
            .filter { ["login", "select_account"].contains($0) }
        if !prompts.isEmpty { wishes.append((name: "prompt", value: prompts.joined(separator: " "))) }
        for name in ["max_age", "ui_locales"] {
            if let value = start.parameters[name] { wishes.append((name: name, value: value)) }
        }
        return wishes
    }
}

/// What becomes of a provider's claims: Auth0's `attribute_map`.
struct AttributeMap: Sendable {
    /// Every claim under its own name.
    static let standard = AttributeMap(templates: nil, isBasic: false)

    /// The profile's members with templates such as `${context.tokenset.email}`; nil for every claim under its own name.
    let templates: [String: String]?
    let isBasic: Bool

    private enum Mode: String, CaseIterable {
        case all = "bind_all"
        case map = "use_map"
        case basic = "basic_profile"
    }

    private init(templates: [String: String]?, isBasic: Bool) {
        (self.templates, self.isBasic) = (templates, isBasic)
    }

    /// Reads `attribute_map`.
    init(_ options: inout Document) throws(Document.Problem) {
        guard var settings = try options.document("attribute_map") else {
            self = .standard
            return
        }
        let mode = try settings.oneOf("mapping_mode", Mode.self) ?? .all
        var templates: [String: String] = [:]
        if var attributes = try settings.document("attributes") {
            for name in attributes.names.sorted() {
                if let template = try attributes.string(name, most: 1024) { templates[name] = template }
            }
        }
        self.init(templates: mode == .map ? templates : nil, isBasic: mode == .basic)
    }

    /// Whether something is taken from the userinfo endpoint.
    var readsUserInfo: Bool { templates?.values.contains { $0.contains("context.userinfo.") } ?? false }

    /// Claims that are about the token and not about the user.
    private static let protocolClaims: Set<String> = [
        "acr", "aio", "amr", "at_hash", "aud", "auth_time", "azp", "c_hash", "exp", "iat", "iss", "jti", "nbf", "nonce",
        "rh", "s_hash", "sid", "sub", "typ", "uti", "ver",
    ]
    private static let basic: Set<String> = [
        "email", "email_verified", "family_name", "given_name", "name", "nickname", "picture", "preferred_username",
    ]

    /// The profile that an ID token and the userinfo endpoint describe.
    func mapped(_ claims: JSONObject, _ userInfo: JSONObject) -> JSONObject {
        guard let templates else {
            let all = userInfo.merging(claims) { $1 }.filter { !Self.protocolClaims.contains($0.key) }
            return isBasic ? all.filter { Self.basic.contains($0.key) } : all
        }
        return templates.compactMapValues { Self.filled($0, claims, userInfo) }
    }

    private static func filled(_ template: String, _ claims: JSONObject, _ userInfo: JSONObject) -> JSONValue? {
        func value(_ path: Substring) -> JSONValue? {
            let parts = path.split(separator: ".")
            guard parts.count > 2, parts[0] == "context" else { return nil }
            var value: JSONValue? = .object(parts[1] == "userinfo" ? userInfo : claims)
            for part in parts.dropFirst(2) { value = value?.object?[String(part)] }
            return value
        }
        if let whole = template.wholeMatch(of: /\$\{([^}]*)\}/) { return value(whole.1) }
        guard template.contains("${") else { return .string(template) }
        return .string(template.replacing(/\$\{([^}]*)\}/) { ProfileMap.text(value($0.1)) ?? "" })
    }
}
