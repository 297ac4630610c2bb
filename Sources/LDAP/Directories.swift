import Foundation
import Synchronization

/// Asks directories on threads of its own, a few at a time: libldap waits where it is called, and a directory that does
/// not answer must hold up nobody but those who wait for it.
package final class Directories: Sendable {
    private let queue: OperationQueue
    private let waiting = Mutex(0)
    private let limit: Int

    /// - Parameters:
    ///   - threads: directories asked at once.
    ///   - limit: logins waiting or being checked; one more is refused.
    package init(threads: Int = 16, limit: Int = 128) {
        queue = OperationQueue()
        queue.name = "directories"
        queue.maxConcurrentOperationCount = threads
        self.limit = limit
    }

    /// What `directory` says of a name and a password.
    /// - Throws: ``DirectoryFailure`` where it does not say.
    package func check(
        _ name: String, password: String, in directory: Directory
    ) async throws(DirectoryFailure) -> Directory.Answer {
        let mayWait = waiting.withLock { waiting in
            guard waiting < limit else { return false }
            waiting += 1
            return true
        }
        guard mayWait else {
            throw DirectoryFailure(
                .busy, "\(limit) logins are waiting for directories",
                mend: "Look for a directory that answers slowly, or not at all.")
        }
        defer { waiting.withLock { $0 -= 1 } }
        let result = await withCheckedContinuation { continuation in
            queue.addOperation {
                continuation.resume(
                    returning: Result { () throws(DirectoryFailure) in
                        try directory.check(name, password: password)
                    })
            }
        }
        return try result.get()
    }
}
