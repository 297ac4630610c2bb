import AuthorizationServer
import OAuth
import Storage

/// Any provider of OpenID Connect, by its discovery document or its endpoints.
struct OIDCStrategy: ConnectionStrategy {
    let discovery: DiscoveryCache

    let names: Set<String> = ["oidc"]
    let family = ConnectionFamily.enterprise
    let manner = ConnectionManner.redirect
    let secretOptions = OIDCOptions.secrets
    let secretRecipients = OIDCOptions.recipients

    func login(_ connection: Connection, _ options: inout Document) throws(Document.Problem) -> ConnectionLogin {
        var provider = try OIDCOptions.provider(&options)
        provider.discoveryURL = try options.endpoint("discovery_url")
        if provider.discoveryURL == nil { provider.discoveryURL = provider.issuer.map(OIDCLogin.discoveryURL) }
        guard provider.metadata != nil || provider.discoveryURL != nil else {
            throw options.problem("discovery_url", "is required, or issuer")
        }
        return .redirect(OIDCLogin(provider: provider, discovery: discovery))
    }
}

/// The options that Auth0's connections over OpenID Connect have in common.
enum OIDCOptions {
    static let secrets: Set<String> = ["client_secret"]
    static let recipients: Set<String> = [
        "client_id", "discovery_url", "domain", "issuer", "jwks_uri", "oidc_metadata", "token_endpoint",
    ]

    private enum Channel: String, CaseIterable {
        case front = "front_channel"
        case back = "back_channel"
    }

    /// The provider without where it is found.
    /// - Throws: ``Document/Problem``.
    static func provider(_ options: inout Document) throws(Document.Problem) -> OIDCProvider {
        let secret = try options.string("client_secret")
        var provider = OIDCProvider(
            clientID: try options.requiredString("client_id", most: 1024), secret: secret.map { .text($0) } ?? .none)
        let channel = try options.oneOf("type", Channel.self)
        // Connections of tools that leave the type out have a secret where the code is exchanged.
        if channel.map({ $0 == .front }) ?? false {
            (provider.usesFrontChannel, provider.responseMode) = (true, "form_post")
        }
        provider.scope = try options.scope("scope", standard: provider.scope)
        if !provider.scope.contains("openid") { provider.scope.insert("openid", at: 0) }
        provider.issuer = try options.string("issuer", most: 2048)
        provider.metadata = try metadata(&options, issuer: provider.issuer)
        var settings = try options.document("connection_settings")
        provider.proofKeys = try settings?.oneOf("pkce", OIDCProvider.ProofKeys.self) ?? .auto
        guard provider.proofKeys != .plain else {
            throw Document.Problem(
                path: options.path(of: "connection_settings.pkce"),
                message: "plain proves nothing to whoever reads the request; use S256")
        }
        provider.tokenEndpointProof = try proof(&options)
        if let names = try options.strings("id_token_signed_response_algs"), !names.isEmpty {
            let algorithms = names.compactMap(JWSAlgorithm.init(rawValue:))
            guard algorithms.count == names.count else {
                throw options.problem("id_token_signed_response_algs", "has an algorithm that is not known here")
            }
            provider.algorithms = Set(algorithms)
        }
        provider.attributes = try AttributeMap(&options)
        provider.forwarded = try ForwardedParameter.read(&options)
        return provider
    }

    private static func proof(_ options: inout Document) throws(Document.Problem) -> TokenEndpointProof? {
        guard let text = try options.string("token_endpoint_auth_method") else { return nil }
        guard let proof = TokenEndpointProof(rawValue: text) else {
            throw options.problem(
                "token_endpoint_auth_method", "must be client_secret_basic or client_secret_post in this version")
        }
        return proof
    }

    /// What the provider is, where the options say all of it.
    private static func metadata(
        _ options: inout Document, issuer: String?
    ) throws(Document.Problem) -> OIDCMetadata? {
        let authorization = try options.endpoint("authorization_endpoint")
        let (token, keys) = (try options.endpoint("token_endpoint"), try options.endpoint("jwks_uri"))
        let userInfo = try options.endpoint("userinfo_endpoint")
        let logout = try options.endpoint("end_session_endpoint")
        guard let issuer, let authorization, let keys else { return nil }
        var metadata = OIDCMetadata(issuer: issuer, authorizationEndpoint: authorization)
        (metadata.tokenEndpoint, metadata.keysURL, metadata.userInfoEndpoint) = (token, keys, userInfo)
        metadata.endSessionEndpoint = logout
        return metadata
    }
}
