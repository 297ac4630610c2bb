import AuthorizationServer
import Logging
import ServiceLifecycle
import Storage

/// Delivers logout tokens as they become due.
package struct LogoutDeliveries: Service {
    private let services: Services

    package init(services: Services) { self.services = services }

    package func run() async throws {
        // What a shutdown interrupts is tried again once its lease has passed, by this node or another.
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
            return try await BackchannelLogout(services: services).deliverDue()
        } catch SQLError.unavailable {
            // Whoever needs the database says so; what is due stays due.
            return false
        } catch {
            services.logger.warning("cannot deliver logout tokens", metadata: ["cause": "\(error)"])
            return false
        }
    }
}
