import GRDB
import Synchronization

/// Gathers the writes that wait while a commit is under way and commits them together: one fsync for many requests.
///
/// Each body runs in a savepoint of its own, so that one that throws takes nothing of the others with it. A caller
/// hears of success only after the commit.
final class GroupCommit: Sendable {
    /// One caller's body, and the two ways in which the caller hears of it.
    private struct Job: Sendable {
        let run: @Sendable (Database) -> Outcome
        /// Tells the caller that the body never ran, or that its transaction is lost.
        let refuse: @Sendable (SQLError) -> Void
    }

    private struct Outcome: Sendable {
        let failed: Bool
        /// Tells the caller the body's own result.
        let finish: @Sendable () -> Void
    }

    private struct State {
        var waiting: [Job] = []
        var isRunning = false
    }

    /// More would make the first caller wait too long for the last one's work.
    private static let largestBatch = 256

    private let pool: DatabasePool
    private let state = Mutex(State())

    init(pool: DatabasePool) { self.pool = pool }

    /// Runs `body` in one of the next commits and resumes `continuation` once that commit is durable.
    func submit<T: Sendable>(
        _ body: @escaping @Sendable (any SQLTransaction) throws -> T, _ continuation: CheckedContinuation<T, any Error>
    ) {
        let job = Job { database in
            let result = Result { try body(SQLiteTransaction(database: database)) }
            return Outcome(failed: (try? result.get()) == nil) { continuation.resume(with: result) }
        } refuse: { error in
            continuation.resume(throwing: error)
        }
        let mustStart = state.withLock { state in
            state.waiting.append(job)
            guard !state.isRunning else { return false }
            state.isRunning = true
            return true
        }
        if mustStart { drain() }
    }

    /// Commits batch after batch on the writer's own queue until nobody waits.
    private func drain() {
        pool.asyncWriteWithoutTransaction { database in
            while let batch = self.nextBatch() { self.commit(batch, on: database) }
        }
    }

    private func nextBatch() -> [Job]? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isRunning = false
                return nil
            }
            let batch = Array(state.waiting.prefix(Self.largestBatch))
            state.waiting.removeFirst(batch.count)
            return batch
        }
    }

    private func commit(_ batch: [Job], on database: Database) {
        do {
            try run("BEGIN IMMEDIATE", on: database)
            let outcomes =
                try batch.count == 1
                ? [runAlone(batch[0], on: database)] : batch.map { try runInSavepoint($0, on: database) }
            try run(outcomes.allSatisfy(\.failed) ? "ROLLBACK" : "COMMIT", on: database)
            for outcome in outcomes { outcome.finish() }
        } catch {
            if database.isInsideTransaction { try? run("ROLLBACK", on: database) }
            for job in batch { job.refuse(SQLError(error)) }
        }
    }

    private func runAlone(_ job: Job, on database: Database) throws -> Outcome {
        let outcome = job.run(database)
        guard database.isInsideTransaction else { throw Self.endedBySQLite }
        return outcome
    }

    private func runInSavepoint(_ job: Job, on database: Database) throws -> Outcome {
        try run("SAVEPOINT job", on: database)
        let outcome = job.run(database)
        guard database.isInsideTransaction else { throw Self.endedBySQLite }
        if outcome.failed { try run("ROLLBACK TO job", on: database) }
        try run("RELEASE job", on: database)
        return outcome
    }

    /// SQLite itself ends the whole transaction on a full disk or an I/O error.
    private static let endedBySQLite = SQLError.unavailable(
        "The disk refused a write; nothing was kept. Check its free space and its health.")

    /// These few statements run with every commit, so they are compiled once.
    private func run(_ sql: String, on database: Database) throws {
        try database.cachedStatement(sql: sql).execute()
    }
}
