import AuthorizationServer
import OAuth
import Storage

/// Microsoft's accounts: OAuth 2.0 and Microsoft Graph. Addresses in it are not verified.
struct WindowsLiveStrategy: ConnectionStrategy {
    let names: Set<String> = ["windowslive"]
    let family = ConnectionFamily.social
    let manner = ConnectionManner.redirect
    let secretOptions: Set<String> = ["client_secret"]
    let secretRecipients: Set<String> = ["client_id"]

    private static let endpoints = "https://login.microsoftonline.com/common/oauth2/v2.0"
    private static let map = ProfileMap([
        "user_id": "id", "email": "mail", "email_verified": "no such member", "name": "displayName",
        "given_name": "givenName", "family_name": "surname",
    ])

    func login(_ connection: Connection, _ options: inout Document) throws(Document.Problem) -> ConnectionLogin {
        var provider = OAuth2Provider(
            authorizationURL: "\(Self.endpoints)/authorize", tokenURL: "\(Self.endpoints)/token",
            clientID: try options.requiredString("client_id", most: 1024),
            secret: try options.string("client_secret").map { .text($0) } ?? .none,
            scope: try options.scope("scope", standard: ["User.Read"]))
        provider.forwarded =
            [ForwardedParameter("login_hint", .parameter("login_hint"))] + (try ForwardedParameter.read(&options))
        provider.logout = { leaving in
            RedirectURI("\(Self.endpoints)/logout").flatMap { base in
                RedirectURI(base.adding([(name: "post_logout_redirect_uri", value: leaving.returnURL)]))
            }
        }
        return .redirect(
            OAuth2Login(provider: provider) { answer, _, services async throws(UpstreamFailure) in
                let value = try await services.askProvider(
                    about: answer.accessToken ?? "", "https://graph.microsoft.com/v1.0/me")
                let members = value.object ?? [:]
                var profile = try Self.map.profile(members)
                profile.email = profile.email ?? members["userPrincipalName"]?.string
                return profile
            })
    }
}
