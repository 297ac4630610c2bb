import Foundation
import Logging
import OAuth
import Storage

/// Whether a client may have pairwise subjects in the sector that it names: OpenID Connect Core §8.1, OpenID Connect
/// Dynamic Client Registration §5.
struct SectorIdentifier {
    let services: Services

    /// - Throws: ``OAuthError`` `invalid_client_metadata` where the redirect URIs do not belong to one sector.
    func check(_ client: Client) async throws {
        let isPairwise = client.openID.subjectType == .pairwise
        guard !isPairwise || !client.callbacks.isEmpty, !isPairwise || Self.hasOnlyRedirects(client) else {
            throw Self.refusal(
                "subject_type",
                "pairwise needs redirect_uris, and grant types that use them: they are the proof of the "
                    + "sector")
        }
        if let uri = client.openID.sectorIdentifierURI {
            let listed = try await list(at: uri)
            if let missing = client.callbacks.first(where: { !listed.contains($0.text) }) {
                throw Self.refusal(
                    "sector_identifier_uri", "its list lacks the redirect URI '\(missing.text.forDisplay)'")
            }
        } else if isPairwise {
            let hosts = Set(client.callbacks.map { RedirectURI($0.text)?.host.lowercased() ?? "" })
            guard hosts.count == 1, hosts.first?.isEmpty == false else {
                throw Self.refusal(
                    "sector_identifier_uri",
                    "is required where the redirect_uris of a pairwise client have not one host")
            }
            // Every program on every machine is there, and all of them would be one sector.
            guard !client.callbacks.contains(where: { RedirectURI($0.text)?.isLoopback == true }) else {
                throw Self.refusal(
                    "sector_identifier_uri", "is required where a pairwise client's redirect_uris are on localhost")
            }
        }
    }

    /// A client that gets tokens without a redirect could name a sector that is not its own.
    private static func hasOnlyRedirects(_ client: Client) -> Bool {
        client.grantTypes.isSubset(of: [.authorizationCode, .implicit, .refreshToken])
    }

    private func list(at uri: String) async throws -> Set<String> {
        do {
            let response = try await services.outbound.send(
                OutboundRequest(.get, uri, accept: "application/json", mostBytes: 65_536))
            if response.status == 200, let list = try? JSON.decode([String].self, from: response.body) {
                return Set(list)
            }
            services.logger.info("sector_identifier_uri has no list", metadata: ["status": "\(response.status)"])
        } catch {
            // Why exactly is for the log: a stranger must not learn which hosts there are behind this server.
            services.logger.info("sector_identifier_uri cannot be fetched", metadata: ["cause": "\(error)"])
        }
        throw Self.refusal(
            "sector_identifier_uri",
            "must answer 200 with a JSON list of redirect URIs, without a redirect, from a public "
                + "address")
    }

    private static func refusal(_ path: String, _ message: String) -> OAuthError {
        OAuthError(
            .invalidClientMetadata, "\(path): \(message)",
            hint: "OpenID Connect Core §8.1 says what a sector is and how its list proves it.")
    }
}
