import OAuth
import Storage

extension ConfigurationCache {
    /// What a client grant gives the client of an API's scope.
    /// - Throws: ``OAuthError`` where the client has none for the API.
    func scope(grantedTo client: Client, for api: ResourceServer) async throws -> Scope {
        guard let grant = try await clientGrant(clientID: client.clientID, audience: api.identifier) else {
            throw OAuthError.accessDenied(
                "Client \"\(client.clientID)\" is not authorized to access resource server \"\(api.identifier)\".",
                hint: "Add a client grant for this application and this API to the tenant (clientGrants).",
                reason: .audience)
        }
        return grant.scope.intersection(api.scope)
    }
}
