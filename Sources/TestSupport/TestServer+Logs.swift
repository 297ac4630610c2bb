import AuthorizationServer
import Foundation
import Storage

extension TestServer {
    /// Every log event so far, oldest first.
    package func logEvents() async throws -> [LogEvent] {
        while services.logs.waitingCount > 0 {
            if await services.logs.flush().isEmpty { break }
        }
        return try await services.stores.logEvents.list(after: nil, limit: 1000)
    }

    /// The types of ``logEvents()``.
    package func logTypes() async throws -> [String] { try await logEvents().map(\.type) }
}
