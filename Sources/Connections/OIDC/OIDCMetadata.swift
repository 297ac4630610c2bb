import AuthorizationServer
import Foundation
import OAuth
import Synchronization

/// What a provider of OpenID Connect says of itself
/// ([OpenID Connect Discovery §3](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata)).
struct OIDCMetadata: Sendable {
    /// With `{tenantid}` in it at Microsoft's shared endpoints.
    var issuer: String
    var authorizationEndpoint: String
    var tokenEndpoint: String?
    var keysURL: String?
    var userInfoEndpoint: String?
    /// Where users log out ([RP-Initiated Logout 1.0](https://openid.net/specs/openid-connect-rpinitiated-1_0.html#OPMetadata)).
    var endSessionEndpoint: String?
    /// Whether its answers name it ([RFC 9207](https://www.rfc-editor.org/rfc/rfc9207)).
    var sendsIssuer = false
    var proofKeyMethods: [String] = []
    var tokenEndpointProofs: [String] = []

    init(issuer: String, authorizationEndpoint: String) {
        (self.issuer, self.authorizationEndpoint) = (issuer, authorizationEndpoint)
    }

    /// - Throws: ``UpstreamFailure`` for what is no metadata.
    init(_ members: JSONObject, from url: String) throws(UpstreamFailure) {
        guard let issuer = members["issuer"]?.string, let authorization = members["authorization_endpoint"]?.string
        else {
            throw .unavailable(
                cause: "\(url.forDisplay) has no issuer or no authorization_endpoint", mend: "Check discovery_url")
        }
        self.init(issuer: issuer, authorizationEndpoint: authorization)
        tokenEndpoint = members["token_endpoint"]?.string
        keysURL = members["jwks_uri"]?.string
        userInfoEndpoint = members["userinfo_endpoint"]?.string
        endSessionEndpoint = members["end_session_endpoint"]?.string
        sendsIssuer = members["authorization_response_iss_parameter_supported"]?.bool ?? false
        proofKeyMethods = members["code_challenge_methods_supported"]?.array?.compactMap(\.string) ?? []
        tokenEndpointProofs = members["token_endpoint_auth_methods_supported"]?.array?.compactMap(\.string) ?? []
    }
}

/// What providers have said of themselves, fetched when it is needed and kept for a while.
final class DiscoveryCache: Sendable {
    private struct Entry {
        let metadata: OIDCMetadata
        let fetchedAt: Date
    }

    /// Seconds for which metadata is used without asking again.
    private static let lifetime: TimeInterval = 600
    /// Seconds for which it is used while its address does not answer.
    private static let grace: TimeInterval = 3600
    private static let most = 1000

    private let entries = Mutex<[String: Entry]>([:])

    /// The metadata at `url`.
    func metadata(_ url: String, _ services: Services) async throws(UpstreamFailure) -> OIDCMetadata {
        let now = services.now()
        let known = entries.withLock { $0[url] }
        if let known, now.timeIntervalSince(known.fetchedAt) < Self.lifetime { return known.metadata }
        do throws(UpstreamFailure) {
            let members = try await services.askProvider(
                OutboundRequest(.get, url, accept: "application/json", mostBytes: 262_144))
            let metadata = try OIDCMetadata(members, from: url)
            entries.withLock { entries in
                if entries.count >= Self.most { entries = [:] }
                entries[url] = Entry(metadata: metadata, fetchedAt: now)
            }
            return metadata
        } catch {
            guard let known, now.timeIntervalSince(known.fetchedAt) < Self.grace else { throw error }
            return known.metadata
        }
    }
}
