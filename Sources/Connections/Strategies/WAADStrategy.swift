import AuthorizationServer
import OAuth
import Storage

/// Microsoft Entra ID (Azure Active Directory): OpenID Connect at the directory's own endpoints, or at those that all of
/// Microsoft's share.
///
/// An address in it is whatever an administrator of a directory has written there, so none counts as verified unless the
/// connection says so.
struct WAADStrategy: ConnectionStrategy {
    let discovery: DiscoveryCache

    let names: Set<String> = ["waad"]
    let family = ConnectionFamily.enterprise
    let manner = ConnectionManner.redirect
    let secretOptions = OIDCOptions.secrets
    let secretRecipients = OIDCOptions.recipients.union(["tenant_domain", "useCommonEndpoint"])

    private enum EmailTrust: String, CaseIterable {
        case never = "never_set_emails_as_verified"
        case always = "always_set_emails_as_verified"
    }
    private enum UserID: String, CaseIterable { case oid, sub }

    func login(_ connection: Connection, _ options: inout Document) throws(Document.Problem) -> ConnectionLogin {
        var provider = try OIDCOptions.provider(&options)
        let directory: String
        if try options.bool("useCommonEndpoint", default: false) {
            (directory, provider.trustsDiscovery) = ("common", true)
        } else {
            directory = try options.requiredString("tenant_domain", most: 255)
            guard directory.wholeMatch(of: /[A-Za-z0-9.-]+/) != nil else {
                throw options.problem("tenant_domain", "must be a domain such as example.onmicrosoft.com")
            }
            // The document names the directory by its id, whichever of its domains it was asked at.
            provider.trustsDiscovery = true
        }
        provider.discoveryURL = OIDCLogin.discoveryURL(of: "https://login.microsoftonline.com/\(directory)/v2.0")
        let trust = try options.oneOf("should_trust_email_verified_connection", EmailTrust.self)
        provider.trustsEmail = trust == .always
        provider.idClaim = (try options.oneOf("user_id_attribute", UserID.self) ?? .sub).rawValue
        return .redirect(OIDCLogin(provider: provider, discovery: discovery))
    }
}
