import AuthorizationServer
import Foundation
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

    /// Whose key encrypted assertions are for.
    enum Decryption: Sendable {
        /// The tenant's RSA keys, as its requests are signed with.
        case tenant
        /// The connection's own.
        case own(SigningKeyPair, certificate: String?)
    }

    let source: Source
    /// The provider's binding for requests, where the connection names one.
    let binding: Binding?
    let allowsSHA1: Bool
    let signsRequests: Bool
    /// What the provider knows this server as; nil for the address of the connection's metadata.
    let entityID: String?
    let profile: SAMLProfile
    /// Whose key encrypted assertions are for; nil where none are read.
    let decryption: Decryption?
    /// The login of whoever begins at the provider; nil where nobody may.
    let initiated: UnsolicitedLogin?

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
        guard try !options.bool(Connection.ownCallbackOption, default: false) else {
            throw options.problem(Connection.ownCallbackOption, "is not for SAML, whose address has the name anyway")
        }
        entityID = try options.string("entityId", most: 1024)
        profile = try SAMLProfile(&options)
        decryption = try Self.decryption(&options)
        initiated = try Self.initiated(&options)
        source = try Self.source(&options, binding)
    }

    /// Auth0's `decryptionKey`, and the switch for the tenant's own key.
    private static func decryption(_ options: inout Document) throws(Document.Problem) -> Decryption? {
        let usesTenants = try options.bool("portico_encrypted_assertions", default: false)
        guard var settings = try options.document(SAMLStrategy.decryptionOption) else {
            return usesTenants ? .tenant : nil
        }
        let pem = try settings.requiredString("key", most: 65_536)
        guard let key = try? SigningKeyPair(pem: pem), key.kind == .rsa else {
            throw settings.problem("key", "must be a private RSA key as PEM, without a password")
        }
        let certificate = try settings.string("cert", most: 65_536)?.split(whereSeparator: \.isNewline)
            .filter { !$0.hasPrefix("-----") }.joined()
        return .own(key, certificate: certificate)
    }

    /// Auth0's `idpinitiated`: whose login it is that begins at the provider, and with which parameters.
    private static func initiated(_ options: inout Document) throws(Document.Problem) -> UnsolicitedLogin? {
        guard var settings = try options.document("idpinitiated"), try settings.bool("enabled", default: false) else {
            return nil
        }
        let clientID = try settings.requiredString("client_id", most: 255)
        let protocols = ["oauth2", "oidc", "openid-connect"]
        guard protocols.contains(try settings.string("client_protocol") ?? protocols[0]) else {
            throw settings.problem("client_protocol", "must be oauth2: applications speak nothing else here")
        }
        var parameters = ["response_type": "code", "scope": "openid profile email"]
        var seen: Set<String> = []
        for field in (try settings.string("client_authorizequery", most: 4096) ?? "").split(separator: "&") {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map {
                $0.replacing("+", with: " ").removingPercentEncoding
            }
            guard let name = parts[0], let value = parts.count == 2 ? parts[1] : "", !name.isEmpty,
                seen.insert(name).inserted, !["client_id", "connection", "request", "request_uri"].contains(name)
            else {
                throw settings.problem(
                    "client_authorizequery",
                    "must be a query with each parameter once, and without client_id, connection and request")
            }
            parameters[name] = value
        }
        return UnsolicitedLogin(clientID: clientID, parameters: parameters)
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
