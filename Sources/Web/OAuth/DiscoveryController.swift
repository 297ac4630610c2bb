import AuthorizationServer
import Foundation
import HTTPTypes
import Hummingbird
import OAuth

/// The documents that clients configure themselves from.
struct DiscoveryController: Sendable {
    let services: Services

    /// Clients may keep them for five minutes, well within the time that a next key is published before it signs.
    private static let cacheControl = "public, max-age=300"

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .get(".well-known/openid-configuration", use: document)
            .get(".well-known/oauth-authorization-server", use: document)
            .get(".well-known/jwks.json", use: keys)
            .on(".well-known/openid-configuration", method: .options) { _, _ in Response(status: .noContent) }
            .on(".well-known/jwks.json", method: .options) { _, _ in Response(status: .noContent) }
    }

    @Sendable private func document(_ request: Request, context: WebContext) async throws -> Response {
        .json(
            bytes: try await services.configuration.providerMetadata(services.issuer, services.mutualTLS),
            cacheControl: Self.cacheControl)
    }

    @Sendable private func keys(_ request: Request, context: WebContext) async throws -> Response {
        .json(bytes: try await services.configuration.keyRing().jsonWebKeySetBytes, cacheControl: Self.cacheControl)
    }
}
