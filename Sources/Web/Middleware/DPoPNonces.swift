import AuthorizationServer
import HTTPTypes
import Hummingbird
import Storage

/// Tells clients that prove their keys the nonce for their next proof, where the tenant requires one
/// ([RFC 9449 §8](https://www.rfc-editor.org/rfc/rfc9449#section-8)).
struct DPoPNonces: RouterMiddleware {
    let services: Services

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        if request.headers[.dpop] != nil, try await services.configuration.settings().requiresDPoPNonce {
            response.headers[.dpopNonce] = services.secret.dpopNonce(at: services.now())
        }
        return response
    }
}

// Valid literals, so they always exist.
extension HTTPField.Name {
    /// A proof of possession, RFC 9449 §4.1.
    static let dpop = HTTPField.Name("DPoP") ?? .authorization
    /// The nonce for the next proof, RFC 9449 §8.1.
    static let dpopNonce = HTTPField.Name("DPoP-Nonce") ?? .wwwAuthenticate
}
