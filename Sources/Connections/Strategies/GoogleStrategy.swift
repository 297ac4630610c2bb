import AuthorizationServer
import OAuth
import Storage

/// Google's accounts, over OpenID Connect.
struct GoogleStrategy: ConnectionStrategy {
    /// Whose accounts.
    enum Accounts {
        /// Anybody's (`google-oauth2`).
        case all
        /// Those of a company at Google Workspace (`google-apps`), and no others of Google's.
        case company
    }

    let accounts: Accounts
    let discovery: DiscoveryCache

    let manner = ConnectionManner.redirect
    let secretOptions = OIDCOptions.secrets
    let secretRecipients: Set<String> = ["client_id"]

    var names: Set<String> { accounts == .all ? ["google-oauth2"] : ["google-apps"] }
    var family: ConnectionFamily { accounts == .all ? .social : .enterprise }

    func login(_ connection: Connection, _ options: inout Document) throws(Document.Problem) -> ConnectionLogin {
        var provider = try GoogleOptions.provider(&options)
        switch accounts {
        case .all:
            let own = try options.string("hd", most: 255)
            if let domain = own ?? GoogleOptions.hostedDomain(provider) {
                GoogleOptions.demand([domain], of: &provider)
            }
        case .company: GoogleOptions.demand(try Self.domains(&options), of: &provider)
        }
        return .redirect(OIDCLogin(provider: provider, discovery: discovery))
    }

    /// A company's domains.
    private static func domains(_ options: inout Document) throws(Document.Problem) -> [String] {
        let first = try options.string("tenant_domain", most: 255)
        let domain = try options.string("domain", most: 255) ?? first
        guard let domain else {
            throw options.problem("tenant_domain", "is required: the company's domain at Google Workspace")
        }
        let others = try options.strings("domain_aliases") ?? []
        let named = [("domain", domain), ("tenant_domain", first ?? domain)] + others.map { ("domain_aliases", $0) }
        for (name, domain) in named where ["", "*"].contains(domain.trimmed) {
            throw options.problem(name, "must be a company's domain at Google Workspace, not empty or every company's")
        }
        return named.map(\.1)
    }
}

/// What both kinds of Google's accounts have in common.
private enum GoogleOptions {
    static func provider(_ options: inout Document) throws(Document.Problem) -> OIDCProvider {
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
        provider.parameters = try options.texts("authParams")
        // Google's own parameters, which Auth0 takes with every request.
        provider.forwarded =
            ["access_type", "approval_prompt", "hd", "include_granted_scopes"].map {
                ForwardedParameter($0, .parameter($0))
            } + (try ForwardedParameter.read(&options))
        // Google has no end_session_endpoint; this is the way that Auth0 goes.
        provider.logout = { leaving in
            let back =
                "https://appengine.google.com/_ah/logout?continue="
                + FormEncoding.percentEncoded(leaving.returnURL)
            return RedirectURI("https://accounts.google.com/Logout").flatMap { base in
                RedirectURI(base.adding([(name: "continue", value: back)]))
            }
        }
        return provider
    }

    /// The `hd` that every request of the connection has; nil where it has none of its own.
    static func hostedDomain(_ provider: OIDCProvider) -> String? {
        if let parameter = provider.parameters.first(where: { $0.name == "hd" }) { return parameter.value }
        for parameter in provider.forwarded where parameter.name == "hd" {
            if case .fixed(let value) = parameter.source { return value }
        }
        return nil
    }

    /// Lets in only whose account is of one of the domains, or with `*` of any: the parameter is a wish that the user can take out
    /// of the address, the claim is Google's word
    /// ([Google](https://developers.google.com/identity/openid-connect/openid-connect#hd-param)).
    static func demand(_ domains: [String], of provider: inout OIDCProvider) {
        let known = Set(domains.map { $0.trimmed.lowercased() })
        let asked = known.count == 1 ? known.first ?? "*" : "*"
        provider.parameters = provider.parameters.filter { $0.name != "hd" } + [(name: "hd", value: asked)]
        provider.admit = { claims throws(UpstreamFailure) in
            let hosted = claims["hd"]?.string?.lowercased()
            guard let hosted, known.contains("*") || known.contains(hosted) else {
                throw .denied(description: "The Google account is not one of the company's")
            }
        }
    }
}
