import Foundation
import Hummingbird
import Logging

/// A regular web application: it signs people in with the Authorization Code Flow or the Hybrid Flow, and calls an API for them.
@main
struct WebApp {
    static func main() async {
        do {
            let settings = try Settings(ProcessInfo.processInfo.environment)
            var logger = Logger(label: "web-app")
            logger.logLevel = .notice
            let application = Application(
                router: buildRouter(settings),
                configuration: ApplicationConfiguration(address: .hostname(settings.host, port: settings.port)),
                onServerRunning: { _ in say("web app on \(settings.baseURL), signing in at \(settings.issuer)") },
                logger: logger)
            do {
                try await application.runService()
            } catch {
                throw Settings.Problem(
                    description: "cannot serve on \(settings.host):\(settings.port): \(error). Is the port taken?")
            }
        } catch {
            FileHandle.standardError.write(Data("web-app: \(error)\n".utf8))
            exit(1)
        }
    }

    /// Not `print`, which holds the line back when the output is a file or a pipe.
    private static func say(_ line: String) {
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }
}

/// Every page and action of the application.
func buildRouter(_ settings: Settings) -> Router<BasicRequestContext> {
    let router = Router()
    let isSecure = settings.baseURL.hasPrefix("https:")
    let browsers = BrowserSessions<Session>(
        cookieName: "web_app_session", lifetime: 12 * 3600, isSecure: isSecure, isFromElsewhere: false)
    let signIns = BrowserSessions<SignIns>(
        cookieName: "web_app_sign_ins", lifetime: 3600, isSecure: isSecure, isFromElsewhere: true)
    let server = IdentityServer(settings: settings)
    router.addRoutes(
        SignInController(settings: settings, server: server, browsers: browsers, signIns: signIns).endpoints)
    router.addRoutes(HomeController(settings: settings, server: server, browsers: browsers).endpoints)
    return router
}
