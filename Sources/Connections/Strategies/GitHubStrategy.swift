import AuthorizationServer
import OAuth
import Storage

/// GitHub, and GitHub Enterprise at a base URL of its own: OAuth 2.0, `/user` and `/user/emails`.
struct GitHubStrategy: ConnectionStrategy {
    let names: Set<String> = ["github"]
    let family = ConnectionFamily.social
    let manner = ConnectionManner.redirect
    let secretOptions: Set<String> = ["client_secret"]
    let secretRecipients: Set<String> = ["base_url", "client_id"]

    /// Auth0's names of scopes that GitHub calls otherwise.
    private static let scopes = [
        "email": "user:email", "profile": "read:user", "follow": "user:follow", "read_user": "read:user",
        "repo_status": "repo:status", "read_org": "read:org", "write_org": "write:org", "admin_org": "admin:org",
        "read_public_key": "read:public_key", "write_public_key": "write:public_key",
        "admin_public_key": "admin:public_key", "read_repo_hook": "read:repo_hook",
        "write_repo_hook": "write:repo_hook", "admin_repo_hook": "admin:repo_hook",
    ]

    func login(_ connection: Connection, _ options: inout Document) throws(Document.Problem) -> ConnectionLogin {
        let base = try options.endpoint("base_url").map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
        let site = base ?? "https://github.com"
        let api = base.map { "\($0)/api/v3" } ?? "https://api.github.com"
        var provider = OAuth2Provider(
            authorizationURL: "\(site)/login/oauth/authorize", tokenURL: "\(site)/login/oauth/access_token",
            clientID: try options.requiredString("client_id", most: 1024),
            secret: try options.string("client_secret").map { .text($0) } ?? .none,
            scope: try options.scope("scope", standard: ["user:email"]).map { Self.scopes[$0] ?? $0 })
        provider.issuer = "\(site)/login/oauth"
        // GitHub's word for the account that somebody probably has.
        provider.forwarded =
            [ForwardedParameter("login", .parameter("login_hint"))] + (try ForwardedParameter.read(&options))
        return .redirect(
            OAuth2Login(provider: provider) { answer, _, services async throws(UpstreamFailure) in
                try await Self.profile(answer.accessToken ?? "", api, services)
            })
    }

    private static let accept = "application/vnd.github+json"
    private static let headers = [(name: "X-GitHub-Api-Version", value: "2022-11-28")]

    private static func profile(
        _ accessToken: String, _ api: String, _ services: Services
    ) async throws(UpstreamFailure) -> UpstreamProfile {
        let value = try await services.askProvider(
            about: accessToken, "\(api)/user", accept: accept, headers: headers)
        // The number stays when the user takes another name, which somebody else may take then.
        guard let members = value.object, let id = members["id"]?.integer else {
            throw .unavailable(cause: "\(api)/user has no id", mend: "Check base_url")
        }
        var profile = UpstreamProfile(id: String(id))
        profile.attributes = members
        for name in ["id", "email", "login", "avatar_url"] { profile.attributes[name] = nil }
        profile.attributes["nickname"] = members["login"]
        profile.attributes["name"] = members["name"]?.string == nil ? members["login"] : members["name"]
        profile.attributes["picture"] = members["avatar_url"]
        let address = try await address(accessToken, api, services)
        profile.email = address?.text ?? members["email"]?.string
        profile.isEmailVerified = address?.isVerified ?? false
        return profile
    }

    /// The primary address; nil where the user has not let the connection see it. An outage is no such answer: the user would
    /// lose the address until the next login.
    private static func address(
        _ accessToken: String, _ api: String, _ services: Services
    ) async throws(UpstreamFailure) -> (text: String, isVerified: Bool)? {
        let value = try await services.askProvider(
            about: accessToken, "\(api)/user/emails", accept: accept, headers: headers, forbidden: [403, 404])
        let addresses = (value.array ?? []).compactMap(\.object)
        let primary =
            addresses.first { $0["primary"]?.bool == true } ?? addresses.first { $0["verified"]?.bool == true }
        guard let primary, let text = primary["email"]?.string else { return nil }
        return (text, primary["verified"]?.bool ?? false)
    }
}
