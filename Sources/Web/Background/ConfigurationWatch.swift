import AuthorizationServer
import Logging
import ServiceLifecycle

/// Looks a few times a second whether another process has changed the configuration.
package struct ConfigurationWatch: Service {
    private let services: Services

    package init(services: Services) { self.services = services }

    package func run() async throws {
        // The end of the sleep by a shutdown is no failure.
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await services.configuration.refresh()
                } catch {
                    services.logger.warning("cannot look for a changed configuration", metadata: ["cause": "\(error)"])
                }
                try? await Task.sleep(for: .milliseconds(250))
            }
        }
    }
}
