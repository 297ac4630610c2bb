import AuthorizationServer
import HTTPTypes
import Hummingbird
import OAuth

/// `POST /oauth/introspect`.
struct IntrospectionController: Sendable {
    let services: Services

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self).post("oauth/introspect", use: introspect)
    }

    @Sendable private func introspect(_ request: Request, context: WebContext) async throws -> Response {
        let parameters = try await FormBody.parameters(of: request, context: context, allowsJSON: true)
        return try Response.json(
            await IntrospectionEndpoint(services: services).introspect(
                parameters, authorizationHeader: request.headers[.authorization],
                certificate: context.clientCertificate))
    }
}
