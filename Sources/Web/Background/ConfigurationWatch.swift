import AuthorizationServer
import Logging
import ServiceLifecycle
import Storage

/// Looks whether another process has changed the configuration: at once where the database tells, and a few times a
/// second anyway, since it may be that nothing tells.
package struct ConfigurationWatch: Service {
    private let services: Services
    private let outages: OutageLog

    package init(services: Services, outages: OutageLog) { (self.services, self.outages) = (services, outages) }

    package func run() async throws {
        // The end of the sleep by a shutdown is no failure.
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { for await _ in services.stores.database.configurationChanges() { await look() } }
                group.addTask {
                    while !Task.isCancelled {
                        await look()
                        try? await Task.sleep(for: .milliseconds(250))
                    }
                }
            }
        }
    }

    private func look() async {
        do {
            try await services.configuration.refresh()
            outages.succeeded(reading: true, services.logger)
        } catch SQLError.unavailable(let cause) {
            outages.failed(cause, whileReading: true, services.logger)
        } catch {
            services.logger.warning("cannot look for a changed configuration", metadata: ["cause": "\(error)"])
        }
    }
}
