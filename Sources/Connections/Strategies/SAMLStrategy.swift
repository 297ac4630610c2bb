import AuthorizationServer
import Foundation
import OAuth
import SAML
import Storage

/// Any provider of SAML 2.0 (`samlp`): login that begins here, or where the connection says so there, answered by POST to
/// `/login/callback?connection=NAME`.
struct SAMLStrategy: ConnectionStrategy {
    let metadata = SAMLMetadataCache()

    let names: Set<String> = ["samlp"]
    let family = ConnectionFamily.enterprise
    let manner = ConnectionManner.redirect
    static let decryptionOption = "decryptionKey"
    let secretOptions: Set<String> = [SAMLStrategy.decryptionOption]
    let secretRecipients: Set<String> = []

    func takesUnsolicited(_ connection: Connection) -> Bool {
        connection.options["idpinitiated"]?.object?["enabled"]?.bool == true
    }

    func login(_ connection: Connection, _ options: inout Document) throws(Document.Problem) -> ConnectionLogin {
        .redirect(SAMLLogin(connection: connection, settings: try SAMLSettings(&options), metadata: metadata))
    }
}

/// Signing in at a provider of SAML 2.0.
struct SAMLLogin: RedirectLogin {
    let connection: Connection
    let settings: SAMLSettings
    let metadata: SAMLMetadataCache

    func begin(_ start: UpstreamStart, _ services: Services) async throws(UpstreamFailure) -> UpstreamDeparture {
        let provider = try await provider(services)
        // The protocol has no word for an age, so every one is zero.
        let isForced =
            start.parameters["prompt"]?.split(separator: " ").contains("login") == true
            || start.parameters["max_age"] != nil
        // XML wants a letter or an underscore in front.
        let id = "_" + RandomBytes.hexadecimal(40)
        let request = AuthenticationRequest(
            id: id, to: provider, for: service(start.callbackURL), at: services.now(), isForced: isForced)
        do {
            let signer = try await signer(services)
            let url = try request.redirect(relayState: start.state.text, signer: signer)
            // Addresses of browsers end somewhere; a form does not.
            if provider.binding == .redirect, let uri = RedirectURI(url) {
                return UpstreamDeparture(.redirect(uri), memory: ["id": .string(id)])
            }
            guard let action = RedirectURI(provider.signInURL) else {
                throw UpstreamFailure.misconfigured(
                    cause: "The provider's address is no URL", mend: "Correct signInEndpoint, or the metadata")
            }
            let fields = try request.form(relayState: start.state.text, signer: signer)
            return UpstreamDeparture(.form(action: action, fields: fields), memory: ["id": .string(id)])
        } catch let failure as UpstreamFailure {
            throw failure
        } catch {
            services.logger.error("a SAML request cannot be signed", metadata: ["why": "\(error)"])
            throw .unavailable(cause: "The request cannot be signed", mend: "Look at the server's log")
        }
    }

    var unsolicited: UnsolicitedLogin? { settings.initiated }

    func finish(_ arrival: UpstreamArrival, _ services: Services) async throws(UpstreamFailure) -> UpstreamProfile {
        let id = arrival.memory["id"]?.string
        guard let sent = arrival.parameters["SAMLResponse"], (id == nil) == arrival.isUnsolicited else {
            throw .untrusted(cause: "The provider came back without a SAMLResponse")
        }
        // The address is good for this connection alone, and says so.
        guard arrival.parameters["connection"] == connection.name else {
            throw .untrusted(cause: "The answer was sent to another address than the connection's")
        }
        let now = services.now()
        let reader = ResponseReader(
            provider: try await provider(services), service: service(arrival.callbackURL), requestID: id, now: now,
            unwrap: try await unwrapper(services))
        let assertion: Assertion
        do throws(AssertionRefusal) {
            assertion = try reader.read(sent)
        } catch {
            throw Self.failure(error)
        }
        guard try await isFirstUse(of: assertion, services) else {
            throw .untrusted(cause: "The assertion was used before")
        }
        return try settings.profile.profile(of: assertion)
    }

    func metadata(_ callbackURL: String, _ services: Services) async throws -> String? {
        let tenants = try await services.configuration.keyRing().current.certificate
        let encryption: String? =
            switch settings.decryption {
            case .tenant: tenants
            case .own(_, let certificate): certificate
            case nil: nil
            }
        return Metadata.text(
            of: service(callbackURL), certificate: settings.signsRequests ? tenants : nil, encryption: encryption)
    }

    // MARK: Steps

    private func provider(_ services: Services) async throws(UpstreamFailure) -> IdentityProvider {
        var provider: IdentityProvider
        switch settings.source {
        case .known(let known): provider = known
        case .metadata(let url):
            provider = try await metadata.provider(url, preferred: settings.binding, services)
        }
        provider.allowsSHA1 = settings.allowsSHA1
        return provider
    }

    /// This server as the provider knows it for this connection.
    private func service(_ callbackURL: String) -> ServiceProvider {
        let base =
            callbackURL.hasSuffix(UpstreamLogin.callbackPath)
            ? String(callbackURL.dropLast(UpstreamLogin.callbackPath.count)) : callbackURL
        return ServiceProvider(
            entityID: settings.entityID ?? "\(base)samlp/metadata?connection=\(connection.name)",
            consumerURL: "\(callbackURL)?connection=\(connection.name)")
    }

    private func signer(_ services: Services) async throws -> AuthenticationRequest.Signer? {
        guard settings.signsRequests else { return nil }
        let key = try await services.configuration.keyRing().current.key
        return { try key.sign($0, .rs256) }
    }

    /// What decrypts assertions: of the tenant's keys the former and the next one too, for providers with old metadata.
    private func unwrapper(_ services: Services) async throws(UpstreamFailure) -> KeyTransport.Unwrapper? {
        let keys: [SigningKeyPair]
        switch settings.decryption {
        case nil: return nil
        case .own(let key, _): keys = [key]
        case .tenant:
            do {
                keys = try await services.configuration.keyRing().keys.map(\.key)
            } catch {
                services.logger.error("the tenant's keys cannot be read", metadata: ["why": "\(error)"])
                throw .unavailable(cause: "The tenant's keys cannot be read", mend: "Look at the server's log")
            }
        }
        return { wrapped, transport in
            keys.lazy.compactMap {
                $0.decrypted(wrapped, digest: transport.digest, maskDigest: transport.maskDigest)
            }.first
        }
    }

    private func isFirstUse(of assertion: Assertion, _ services: Services) async throws(UpstreamFailure) -> Bool {
        do {
            return try await services.stores.database.write { [connection] transaction in
                try UsedAssertionStore.use(
                    .saml, issuer: "\(connection.id) \(assertion.issuer)", id: assertion.id,
                    expiresAt: assertion.expiresAt, in: transaction)
            }
        } catch {
            services.logger.error("a used assertion cannot be written down", metadata: ["why": "\(error)"])
            throw .unavailable(cause: "The database does not take writes", mend: "Look at the server's log")
        }
    }

    private static func failure(_ refusal: AssertionRefusal) -> UpstreamFailure {
        switch refusal {
        case .untrusted(let cause): .untrusted(cause: cause)
        case .status(let codes, let message):
            if codes.contains(AssertionRefusal.noPassive) {
                .error(code: "login_required", description: message)
            } else if codes.contains(where: AssertionRefusal.denials.contains) {
                .denied(description: message)
            } else {
                .error(code: codes.last ?? "no status code", description: message)
            }
        }
    }
}
