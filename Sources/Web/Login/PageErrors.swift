import AuthorizationServer
import HTTPTypes
import Hummingbird
import Logging
import OAuth
import Storage

/// Turns what the browser's endpoints throw into a page or, where the client is proved, into its answer.
struct PageErrors: RouterMiddleware {
    let pages: PageResponder
    let modes: ResponseModes
    let outages: OutageLog

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let failure as AuthorizationFailure {
            context.logger.info(
                "authorization refused",
                metadata: ["error": "\(failure.error.code.rawValue)", "why": "\(failure.error.description)"])
            switch failure {
            case .redirect(let error, let target):
                let isTold = error.code == .serverError || error.reason == .failedScript
                let told = pages.isDevelopment && isTold ? error.withHint : error
                return try await modes.render(AuthorizationResponse(told, to: target))
            case .display(let error, let mismatch):
                return try await pages.respond(to: error, mismatch: mismatch, context)
            }
        } catch let error as OAuthError {
            return try await pages.respond(to: error, context)
        } catch is TransactionNotFound {
            return try await lostLogin(request, context)
        } catch let busy as PasswordHasher.Busy {
            return try await unavailable("Too many people are signing in right now.", busy.retryAfter, context)
        } catch SQLError.unstorableText {
            return try await pages.respond(to: .unstorableText, context)
        } catch SQLError.unavailable(let cause) {
            outages.failed(cause, context.logger)
            return try await unavailable("The database is not available.", 5, context)
        } catch let error as any HTTPResponseError {
            throw error
        } catch {
            context.logger.error("request failed", metadata: ["path": "\(request.uri.path)", "cause": "\(error)"])
            return try await pages.respond(to: .serverError, context, status: .internalServerError)
        }
    }

    /// The application can begin another login; `iss` tells it with whom (OpenID Connect Core §4).
    private func lostLogin(_ request: Request, _ context: WebContext) async throws -> Response {
        let state = try? FormBody.query(of: request)["state"]
        // A database that is away leaves the page.
        let place = try? await LostLogin(services: pages.services).destination(state: state)
        guard let uri = place ?? nil else {
            return try await pages.respond(to: Self.lostTransaction, context)
        }
        return .found(uri.adding([(name: "iss", value: pages.services.issuer.text)]))
    }

    private static let lostTransaction = OAuthError.invalidRequest(
        "This login is not under way in this browser any more",
        hint:
            "It was finished, is older than an hour, was pushed out by ten newer ones, or was started in another browser; "
            + "or the browser does not accept cookies. Go back to the application and sign in again.")

    private func unavailable(_ text: String, _ seconds: Int, _ context: WebContext) async throws -> Response {
        var response = try await pages.respond(
            to: OAuthError(.temporarilyUnavailable, text, hint: "Try again in \(seconds) seconds."), context,
            status: .serviceUnavailable)
        response.headers[.retryAfter] = "\(seconds)"
        return response
    }
}
