import Foundation
import Hummingbird
import Logging

/// `appointments:api`, the API of the tutorial: it serves appointments to whoever brings an access token for them.
@main
struct AppointmentsAPI {
    static func main() async {
        do {
            let settings = try Settings(ProcessInfo.processInfo.environment)
            var logger = Logger(label: "appointments-api")
            logger.logLevel = .notice
            let application = Application(
                router: buildRouter(settings),
                configuration: ApplicationConfiguration(address: .hostname(settings.host, port: settings.port)),
                onServerRunning: { _ in
                    say("\(settings.audience) on http://localhost:\(settings.port), trusting \(settings.issuer)")
                },
                logger: logger)
            do {
                try await application.runService()
            } catch {
                throw Settings.Problem(
                    description: "cannot serve on \(settings.host):\(settings.port): \(error). Is the port taken?")
            }
        } catch {
            FileHandle.standardError.write(Data("appointments-api: \(error)\n".utf8))
            exit(1)
        }
    }

    /// Not `print`, which holds the line back when the output is a file or a pipe.
    private static func say(_ line: String) {
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }
}

/// Which path needs which scope.
func buildRouter(_ settings: Settings) -> Router<APIContext> {
    let router = Router(context: APIContext.self)
    router.get("health") { _, _ in Health(status: "ok") }

    let verifier = AccessTokenVerifier(
        issuer: settings.issuer, audience: settings.audience, keys: IssuerKeys(issuer: settings.issuer))
    let api = router.group("api")
        .add(middleware: BearerAuthentication(verifier: verifier))
        .group(context: AuthenticatedContext.self)

    api.group().add(middleware: ScopeRequirement(scope: "appointments", audience: settings.audience))
        .get { _, context in Overview(of: context.token, api: settings.audience) }
        .get("appointments") { _, context in AppointmentBook(of: context.token.subject, from: Date()).appointments }
    api.group().add(middleware: ScopeRequirement(scope: "contacts", audience: settings.audience))
        .get("contacts") { _, context in AppointmentBook(of: context.token.subject, from: Date()).contacts }
    return router
}

/// That the API answers at all.
struct Health: ResponseCodable {
    let status: String
}

/// What `GET /api` says: who called, and what the token allows.
struct Overview: ResponseCodable {
    let api: String
    let sub: String
    let scope: String
    let paths: [String: String]

    init(of token: AccessToken, api: String) {
        self.api = api
        sub = token.subject
        scope = token.scopes.joined(separator: " ")
        paths = ["appointments": "/api/appointments", "contacts": "/api/contacts"]
    }
}
