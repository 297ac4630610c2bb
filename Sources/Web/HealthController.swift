import AuthorizationServer
import Hummingbird
import Logging
import Storage
import Synchronization

/// `/healthz` says that the process answers, `/readyz` that it can do its work.
struct HealthController: Sendable {
    let services: Services
    let outages: OutageLog
    private let trial: TrialWrite

    init(services: Services, outages: OutageLog) {
        (self.services, self.outages) = (services, outages)
        trial = TrialWrite(stores: services.stores)
    }

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .get("healthz") { _, _ in Response.text("ok\n", status: .ok) }
            .get("readyz", use: ready)
    }

    @Sendable private func ready(_ request: Request, context: WebContext) async -> Response {
        do {
            if try await trial.run() { outages.succeeded(context.logger) }
            _ = try await services.configuration.keyRing()
            return .text("ready\n", status: .ok)
        } catch SQLError.unavailable(let cause) {
            outages.failed(cause, context.logger)
            return .text("not ready: see the log\n", status: .serviceUnavailable)
        } catch {
            context.logger.error("not ready", metadata: ["cause": "\(error)"])
            return .text("not ready: see the log\n", status: .serviceUnavailable)
        }
    }
}

/// Writes to the database without changing anything of anybody's: a disk that is full can still be read. Once a second at most,
/// whoever asks how often.
private final class TrialWrite: Sendable {
    private let stores: Stores
    private let last = Mutex<ContinuousClock.Instant?>(nil)

    init(stores: Stores) { self.stores = stores }

    /// - Returns: whether it wrote; otherwise it has only read.
    func run() async throws -> Bool {
        let isDue = last.withLock { last in
            let now = ContinuousClock.now
            guard let before = last, before.duration(to: now) < .seconds(1) else {
                last = now
                return true
            }
            return false
        }
        if isDue {
            do {
                try await stores.failedLogins.tryWriting()
            } catch {
                // Who asks next hears the same, not that all is well.
                last.withLock { $0 = nil }
                throw error
            }
        } else {
            _ = try await stores.tenant.configurationVersion()
        }
        return isDue
    }
}
