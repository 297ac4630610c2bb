import Logging
import OAuth
import Storage

/// The token endpoint, [RFC 6749 §3.2](https://www.rfc-editor.org/rfc/rfc6749#section-3.2).
package struct TokenEndpoint: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// - Parameters:
    ///   - authorizationHeader: the value of the `Authorization` header.
    ///   - isFromBrowser: whether the request has an `Origin`.
    /// - Throws: ``OAuthError``.
    package func issue(
        _ parameters: Parameters, authorizationHeader: String?, isFromBrowser: Bool
    ) async throws -> TokenResponse {
        let type = GrantType(rawValue: try parameters.require("grant_type"))
        guard let grant = Grants.make(type, services: services) else {
            throw OAuthError(
                .unsupportedGrantType, "Unsupported grant type: \(type.rawValue.forDisplay)",
                hint: "This server has " + Grants.all.map { $0.type.rawValue }.sorted().joined(separator: ", ") + ".")
        }
        let credentials = try ClientCredentials(authorizationHeader: authorizationHeader, parameters: parameters)
        let registered = try await ClientAuthenticator(configuration: services.configuration).authenticate(credentials)
        try registered.client.require(type)
        let now = services.now()
        let authorization = try await grant.redeem(
            TokenRequest(
                parameters: parameters, client: registered.client, now: now, isFromBrowser: isFromBrowser,
                resource: try await resource(parameters)))
        return try await services.tokens.issue(authorization, at: now)
    }

    private func resource(_ parameters: Parameters) async throws -> String? {
        guard let text = parameters["resource"], try await services.configuration.settings().readsResource else {
            return nil
        }
        return try ResourceIndicator.parse(text)
    }
}
