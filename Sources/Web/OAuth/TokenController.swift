import AuthorizationServer
import HTTPTypes
import Hummingbird
import OAuth

/// `POST /oauth/token`, `POST /oauth/revoke` and `POST /oauth/par`.
struct TokenController: Sendable {
    let services: Services

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .post("oauth/token", use: issue)
            .post("oauth/revoke", use: revoke)
            .post("oauth/par", use: push)
            .on("oauth/token", method: .options) { _, _ in Response(status: .noContent) }
            .on("oauth/revoke", method: .options) { _, _ in Response(status: .noContent) }
    }

    @Sendable private func issue(_ request: Request, context: WebContext) async throws -> Response {
        let parameters = try await FormBody.parameters(of: request, context: context, allowsJSON: true)
        return try Response.json(
            await TokenEndpoint(services: services).issue(
                parameters, authorizationHeader: request.headers[.authorization],
                isFromBrowser: request.headers[.origin] != nil, address: context.clientAddress,
                forwarded: request.forwardedAddress, proofs: request.headers[values: .dpop],
                certificate: context.clientCertificate))
    }

    @Sendable private func push(_ request: Request, context: WebContext) async throws -> Response {
        let parameters = try await FormBody.parameters(of: request, context: context)
        return try Response.json(
            await PushedAuthorizationEndpoint(services: services).push(
                parameters, authorizationHeader: request.headers[.authorization],
                proofs: request.headers[values: .dpop], certificate: context.clientCertificate), status: .created)
    }

    @Sendable private func revoke(_ request: Request, context: WebContext) async throws -> Response {
        let parameters = try await FormBody.parameters(of: request, context: context, allowsJSON: true)
        try await RevocationEndpoint(services: services).revoke(
            parameters, authorizationHeader: request.headers[.authorization], certificate: context.clientCertificate)
        return Response(status: .ok, headers: [.cacheControl: "no-store"])
    }
}

extension Request {
    /// Where the client says that the request comes from.
    var forwardedAddress: ForwardedAddress {
        ForwardedAddress(HTTPField.Name(ForwardedAddress.header).flatMap { headers[$0] })
    }
}
