import AuthorizationServer
import HTTPTypes
import Hummingbird

/// Lets log events name the request that caused them.
struct RequestOrigins: RouterMiddleware {
    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        let origin = RequestOrigin(
            requestID: context.requestID, ip: context.clientIP, userAgent: request.headers[.userAgent],
            acceptLanguage: request.headers[.acceptLanguage])
        return try await RequestOrigin.$current.withValue(origin) { try await next(request, context) }
    }
}
