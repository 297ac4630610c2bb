import AuthorizationServer
import OAuth
import SAML
import Storage

/// The options of a SAML connection, read.
struct SAMLSettings: Sendable {
    /// Where the provider is described.
    enum Source: Sendable {
        case known(IdentityProvider)
        /// The address of its metadata.
        case metadata(url: String)
    }

    let source: Source
    /// The provider's binding for requests, where the connection names one.
    let binding: Binding?
    let allowsSHA1: Bool
    let signsRequests: Bool
    /// What the provider knows this server as; nil for the address of the connection's metadata.
    let entityID: String?
    let profile: SAMLProfile

    /// - Throws: ``Document/Problem``.
    init(_ options: inout Document) throws(Document.Problem) {
        binding = try options.oneOf("protocolBinding", Binding.self)
        allowsSHA1 = try options.bool("portico_accept_sha1", default: false)
        signsRequests = try options.bool("signSAMLRequest", default: false)
        for (name, only) in [("signatureAlgorithm", "rsa-sha256"), ("digestAlgorithm", "sha256")] {
            let algorithm = try options.string(name)
            guard !signsRequests || algorithm == nil || algorithm == only else {
                throw options.problem(name, "must be \(only): requests are signed with nothing weaker")
            }
        }
        entityID = try options.string("entityId", most: 1024)
        profile = try SAMLProfile(&options)
        if var initiated = try options.document("idpinitiated"), try initiated.bool("enabled", default: false) {
            throw options.problem(
                "idpinitiated",
                "is not supported: anybody could sign a user in as somebody else with such an answer. "
                    + "Let the provider's link lead to the application's login page")
        }
        source = try Self.source(&options, binding)
    }

    private static func source(
        _ options: inout Document, _ binding: Binding?
    ) throws(Document.Problem) -> Source {
        let endpoint = try options.string("signInEndpoint", most: 1024)
        let (current, former) = (
            try options.string("signingCert", most: 65_536), try options.string("cert", most: 65_536)
        )
        let metadata = try options.string("metadataXml", most: 1 << 20)
        let url = try options.string("metadataUrl", most: 2048)
        if let metadata, !metadata.isEmpty {
            let provider: IdentityProvider
            do throws(Metadata.Problem) {
                provider = try Metadata.provider(metadata, preferred: binding)
            } catch {
                throw options.problem("metadataXml", error.description)
            }
            return .known(try checked(provider, options))
        }
        if let endpoint, let text = current ?? former {
            let certificate: Certificate
            do throws(Certificate.Problem) {
                certificate = try Certificate(text)
            } catch {
                throw options.problem("signingCert", error.description)
            }
            let provider = IdentityProvider(
                entityID: try options.string("issuer", most: 1024), signInURL: endpoint, binding: binding ?? .redirect,
                certificates: [certificate])
            if let provider { return .known(try checked(provider, options)) }
        }
        guard let url, !url.isEmpty else {
            throw options.problem(
                endpoint == nil ? "signInEndpoint" : "signingCert", "is required, or metadataXml, or metadataUrl")
        }
        return .metadata(url: url)
    }

    private static func checked(
        _ provider: IdentityProvider, _ options: Document
    ) throws(Document.Problem) -> IdentityProvider {
        guard let uri = RedirectURI(provider.signInURL), ["http", "https"].contains(uri.scheme.lowercased()) else {
            throw options.problem("signInEndpoint", "must be an https URL that a browser can be sent to")
        }
        return provider
    }
}
