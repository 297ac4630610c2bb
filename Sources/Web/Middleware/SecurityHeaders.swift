import HTTPTypes
import Hummingbird

/// Headers that every answer has, and the strictest policy for answers that set none of their own.
struct SecurityHeaders: RouterMiddleware {
    /// Whether browsers shall never again speak http with this host. Not in development: on localhost that would bind
    /// every other program on it.
    let isStrict: Bool

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        response.headers[.xContentTypeOptions] = "nosniff"
        set(&response, "Referrer-Policy", "no-referrer")
        // A page that names who may frame it says so in its policy, which this older header cannot.
        if response.headers[.contentSecurityPolicy]?.contains(Self.framed) != true {
            set(&response, "X-Frame-Options", "DENY")
        }
        if HTTPField.Name("Cross-Origin-Opener-Policy").flatMap({ response.headers[$0] }) == nil {
            set(&response, "Cross-Origin-Opener-Policy", "same-origin")
        }
        if response.headers[.contentSecurityPolicy] == nil {
            response.headers[.contentSecurityPolicy] = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"
        }
        if isStrict { response.headers[.strictTransportSecurity] = "max-age=31536000; includeSubDomains" }
        return response
    }

    private static let framed = "frame-ancestors http"

    private func set(_ response: inout Response, _ name: String, _ value: String) {
        if let name = HTTPField.Name(name) { response.headers[name] = value }
    }
}
