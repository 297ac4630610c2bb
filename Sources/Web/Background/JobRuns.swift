import AuthorizationServer
import Logging
import ManagementAPI
import ServiceLifecycle
import Storage

/// Does jobs as they come in.
package struct JobRuns: Service {
    private let services: Services

    package init(services: Services) { self.services = services }

    package func run() async throws {
        // What a shutdown interrupts goes on at the next start, or on another node.
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                let mayBeMore = await runOnce()
                if !mayBeMore { try? await Task.sleep(for: .milliseconds(500)) }
            }
        }
    }

    /// - Returns: whether more is due.
    private func runOnce() async -> Bool {
        do {
            return try await JobRunner(services: services).runDue()
        } catch SQLError.unavailable {
            // Whoever needs the database says so; the job goes on when its lease has passed.
            return false
        } catch {
            services.logger.warning("cannot do jobs", metadata: ["cause": "\(error)"])
            return false
        }
    }
}
