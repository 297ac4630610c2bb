import Foundation
import Synchronization

/// A clock that stands still until a test moves it.
package final class TestClock: Sendable {
    private let date: Mutex<Date>

    package init(_ date: Date = Date()) { self.date = Mutex(date.storableSeconds) }

    package var now: Date { date.withLock { $0 } }
    /// Moves the clock on.
    package func advance(by seconds: TimeInterval) { date.withLock { $0 += seconds } }
}

extension Date {
    fileprivate var storableSeconds: Date { Date(timeIntervalSince1970: timeIntervalSince1970.rounded(.down)) }
}
