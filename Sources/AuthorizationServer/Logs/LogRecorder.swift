import Foundation
import Logging
import OAuth
import Storage
import Synchronization

// The logging library has a type of that name as well.
import struct Storage.LogEvent

/// Gathers log events in memory, and writes them down in batches behind the requests' backs: no answer waits for its event.
///
/// What is promised: an event is in the database within a fraction of a second of its request's answer, and at a graceful end
/// all are. A crash loses what had not been written by then. Where the database is away, or slower than the events for long,
/// events wait for as long as there is room and are dropped, counted and reported after that.
package final class LogRecorder: Sendable {
    private struct State {
        var waiting: [LogEvent] = []
        var dropped = 0
    }

    /// Events that wait at most; a few megabytes.
    package static let capacity = 10_000
    /// Events written in one transaction at most, so that no login's commit waits long for it.
    package static let batch = 200

    private let stores: Stores
    private let configuration: ConfigurationCache
    private let hostname: String
    private let now: @Sendable () -> Date
    private let logger: Logger
    private let state = Mutex(State())

    init(
        stores: Stores, configuration: ConfigurationCache, hostname: String, logger: Logger,
        now: @escaping @Sendable () -> Date
    ) {
        (self.stores, self.configuration, self.hostname) = (stores, configuration, hostname)
        (self.logger, self.now) = (logger, now)
    }

    /// Puts an event among those to be written, with what is known of the request that caused it. Never waits.
    package func record(_ event: LogEvent) {
        var event = event
        if let origin = RequestOrigin.current {
            event.ip = event.ip ?? origin.ip
            event.userAgent = event.userAgent ?? origin.userAgent
            event.isMobile = origin.isMobile
            event.details["request_id"] = .string(origin.requestID)
            event.details["elapsed_ms"] = .integer(origin.elapsedMilliseconds)
        }
        event.hostname = event.hostname ?? hostname
        let cleaned = event.cleaned
        let isFirstDropped = state.withLock { state in
            guard state.waiting.count < Self.capacity else {
                state.dropped += 1
                return state.dropped == 1
            }
            state.waiting.append(cleaned)
            return false
        }
        if isFirstDropped {
            logger.error(
                "log events are being dropped: they come faster than the database takes them, or it is away",
                metadata: ["waiting": "\(Self.capacity)"])
        }
    }

    /// How many events wait.
    package var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Writes one batch of what waits.
    /// - Returns: what was written, with ids; empty where nothing waits or the database is away.
    package func flush() async -> [LogEvent] {
        let batch = state.withLock { state in
            let batch = Array(state.waiting.prefix(Self.batch))
            state.waiting.removeFirst(batch.count)
            return batch
        }
        guard !batch.isEmpty else { return [] }
        do {
            let written = try await write(await completed(batch))
            reportDropped()
            return written
        } catch SQLError.unavailable {
            // Whoever needs the database says so.
            putBack(batch)
            return []
        } catch is CancellationError {
            putBack(batch)
            return []
        } catch {
            logger.error("a batch of log events cannot be written", metadata: ["cause": "\(error)"])
            return await writeSingly(batch)
        }
    }

    private func write(_ events: [LogEvent]) async throws -> [LogEvent] {
        let now = now()
        return try await stores.database.write { try LogEventStore.append(events, at: now, in: $0) }
    }

    /// One event that cannot be written must not cost the others.
    private func writeSingly(_ events: [LogEvent]) async -> [LogEvent] {
        var written: [LogEvent] = []
        for event in events {
            do {
                written += try await write([event])
            } catch {
                logger.error(
                    "a log event is lost", metadata: ["type": "\(event.type)", "cause": "\(error)"])
            }
        }
        return written
    }

    private func putBack(_ events: [LogEvent]) {
        state.withLock { state in
            let room = max(0, Self.capacity - state.waiting.count)
            state.dropped += max(0, events.count - room)
            state.waiting.insert(contentsOf: events.prefix(room), at: 0)
        }
    }

    private func reportDropped() {
        let dropped = state.withLock { state in
            defer { state.dropped = 0 }
            return state.dropped
        }
        if dropped > 0 { logger.error("log events were dropped", metadata: ["count": "\(dropped)"]) }
    }

    /// The names that belong to the events' ids, looked up here because nobody waits.
    private func completed(_ events: [LogEvent]) async throws -> [LogEvent] {
        let nameless = Set(events.filter { $0.userName == nil }.compactMap(\.userID))
        let names = try await stores.logEvents.userNames(nameless)
        let connections = try await configuration.connections()
        var completed: [LogEvent] = []
        for var event in events {
            if event.userName == nil { event.userName = event.userID.flatMap { names[$0] } }
            if event.clientName == nil, let id = event.clientID {
                event.clientName = try await configuration.client(id)?.client.name
            }
            if let connection = connections.first(where: { $0.name == event.connection }) {
                (event.connectionID, event.strategy) = (connection.id, connection.strategy)
                event.strategyType = connection.strategyType
            }
            completed.append(event.cleaned)
        }
        return completed
    }
}
