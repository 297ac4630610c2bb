import AuthorizationServer
import OAuth
import Storage

/// Any provider of OAuth 2.0: Auth0's custom social connections.
///
/// A script says who has signed in (`scripts.fetchUserProfile`). `portico_profile` says the same without one, and goes before it: the
/// `url` that describes the owner of an access token, and a `map` of what is called otherwise there.
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
                try await source.profile(answer, connection, services)
            })
    }
}

/// Who an access token is for, as a connection's options say how to find out.
private struct ProfileSource: Sendable {
    let url: String?
    let map: ProfileMap
    let script: ProfileScript?

    init(_ options: inout Document) throws(Document.Problem) {
        var settings = try options.document(OAuth2Strategy.profileOption)
        url = try settings?.requiredEndpoint("url")
        if var members = try settings?.document("map") {
            map = try ProfileMap(&members)
        } else {
            map = .standard
        }
        _ = try settings?.remaining(known: [])
        var scripts = try options.document("scripts")
        let source = try scripts?.string("fetchUserProfile", most: ProfileScript.mostBytes)
        script = source.flatMap { $0.isEmpty ? nil : ProfileScript(source: $0) }
    }

    func profile(
        _ answer: TokenAnswer, _ connection: Connection, _ services: Services
    ) async throws(UpstreamFailure) -> UpstreamProfile {
        let token = answer.accessToken ?? ""
        guard let url else {
            guard let script else {
                throw .misconfigured(
                    cause: "Nothing says who it is",
                    mend: "Set options.scripts.fetchUserProfile, or options.\(OAuth2Strategy.profileOption).url to the "
                        + "address that describes the user")
            }
            return try map.profile(try await script.members(token, answer.members, of: connection, services))
        }
        let value = try await services.askProvider(about: token, url)
        guard let members = value.object else {
            throw .unavailable(cause: "\(url.forDisplay) did not answer with an object", mend: "Check the address")
        }
        return try map.profile(members)
    }
}
