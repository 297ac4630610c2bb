import Foundation
import Logging
import OAuth
import Storage

/// Clients that were never registered: their `client_id` is the address of a document about them,
/// `draft-ietf-oauth-client-id-metadata-document`. They have no secret, belong to somebody else, and prove with PKCE that a
/// code is theirs.
struct ClientMetadataDocuments: Sendable {
    let services: Services

    /// Seconds for which a document is not fetched again.
    static let lifetime: TimeInterval = 3600
    /// The draft's own measure.
    static let mostBytes = 5 * 1024
    /// Documents of one host that are fetched in an hour.
    static let mostPerHost = 60

    /// Brings the client's row up to date, where `clientID` is the address of a document.
    /// - Throws: ``AuthorizationFailure/display(_:_:)`` where there is no document, or it describes no client.
    func refresh(_ clientID: String?) async throws {
        guard let url = clientID, url.hasPrefix("https://"),
            try await services.configuration.settings().readsClientMetadataDocuments
        else { return }
        let now = services.now()
        if try await services.stores.clientMetadataDocuments.isFresh(url, at: now) { return }
        // An administrator's own application may have such an id too.
        let known = try await services.stores.clients.find(url)
        if let known, !known.client.isMetadataDocument { return }
        do {
            let client = try client(url, try await fetch(url, isKnown: known != nil))
            try await save(client, at: now)
        } catch let error as OAuthError {
            throw AuthorizationFailure.display(error, nil)
        }
    }

    private func save(_ client: Client, at now: Date) async throws {
        let isSaved = try await services.stores.database.write { transaction in
            try ClientMetadataDocumentStore.save(
                client, until: now.addingTimeInterval(Self.lifetime), at: now, in: transaction)
        }
        try await services.configuration.refresh()
        guard isSaved else { throw OAuthError(.temporarilyUnavailable, "The server knows too many applications") }
    }

    // MARK: The document

    /// - Parameter isKnown: whether there is a client of this address: then others of its host, which anybody may make up,
    ///   do not keep it from being read again.
    private func fetch(_ url: String, isKnown: Bool) async throws -> JSONObject {
        guard let uri = RedirectURI(url), Self.isClientID(uri, url) else {
            throw Self.refusal(
                "The client_id is no address of a client metadata document",
                hint:
                    "It is an https address with a path, without user, fragment, '.' and '..' segments, of at most 255 "
                    + "characters.")
        }
        let refusal = try await services.stores.rateLimits.refusal(
            "client metadata \(isKnown ? url : uri.host.lowercased())", most: Self.mostPerHost, window: 3600,
            at: services.now())
        if let refusal {
            throw OAuthError(
                .tooManyRequests, "Too many applications of \(uri.host.forDisplay); try again in an hour",
                retryAfter: refusal)
        }
        let response: OutboundResponse
        do throws(OutboundFailure) {
            response = try await services.outbound.send(
                OutboundRequest(.get, url, accept: "application/json", mostBytes: Self.mostBytes))
        } catch {
            // Why exactly is for the log: a stranger must not learn which hosts there are behind this server.
            services.logger.info(
                "client metadata document cannot be fetched",
                metadata: ["url": "\(url.forDisplay)", "cause": "\(error)"])
            throw Self.refusal(
                "The application's metadata cannot be fetched from \(url.forDisplay)",
                hint:
                    "The address must answer within five seconds, from a public address, without a redirect and with at "
                    + "most 5 KiB. The server's log has the cause.")
        }
        let type = (response.contentType ?? "").lowercased().prefix { $0 != ";" }.trimmed
        guard response.status == 200, type == "application/json" || type.hasSuffix("+json"),
            let members = try? JSON.decode(JSONObject.self, from: response.body)
        else {
            throw Self.refusal(
                "There is no client metadata document at \(url.forDisplay)",
                hint:
                    "It answered status \(response.status) and type '\(type.forDisplay)'; it must answer 200 with a JSON "
                    + "object of the type application/json.")
        }
        return members
    }

    /// Simple strings, compared as they are: none that a server could read as another.
    private static func isClientID(_ uri: RedirectURI, _ text: String) -> Bool {
        let path = text.dropFirst("https://".count).drop { $0 != "/" }
        let segments = path.prefix { $0 != "?" }.split(separator: "/", omittingEmptySubsequences: false)
        return uri.text == text && text.utf8.count <= 255 && path.count > 1 && !text.contains("*")
            && !segments.contains { [".", "..", "%2e", "%2e%2e", ".%2e", "%2e."].contains($0.lowercased()) }
    }

    private func client(_ url: String, _ members: JSONObject) throws(OAuthError) -> Client {
        guard members["client_id"]?.string == url else {
            throw Self.refusal(
                "The client metadata document describes another client than its address",
                hint: "Its client_id must be the very text \(url.forDisplay).")
        }
        for name in ["client_secret", "client_secret_expires_at", "sector_identifier_uri", "software_statement"]
        where members[name] ?? .null != .null {
            throw Self.refusal("The client metadata document must not have \(name)", hint: "Remove it.")
        }
        guard ["none", nil].contains(members["token_endpoint_auth_method"]?.string) else {
            throw Self.refusal(
                "The client metadata document must have the token_endpoint_auth_method none",
                hint: "Everybody can read the document, so it cannot hold a secret; PKCE protects the code.")
        }
        var known = members
        known["token_endpoint_auth_method"] = "none"
        var client = Client(clientID: url, name: "")
        (client.isFirstParty, client.isMetadataDocument) = (false, true)
        do throws(OAuthError) {
            try ClientMetadata.apply(known, to: &client, algorithms: .standard)
        } catch {
            throw Self.refusal("The client metadata document is wrong: \(error.description)", hint: error.hint)
        }
        guard client.grantTypes.isSubset(of: [.authorizationCode, .refreshToken]), !client.callbacks.isEmpty,
            client.openID.subjectType == .public, client.openID.userInfoAlgorithm == nil
        else {
            throw Self.refusal(
                "The client metadata document asks for more than such a client can have",
                hint:
                    "It has the grant types authorization_code and refresh_token, public subjects and unsigned userinfo."
            )
        }
        // Anybody may claim any name; the host is the one that was asked.
        let host = RedirectURI(url)?.host.lowercased() ?? url
        client.name = members["client_name"] == nil ? host : "\(host) (\(client.name))"
        return client
    }

    private static func refusal(_ description: String, hint: String?) -> OAuthError {
        OAuthError(.invalidClientMetadata, description, hint: hint)
    }
}
