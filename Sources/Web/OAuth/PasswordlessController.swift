import AuthorizationServer
import HTTPTypes
import Hummingbird
import OAuth

/// `POST /passwordless/start`.
struct PasswordlessController: Sendable {
    let services: Services

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .post("passwordless/start", use: start)
            .on("passwordless/start", method: .options) { _, _ in Response(status: .noContent) }
    }

    @Sendable private func start(_ request: Request, context: WebContext) async throws -> Response {
        let parameters = try await FormBody.parameters(
            of: request, context: context, allowsJSON: true, nested: ["authParams"])
        let language = HTTPField.Name("X-Request-Language").flatMap { request.headers[$0] }
        return try Response.json(
            await PasswordlessStart(services: services).send(
                parameters, authorizationHeader: request.headers[.authorization], address: context.clientAddress,
                forwarded: request.forwardedAddress, language: language))
    }
}
