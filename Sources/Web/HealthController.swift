import AuthorizationServer
import Hummingbird
import Logging
import Storage

/// `/healthz` says that the process answers, `/readyz` that it can do its work.
struct HealthController: Sendable {
    let services: Services

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .get("healthz") { _, _ in Response.text("ok\n", status: .ok) }
            .get("readyz", use: ready)
    }

    @Sendable private func ready(_ request: Request, context: WebContext) async -> Response {
        do {
            _ = try await services.stores.tenant.configurationVersion()
            _ = try await services.configuration.keyRing()
            return .text("ready\n", status: .ok)
        } catch {
            context.logger.error("not ready", metadata: ["cause": "\(error)"])
            return .text("not ready: see the log\n", status: .serviceUnavailable)
        }
    }
}
