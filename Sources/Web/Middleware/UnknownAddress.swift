import HTTPTypes
import Hummingbird
import OAuth

/// Answers what no route does, inside the other middleware, so that this answer too has their headers.
struct UnknownAddress: RouterMiddleware {
    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as any HTTPResponseError {
            guard error.status == .notFound else { return try error.response(from: request, context: context) }
            return .text(
                "Not found: \(request.method) \(request.uri.path.forDisplay) is no address of this server. "
                    + "/.well-known/openid-configuration lists those for applications.\n", status: .notFound)
        }
    }
}
