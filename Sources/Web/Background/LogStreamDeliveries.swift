import AuthorizationServer
import Logging
import ServiceLifecycle
import Storage

/// Sends log events to the tenant's log streams as they become due.
package struct LogStreamDeliveries: Service {
    private let services: Services

    package init(services: Services) { self.services = services }

    package func run() async throws {
        // What a shutdown interrupts is sent again once its lease has passed, by this node or another.
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                let mayBeMore = await deliverOnce()
                if !mayBeMore { try? await Task.sleep(for: .milliseconds(500)) }
            }
        }
    }

    /// - Returns: whether more is due.
    private func deliverOnce() async -> Bool {
        do {
            return try await LogStreamDelivery(services: services).deliverDue()
        } catch SQLError.unavailable {
            // Whoever needs the database says so; what is due stays due.
            return false
        } catch {
            services.logger.warning("cannot send log events", metadata: ["cause": "\(error)"])
            return false
        }
    }
}
