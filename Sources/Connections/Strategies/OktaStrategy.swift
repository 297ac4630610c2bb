import AuthorizationServer
import OAuth
import Storage

/// Okta's Workforce Identity: OpenID Connect at the organization's domain.
struct OktaStrategy: ConnectionStrategy {
    let discovery: DiscoveryCache

    let names: Set<String> = ["okta"]
    let family = ConnectionFamily.enterprise
    let manner = ConnectionManner.redirect
    let secretOptions = OIDCOptions.secrets
    let secretRecipients = OIDCOptions.recipients

    func login(_ connection: Connection, _ options: inout Document) throws(Document.Problem) -> ConnectionLogin {
        var provider = try OIDCOptions.provider(&options)
        let domain = try options.string("domain", most: 255)
        if let domain {
            guard domain.wholeMatch(of: /[A-Za-z0-9.-]+(?::[0-9]{1,5})?/) != nil else {
                throw options.problem("domain", "must be a domain such as example.okta.com")
            }
            provider.discoveryURL = OIDCLogin.discoveryURL(of: "https://\(domain)")
        }
        guard provider.metadata != nil || provider.discoveryURL != nil else {
            throw options.problem("domain", "is required")
        }
        return .redirect(OIDCLogin(provider: provider, discovery: discovery))
    }
}
