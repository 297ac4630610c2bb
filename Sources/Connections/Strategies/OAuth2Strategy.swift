import AuthorizationServer
import OAuth
import Storage

/// Any provider of OAuth 2.0: Auth0's custom social connections.
///
/// Auth0 asks a script who has signed in (`scripts.fetchUserProfile`). `portico_profile` says the same without one: the `url` that
/// describes the owner of an access token, and a `map` of what is called otherwise there.
struct OAuth2Strategy: ConnectionStrategy {
    static let profileOption = "portico_profile"

    let names: Set<String> = ["oauth2"]
    let family = ConnectionFamily.enterprise
    let manner = ConnectionManner.redirect
    let secretOptions: Set<String> = ["client_secret", "customHeaders"]
    let secretRecipients: Set<String> = ["client_id", "tokenURL"]

    func login(_ connection: Connection, _ options: inout Document) throws(Document.Problem) -> ConnectionLogin {
        var provider = OAuth2Provider(
            authorizationURL: try options.requiredEndpoint("authorizationURL"),
            tokenURL: try options.requiredEndpoint("tokenURL"),
            clientID: try options.requiredString("client_id", most: 1024),
            secret: try options.string("client_secret").map { .text($0) } ?? .none,
            scope: try options.scope("scope", standard: []))
        provider.issuer = try options.string("issuer", most: 2048)
        provider.isOfTenantsChoice = true
        provider.usesPKCE = try options.bool("pkce_enabled", default: true)
        provider.usesBasic =
            try options.oneOf("token_endpoint_auth_method", TokenEndpointProof.self) == .basic
        provider.forwarded = try ForwardedParameter.read(&options)
        provider.parameters = try options.texts("authParams")
        provider.headers = try options.texts("customHeaders")
        let source = try ProfileSource(&options)
        return .redirect(
            OAuth2Login(provider: provider) { answer, _, services async throws(UpstreamFailure) in
                try await source.profile(answer, services)
            })
    }
}

/// Who an access token is for, as a connection's options say how to find out.
private struct ProfileSource: Sendable {
    let url: String?
    let map: ProfileMap
    let hasScript: Bool

    init(_ options: inout Document) throws(Document.Problem) {
        var settings = try options.document(OAuth2Strategy.profileOption)
        url = try settings?.requiredEndpoint("url")
        if var members = try settings?.document("map") {
            map = try ProfileMap(&members)
        } else {
            map = .standard
        }
        _ = try settings?.remaining(known: [])
        let scripts = try options.object("scripts")
        hasScript = scripts?["fetchUserProfile"]?.string?.isEmpty == false
    }

    func profile(_ answer: TokenAnswer, _ services: Services) async throws(UpstreamFailure) -> UpstreamProfile {
        guard let url else {
            throw .misconfigured(
                cause: hasScript
                    ? "The connection's script fetchUserProfile cannot run in this version" : "Nothing says who it is",
                mend: "Set options.\(OAuth2Strategy.profileOption).url to the address that describes the user")
        }
        let value = try await services.askProvider(about: answer.accessToken ?? "", url)
        guard let members = value.object else {
            throw .unavailable(cause: "\(url.forDisplay) did not answer with an object", mend: "Check the address")
        }
        return try map.profile(members)
    }
}
