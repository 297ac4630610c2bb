import AuthorizationServer
import ServiceLifecycle
import Storage

/// Where log events go beside the database.
package protocol LogEventSink: Sendable {
    /// Takes events in the order of their ids; must not throw, and should not take long.
    func write(_ events: [LogEvent])
}

/// Writes the log events that requests leave behind, ten times a second, and everything that is left at a graceful end.
package struct LogEventWriting: Service {
    private let services: Services
    private let sink: (any LogEventSink)?

    package init(services: Services, sink: (any LogEventSink)? = nil) {
        (self.services, self.sink) = (services, sink)
    }

    package func run() async throws {
        // The end of the sleep by a shutdown is no failure.
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                if await !writeBatch() { try? await Task.sleep(for: .milliseconds(100)) }
            }
        }
        // The requests have been answered by now: their events are all there. What the cancelled loop was in the middle of
        // has been put back or written.
        while await writeBatch() {}
    }

    /// - Returns: whether more is waiting that can be written.
    private func writeBatch() async -> Bool {
        let written = await services.logs.flush()
        if !written.isEmpty { sink?.write(written) }
        return written.count == LogRecorder.batch
    }
}
