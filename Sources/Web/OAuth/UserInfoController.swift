import AuthorizationServer
import Foundation
import HTTPTypes
import Hummingbird
import OAuth

/// `GET` and `POST /userinfo`; errors as [RFC 6750 §3](https://www.rfc-editor.org/rfc/rfc6750#section-3) says.
struct UserInfoController: Sendable {
    let services: Services

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .get("userinfo", use: claims)
            .post("userinfo", use: claims)
            .on("userinfo", method: .options) { _, _ in Response(status: .noContent) }
    }

    @Sendable private func claims(_ request: Request, context: WebContext) async throws -> Response {
        do {
            guard let token = try await accessToken(request, context) else { return challenge(nil) }
            return try Response.json(await UserInfoEndpoint(services: services).claims(accessToken: token))
        } catch let error as OAuthError where error.code != .serverError {
            return challenge(error)
        }
    }

    /// The token of the `Authorization` header, or of a form body (RFC 6750 §2.1, §2.2); never of the query.
    private func accessToken(_ request: Request, _ context: WebContext) async throws -> String? {
        if let header = request.headers[.authorization] {
            guard header.lowercased().hasPrefix("bearer ") else { return nil }
            return String(header.dropFirst(7)).trimmed
        }
        guard request.method == .post, request.headers[.contentType]?.hasPrefix("application/x-www-form") == true else {
            return nil
        }
        return try await FormBody.parameters(of: request, context: context)["access_token"]
    }

    private func challenge(_ error: OAuthError?) -> Response {
        guard let error else {
            var response = Response.text("Unauthorized", status: .unauthorized)
            response.headers[.wwwAuthenticate] = #"Bearer realm="Users""#
            return response
        }
        let status: HTTPResponse.Status =
            switch error.code {
            case .insufficientScope: .forbidden
            case .invalidRequest: .badRequest
            default: .unauthorized
            }
        let description = error.description.replacing("\"", with: "'")
        let scope = error.code == .insufficientScope ? #", scope="openid""# : ""
        var response = Response.text(status == .unauthorized ? "Unauthorized" : description, status: status)
        response.headers[.wwwAuthenticate] =
            #"Bearer realm="Users", error="\#(error.code.rawValue)", error_description="\#(description)"\#(scope)"#
        return response
    }
}
