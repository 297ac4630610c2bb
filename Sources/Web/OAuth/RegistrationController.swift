import AuthorizationServer
import Foundation
import HTTPTypes
import Hummingbird
import OAuth

/// `POST /oidc/register`, and `GET`, `PUT` and `DELETE` of what was registered there.
struct RegistrationController: Sendable {
    let services: Services

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .post("oidc/register", use: register)
            .on("oidc/register", method: .options) { _, _ in Response(status: .noContent) }
            .get("oidc/register/:client", use: read)
            .put("oidc/register/:client", use: update)
            .delete("oidc/register/:client", use: delete)
    }

    private var endpoint: RegistrationEndpoint { RegistrationEndpoint(services: services) }

    @Sendable private func register(_ request: Request, context: WebContext) async throws -> Response {
        try Response.json(
            await endpoint.register(Self.metadata(request, context), address: context.clientAddress), status: .created)
    }

    @Sendable private func read(_ request: Request, context: WebContext) async throws -> Response {
        try await challenging {
            try Response.json(await endpoint.read(Self.clientID(context), accessToken: Self.token(request)))
        }
    }

    @Sendable private func update(_ request: Request, context: WebContext) async throws -> Response {
        try await challenging {
            try Response.json(
                await endpoint.update(
                    Self.clientID(context), Self.metadata(request, context), accessToken: Self.token(request),
                    address: context.clientAddress))
        }
    }

    @Sendable private func delete(_ request: Request, context: WebContext) async throws -> Response {
        try await challenging {
            try await endpoint.delete(Self.clientID(context), accessToken: Self.token(request))
            return Response(status: .noContent, headers: [.cacheControl: "no-store"])
        }
    }

    /// A token that is not good is told as [RFC 6750 §3](https://www.rfc-editor.org/rfc/rfc6750#section-3) says.
    private func challenging(_ body: () async throws -> Response) async throws -> Response {
        do {
            return try await body()
        } catch let error as OAuthError where error.code == .invalidToken || error.code == .insufficientScope {
            var response = try Response.json(
                ["error": error.code.rawValue, "error_description": error.description],
                status: error.code == .invalidToken ? .unauthorized : .forbidden)
            response.headers[.wwwAuthenticate] =
                #"Bearer realm="Clients", error="\#(error.code.rawValue)", error_description="\#(error.description)""#
            return response
        }
    }

    private static func clientID(_ context: WebContext) -> String { context.parameters.get("client") ?? "" }

    private static func token(_ request: Request) -> Secret? {
        guard let header = request.headers[.authorization], header.lowercased().hasPrefix("bearer ") else { return nil }
        let token = String(header.dropFirst(7)).trimmed
        return token.isEmpty ? nil : Secret(token)
    }

    /// More than any client has to say about itself.
    private static let mostBytes = 32 * 1024

    private static func metadata(_ request: Request, _ context: WebContext) async throws -> JSONObject {
        try await FormBody.object(
            of: request, mostBytes: mostBytes, refusal: OAuthError.Code.invalidClientMetadata)
    }
}
