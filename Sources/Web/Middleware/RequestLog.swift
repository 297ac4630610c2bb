import HTTPTypes
import Hummingbird
import Logging

/// Tells each request's id, and writes one line when it is answered. The query is left out: it carries codes, states
/// and e-mail addresses.
struct RequestLog: RouterMiddleware {
    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        let clock = ContinuousClock()
        let start = clock.now
        var response = try await next(request, context)
        response.headers[.requestID] = context.requestID
        context.logger.debug(
            "\(request.method) \(request.uri.path)",
            metadata: ["status": "\(response.status.code)", "duration": "\(clock.now - start)"])
        return response
    }
}

extension HTTPField.Name {
    /// The id under which the log has a request. A valid literal, so it always exists.
    static let requestID = HTTPField.Name("X-Request-Id") ?? .server
}
