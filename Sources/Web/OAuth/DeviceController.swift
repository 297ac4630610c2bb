import AuthorizationServer
import HTTPTypes
import Hummingbird
import OAuth

/// `POST /oauth/device/code`.
struct DeviceController: Sendable {
    let services: Services

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .post("oauth/device/code", use: begin)
            .on("oauth/device/code", method: .options) { _, _ in Response(status: .noContent) }
    }

    @Sendable private func begin(_ request: Request, context: WebContext) async throws -> Response {
        let parameters = try await FormBody.parameters(of: request, context: context, allowsJSON: true)
        return try Response.json(
            await DeviceAuthorizationEndpoint(services: services).begin(
                parameters, authorizationHeader: request.headers[.authorization], address: context.clientAddress,
                certificate: context.clientCertificate))
    }
}
