import AuthorizationServer
import OAuth
import Storage

/// LinkedIn: OAuth 2.0, and the userinfo endpoint of its "Sign In with LinkedIn using OpenID Connect".
struct LinkedInStrategy: ConnectionStrategy {
    let names: Set<String> = ["linkedin"]
    let family = ConnectionFamily.social
    let manner = ConnectionManner.redirect
    let secretOptions: Set<String> = ["client_secret"]
    let secretRecipients: Set<String> = ["client_id"]

    private static let map = ProfileMap(["user_id": "sub"])

    func login(_ connection: Connection, _ options: inout Document) throws(Document.Problem) -> ConnectionLogin {
        var provider = OAuth2Provider(
            authorizationURL: "https://www.linkedin.com/oauth/v2/authorization",
            tokenURL: "https://www.linkedin.com/oauth/v2/accessToken",
            clientID: try options.requiredString("client_id", most: 1024),
            secret: try options.string("client_secret").map { .text($0) } ?? .none,
            scope: try options.scope("scope", standard: ["openid", "profile", "email"]))
        provider.issuer = "https://www.linkedin.com/oauth"
        // LinkedIn takes proof keys at another address, and from other applications.
        provider.usesPKCE = false
        provider.forwarded = try ForwardedParameter.read(&options)
        return .redirect(
            OAuth2Login(provider: provider) { answer, _, services async throws(UpstreamFailure) in
                let value = try await services.askProvider(
                    about: answer.accessToken ?? "", "https://api.linkedin.com/v2/userinfo")
                return try Self.map.profile(value.object ?? [:])
            })
    }
}
