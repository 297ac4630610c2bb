import AuthorizationServer
import HTTPTypes
import Hummingbird

/// Cross-origin requests of browsers' scripts, the Fetch standard's CORS protocol: who may read an answer.
struct CrossOrigin: RouterMiddleware {
    enum Policy: Sendable {
        /// Public documents.
        case anybody
        /// The origins of the applications' callbacks, web origins and allowed origins.
        case applications(ConfigurationCache)
        /// The origins that applications list as allowed origins, and no others: their scripts manage the tenant.
        case management(ConfigurationCache)
    }

    let policy: Policy

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        guard let origin = request.headers[.origin] else { return try await next(request, context) }
        let allowed = try await allowedOrigin(origin)
        if request.method == .options {
            return preflight(allowed)
        }
        var response = try await next(request, context)
        response.headers[values: .vary].append("Origin")
        if let allowed {
            response.headers[.accessControlAllowOrigin] = allowed
            response.headers[.accessControlExposeHeaders] = "X-Request-Id, WWW-Authenticate, Retry-After, DPoP-Nonce"
        }
        return response
    }

    private var methods: String {
        if case .management = policy { "GET, POST, PUT, PATCH, DELETE, OPTIONS" } else { "GET, POST, DELETE, OPTIONS" }
    }

    private func allowedOrigin(_ origin: String) async throws -> String? {
        switch policy {
        case .anybody: "*"
        case .applications(let configuration):
            try await configuration.origins().contains(origin.lowercased()) ? origin : nil
        case .management(let configuration):
            try await configuration.allowedOrigins().contains(origin.lowercased()) ? origin : nil
        }
    }

    private func preflight(_ allowed: String?) -> Response {
        var response = Response(status: .noContent)
        response.headers[.vary] = "Origin, Access-Control-Request-Headers"
        guard let allowed else { return response }
        response.headers[.accessControlAllowOrigin] = allowed
        response.headers[.accessControlAllowMethods] = methods
        response.headers[.accessControlAllowHeaders] = "Authorization, Content-Type, Auth0-Client, DPoP"
        response.headers[.accessControlMaxAge] = "3600"
        return response
    }
}
