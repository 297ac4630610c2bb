import AuthorizationServer
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import OAuth
import Storage

/// `/dbconnections/*`: what applications do with a database connection without a page of this server's, as Auth0's libraries
/// do it.
struct DatabaseConnectionsController: Sendable {
    let services: Services

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .post("dbconnections/signup", use: signUp)
            .on("dbconnections/signup", method: .options) { _, _ in Response(status: .noContent) }
            .post("dbconnections/change_password", use: changePassword)
            .on("dbconnections/change_password", method: .options) { _, _ in Response(status: .noContent) }
    }

    @Sendable private func signUp(_ request: Request, context: WebContext) async throws -> Response {
        try await answering(context) {
            let sent = try await members(request, context)
            let browser = Browser(secret: Secret.random(), session: nil, address: context.clientAddress)
            let made = try await DatabaseSignup(services: services).signUp(sent, browser: browser)
            return try .json(made)
        }
    }

    @Sendable private func changePassword(_ request: Request, context: WebContext) async throws -> Response {
        try await answering(context) {
            let sent = try await members(request, context)
            let asked = try await DatabaseSignup(services: services).connection(sent)
            guard let identifier = sent["email"]?.string ?? sent["username"]?.string, !identifier.isEmpty else {
                throw DatabaseSignup.Refusal.missing("email")
            }
            do {
                try await PasswordResetRequests(services: services).add(
                    identifier, connection: asked.connection, client: asked.client, address: context.clientAddress)
            } catch let refusal as PasswordResetRequests.TooMany {
                throw DatabaseSignup.Refusal.tooMany(retryAfter: refusal.retryAfter)
            }
            var response = Response.text("We've just sent you an email to reset your password.", status: .ok)
            response.headers[.contentType] = "text/html; charset=utf-8"
            return response
        }
    }

    /// The members of a body in JSON or of a form.
    private func members(_ request: Request, _ context: WebContext) async throws -> JSONObject {
        if request.headers[.contentType]?.lowercased().hasPrefix("application/x-www-form-urlencoded") == true {
            let fields = try await FormBody.parameters(of: request, context: context)
            return fields.all.mapValues(JSONValue.string)
        }
        return try await FormBody.object(
            of: request, mostBytes: Self.mostBytes, refusal: OAuthError.Code.invalidRequest)
    }

    /// More than a sign-up with metadata has to say.
    private static let mostBytes = 64 * 1024

    private func answering(_ context: WebContext, _ body: () async throws -> Response) async throws -> Response {
        do {
            do {
                return try await body()
            } catch let busy as PasswordHasher.Busy {
                throw DatabaseSignup.Refusal.tooMany(retryAfter: busy.retryAfter)
            }
        } catch let refusal as DatabaseSignup.Refusal {
            context.logger.info("refused", metadata: ["path": "dbconnections", "why": "\(refusal.code)"])
            var response = try Response.json(
                refusal.document, status: HTTPResponse.Status(code: refusal.status))
            if case .tooMany(let seconds) = refusal { response.headers[.retryAfter] = "\(seconds)" }
            return response
        }
    }
}
