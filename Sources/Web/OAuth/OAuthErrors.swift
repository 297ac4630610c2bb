import AuthorizationServer
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import OAuth
import Storage

/// Renders what the OAuth endpoints refuse as JSON, [RFC 6749 §5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2),
/// and hides everything else behind the request's id.
struct OAuthErrors: RouterMiddleware {
    let services: Services
    let outages: OutageLog
    let isDevelopment: Bool

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as OAuthError {
            return try await response(to: error, request, context)
        } catch SQLError.unstorableText {
            return try await response(to: .unstorableText, request, context)
        } catch SQLError.unavailable(let cause) {
            outages.failed(cause, context.logger)
            var response = try await response(
                to: OAuthError(.temporarilyUnavailable, "The database is not available; try again."), request, context)
            response.headers[.retryAfter] = "5"
            return response
        } catch let error as any HTTPResponseError {
            throw error
        } catch {
            context.logger.error("request failed", metadata: ["path": "\(request.uri.path)", "cause": "\(error)"])
            return try await response(to: .serverError, request, context)
        }
    }

    private func response(to error: OAuthError, _ request: Request, _ context: WebContext) async throws -> Response {
        // The dialect must not turn an error into another one while the database is away.
        let dialect = (try? await services.configuration.settings().wireDialect) ?? .standard
        let rendered = dialect.render(error)
        context.logger.info(
            "refused",
            metadata: ["path": "\(request.uri.path)", "error": "\(rendered.code)", "why": "\(error.description)"])
        var body = error.members
        (body["error"], body["error_description"]) = (.string(rendered.code), .string(rendered.description))
        if isDevelopment {
            // What to change.
            body["hint"] = error.hint.map(JSONValue.string)
            body["request_id"] = .string(context.requestID)
        }
        var response = try Response.json(body, status: HTTPResponse.Status(code: rendered.status))
        if let seconds = error.retryAfter { response.headers[.retryAfter] = "\(seconds)" }
        if error.reason == .clientAuthentication, request.headers[.authorization] != nil {
            response.headers[.wwwAuthenticate] = #"Basic realm="\#(services.issuer.domain)", charset="UTF-8""#
        }
        return response
    }
}

extension OAuthError {
    /// A value that no database keeps or looks for.
    static let unstorableText = OAuthError.invalidRequest(
        "A parameter cannot be kept", hint: "It has a NUL character (%00), or is far too long for what it is.")
}
