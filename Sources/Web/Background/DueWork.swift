import AuthorizationServer
import Logging
import ManagementAPI
import ServiceLifecycle
import Storage

/// Does one kind of work as it becomes due in the database. Whoever does a piece has claimed it for the length of a lease:
/// what a shutdown interrupts goes on once that has passed, on this node or another.
package struct DueWork: Service {
    /// What the log says where the work fails.
    private let failure: Logger.Message
    private let logger: Logger
    /// Does what is due, and tells whether there may be more.
    private let work: @Sendable () async throws -> Bool

    /// Delivers logout tokens (OpenID Connect Back-Channel Logout 1.0).
    package static func logoutTokens(_ services: Services) -> DueWork {
        DueWork(failure: "cannot deliver logout tokens", logger: services.logger) {
            try await BackchannelLogout(services: services).deliverDue()
        }
    }

    /// Sends log events to the tenant's log streams.
    package static func logStreams(_ services: Services) -> DueWork {
        DueWork(failure: "cannot send log events", logger: services.logger) {
            try await LogStreamDelivery(services: services).deliverDue()
        }
    }

    /// Does the Management API's jobs.
    package static func jobs(_ services: Services) -> DueWork {
        DueWork(failure: "cannot do jobs", logger: services.logger) {
            try await JobRunner(services: services).runDue()
        }
    }

    /// Sends the tenant's mail.
    package static func mail(_ services: Services) -> DueWork {
        DueWork(failure: "cannot send mail", logger: services.logger) {
            try await MailDelivery(services: services).deliverDue()
        }
    }

    /// Looks into the requests for new passwords. Scripts may have to be asked, and no mail waits for them.
    package static func passwordResets(_ services: Services) -> DueWork {
        DueWork(failure: "cannot answer requests for new passwords", logger: services.logger) {
            try await PasswordResetRequests(services: services).answerDue()
        }
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                let mayBeMore = await runOnce()
                if !mayBeMore { try? await Task.sleep(for: .milliseconds(500)) }
            }
        }
    }

    private func runOnce() async -> Bool {
        do {
            return try await work()
        } catch SQLError.unavailable {
            // Whoever needs the database says so; what is due stays due.
            return false
        } catch {
            logger.warning(failure, metadata: ["cause": "\(error)"])
            return false
        }
    }
}
