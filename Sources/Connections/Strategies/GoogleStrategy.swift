import AuthorizationServer
import OAuth
import Storage

/// Google's accounts, over OpenID Connect.
struct GoogleStrategy: ConnectionStrategy {
    let discovery: DiscoveryCache

    let names: Set<String> = ["google-oauth2"]
    let family = ConnectionFamily.social
    let manner = ConnectionManner.redirect
    let secretOptions = OIDCOptions.secrets
    let secretRecipients: Set<String> = ["client_id"]

    func login(_ connection: Connection, _ options: inout Document) throws(Document.Problem) -> ConnectionLogin {
        var provider = OIDCProvider(
            clientID: try options.requiredString("client_id", most: 1024),
            secret: try options.string("client_secret").map { .text($0) } ?? .none)
        var metadata = OIDCMetadata(
            issuer: "https://accounts.google.com",
            authorizationEndpoint: "https://accounts.google.com/o/oauth2/v2/auth")
        metadata.tokenEndpoint = "https://oauth2.googleapis.com/token"
        metadata.keysURL = "https://www.googleapis.com/oauth2/v3/certs"
        metadata.userInfoEndpoint = "https://openidconnect.googleapis.com/v1/userinfo"
        provider.metadata = metadata
        provider.scope = ["openid"] + (try options.scope("scope", standard: ["profile", "email"]))
        // Google's own parameters, which Auth0 takes with every request.
        provider.forwarded =
            ["access_type", "approval_prompt", "hd", "include_granted_scopes"].map {
                ForwardedParameter($0, .parameter($0))
            } + (try ForwardedParameter.read(&options))
        return .redirect(OIDCLogin(provider: provider, discovery: discovery))
    }
}
