import Hummingbird
import Logging

/// Verifies the access token of every request.
struct BearerAuthentication: RouterMiddleware {
    let verifier: AccessTokenVerifier

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        do {
            context.token = try await verifier.verify(Self.token(of: request))
        } catch var error as BearerError {
            error.realm = verifier.audience
            context.logger.notice("refused: \(error.description)")
            throw error
        }
        return try await next(request, context)
    }

    /// The token in the `Authorization` header ([RFC 6750 §2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1)).
    /// - Throws: ``BearerError``.
    private static func token(of request: Request) throws(BearerError) -> String {
        let values = request.headers[values: .authorization]
        guard values.count < 2 else { throw .invalidRequest("There is more than one Authorization header.") }
        let words = (values.first ?? "").split(separator: " ")
        guard let scheme = words.first, scheme.lowercased() == "bearer" else { throw .noToken }
        guard words.count == 2, words[1].wholeMatch(of: /[A-Za-z0-9\-._~+\/]+=*/) != nil else {
            throw .invalidRequest("The Authorization header is not of the form: Bearer <token>.")
        }
        return String(words[1])
    }
}

/// Lets only tokens with `scope` pass.
struct ScopeRequirement: RouterMiddleware {
    let scope: String
    let audience: String

    func handle(
        _ request: Request, context: AuthenticatedContext,
        next: (Request, AuthenticatedContext) async throws -> Response
    ) async throws -> Response {
        guard context.token.scopes.contains(scope) else {
            var error = BearerError.insufficientScope(scope, granted: context.token.scopes)
            error.realm = audience
            throw error
        }
        return try await next(request, context)
    }
}
