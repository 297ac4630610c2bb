import Foundation
import Synchronization

/// Hashes passwords on threads of their own, a few at a time: a storm of logins waits in a queue of bounded length and
/// leaves the other cores to the tokens.
package final class PasswordHasher: Sendable {
    private let queue: OperationQueue
    private let waiting = Mutex(0)
    private let limit: Int
    /// A hash as costly as a new one, that no password makes.
    package let nobody = PasswordHash.unmatchable()

    /// More logins are waiting than the server accepts.
    package struct Busy: Error, Sendable {
        /// Seconds after which trying again is sensible.
        package let retryAfter = 5
    }

    /// - Parameters:
    ///   - threads: hashes computed at once; each takes a core and 19 MiB.
    ///   - limit: hashes waiting or running; one more is refused.
    package init(threads: Int = max(1, ProcessInfo.processInfo.activeProcessorCount / 2), limit: Int = 128) {
        queue = OperationQueue()
        queue.name = "passwords"
        queue.maxConcurrentOperationCount = threads
        self.limit = limit
    }

    /// - Throws: ``Busy``, or ``PasswordHash/Failure``.
    package func hash(_ password: String) async throws -> String {
        try await run { try PasswordHash.make(password) }
    }

    /// Whether `password` made `stored`. A nil hash takes as long and is false, so that nobody can tell who exists.
    /// - Throws: ``Busy``.
    package func verify(_ password: String, against stored: String?) async throws -> Bool {
        try await run { [nobody] in PasswordHash.verify(password, against: stored ?? nobody) && stored != nil }
    }

    /// As ``PasswordHash/bcrypt(_:rounds:)``.
    /// - Throws: ``Busy``.
    func bcrypt(_ password: String, rounds: Int) async throws -> String? {
        try await run { PasswordHash.bcrypt(password, rounds: rounds) }
    }

    private func run<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        try waiting.withLock { waiting in
            guard waiting < limit else { throw Busy() }
            waiting += 1
        }
        defer { waiting.withLock { $0 -= 1 } }
        let isCancelled = Flag()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                queue.addOperation {
                    continuation.resume(
                        with: Result {
                            // Nobody waits for it any more.
                            guard !isCancelled.isSet else { throw CancellationError() }
                            return try work()
                        })
                }
            }
        } onCancel: {
            isCancelled.set()
        }
    }
}

/// Something that happens once, told across threads.
private final class Flag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { value.load(ordering: .relaxed) }

    func set() { value.store(true, ordering: .relaxed) }
}
