import AuthorizationServer
import Hummingbird
import OAuth

/// `GET /samlp/metadata?connection=NAME`: what a SAML provider is told about this server.
struct SAMLMetadataController: Sendable {
    let services: Services

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self).get("samlp/metadata", use: show)
    }

    @Sendable private func show(_ request: Request, context: WebContext) async throws -> Response {
        let name = try FormBody.query(of: request).require("connection")
        guard let text = try await UpstreamLogin(services: services).metadata(connection: name) else {
            throw OAuthError.invalidRequest(
                "There is no SAML connection '\(name.forDisplay)'", hint: "Name one whose strategy is samlp.")
        }
        return Response(
            status: .ok, headers: [.contentType: "application/samlmetadata+xml"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
