import AuthorizationServer
import Foundation
import Logging
import ServiceLifecycle
import Storage

/// Removes what has expired, a small batch at a time with a pause after each, so that logins never wait for it.
package struct ExpiredRowsSweep: Service {
    private let services: Services
    private let logRetention: TimeInterval

    /// - Parameter logRetention: seconds for which log events are kept.
    package init(services: Services, logRetention: TimeInterval) {
        (self.services, self.logRetention) = (services, logRetention)
    }

    package func run() async throws {
        // The end of the sleep by a shutdown is no failure.
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: await sweepOnce() ? .milliseconds(100) : .seconds(60))
            }
        }
    }

    /// - Returns: whether more is waiting.
    private func sweepOnce() async -> Bool {
        do {
            let now = services.now()
            let moreRows = try await services.stores.expiredRows.deleteBatch(
                at: now, logsBefore: now.addingTimeInterval(-logRetention))
            let moreSessions = try await ExpiredSessions(services: services).endBatch()
            return moreRows || moreSessions
        } catch SQLError.unavailable {
            // Whoever needs the database says so; expired rows can wait.
            return false
        } catch {
            services.logger.warning("cannot remove expired rows", metadata: ["cause": "\(error)"])
            return false
        }
    }
}
