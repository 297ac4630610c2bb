import Foundation
import Synchronization

/// Listens, on a connection and a thread of its own, for what other nodes announce.
final class PostgresListener: Sendable {
    private let pool: PostgresPool
    private let continuation: AsyncStream<Void>.Continuation
    private let hasEnded = Mutex(false)

    /// How often the thread looks whether anybody still listens.
    private static let pause = Duration.milliseconds(500)

    private init(_ pool: PostgresPool, _ continuation: AsyncStream<Void>.Continuation) {
        (self.pool, self.continuation) = (pool, continuation)
    }

    /// An element for each announcement, and one for each new connection, before which some may have been missed.
    static func changes(of pool: PostgresPool) -> AsyncStream<Void> {
        // Many announcements are worth no more than one.
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let listener = PostgresListener(pool, continuation)
        continuation.onTermination = { _ in listener.hasEnded.withLock { $0 = true } }
        let thread = Thread { listener.run() }
        thread.name = "portico-listen"
        thread.start()
        return stream
    }

    private var isOver: Bool { pool.isClosed || hasEnded.withLock { $0 } }

    private func run() {
        while !isOver {
            do {
                try listen()
            } catch {
                // Whoever needs the database says so; the listener only waits for it.
                Thread.sleep(forTimeInterval: 0.5)
            }
        }
        continuation.finish()
    }

    private func listen() throws(PostgresFailure) {
        let connection = try PostgresConnection(pool.address, generation: 0)
        _ = try connection.trip([PostgresCommand("LISTEN \"\(pool.address.channel)\"")])
        continuation.yield()
        while !isOver {
            if try connection.waitForNotification(for: Self.pause) { continuation.yield() }
        }
    }
}
