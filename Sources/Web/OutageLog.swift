import Logging
import Synchronization

/// Says once, not for each request, that the database is away, and says when it is back.
package final class OutageLog: Sendable {
    private struct Outage {
        let cause: String
        let said: ContinuousClock.Instant
        /// Whether the database could not even be read.
        let isOfReading: Bool
    }

    private let last = Mutex<Outage?>(nil)

    /// The same cause is repeated after this time, for those who look into the log later.
    private static let pause = Duration.seconds(10)

    package init() {}

    /// Notes that the database refused work because of `cause`.
    /// - Parameter whileReading: whether it was asked for no more than to be read.
    package func failed(_ cause: String, whileReading: Bool = false, _ logger: Logger) {
        let isNews = last.withLock { last in
            if let last, last.cause == cause, last.said.duration(to: .now) < Self.pause { return false }
            last = Outage(cause: cause, said: .now, isOfReading: whileReading)
            return true
        }
        if isNews { logger.error("the database is not available", metadata: ["cause": "\(cause)"]) }
    }

    /// Notes that the database has done work.
    /// - Parameter reading: whether it was only read, which a full disk does not prevent.
    package func succeeded(reading: Bool = false, _ logger: Logger) {
        let wasAway = last.withLock { last in
            guard let outage = last, outage.isOfReading || !reading else { return false }
            last = nil
            return true
        }
        if wasAway { logger.notice("the database is available again") }
    }
}
