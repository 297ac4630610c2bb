import Foundation
import OAuth

/// Long work that a request has asked for and a node does in the background, with the names of `/api/v2/jobs`.
package struct Job: Sendable, Hashable {
    /// What is done.
    package enum Kind: String, Sendable {
        case usersImport = "users_import"
        case usersExport = "users_export"
        /// Done with the request that asks for it, which puts the mail down.
        case verificationEmail = "verification_email"
    }

    /// How far it is.
    package enum Status: String, Sendable {
        /// Its file is still being sent; nobody sees such a job.
        case uploading
        case pending, processing, completed, failed
    }

    /// `job_` and 16 letters and digits.
    package let id: String
    package let kind: Kind
    package let status: Status
    /// What the request has asked for, as Auth0 shows it.
    package let settings: JSONObject
    package let progress: Progress
    /// Why it has failed.
    package let failure: String?
    package let createdAt: Date
    /// Which claim of the job this is: whoever has claimed it later has taken it over.
    fileprivate let attempt: Int

    /// Where a job goes on, and what it has done so far.
    package struct Progress: Sendable, Hashable, Codable {
        /// The work's own mark: bytes of an import's file, or the last user of an export.
        package var position = ""
        /// Rows of the file, or users.
        package var processed = 0
        package var inserted = 0
        package var updated = 0
        package var failed = 0
        /// Pieces of the file that an export has written.
        package var pieces = 0
        /// From 0 to 100.
        package var percentage = 0
        /// Seconds that the rest is likely to take; nil where nobody can tell.
        package var secondsLeft: Int?

        package init() {}
    }

    /// Claims after which a job that has not ended is given up: it may be what ends its nodes.
    private static let mostClaims = 5

    /// Whether the job was begun so often without an end that it must not be begun again.
    package var isGivenUp: Bool { attempt > Self.mostClaims }

    /// Seconds after its last step for which a job can be asked about, with its errors and its file.
    package static let lifetime: TimeInterval = 86_400
}

/// The tenant's jobs, their files and their errors.
package struct JobStore: Sendable {
    let database: any SQLDatabase

    /// Somebody else goes on with the job, or it has been removed: whoever notices stops.
    package struct Lost: Error {
        package init() {}
    }

    /// Seconds for which a file may be on its way, and from one piece to the next: a node that has died over an upload
    /// keeps nobody else from one for long.
    private static let (uploadTime, pieceTime): (TimeInterval, TimeInterval) = (3600, 120)

    /// Makes a job whose file follows piece by piece; ``submit(_:settings:most:at:)`` makes it wait for its turn.
    /// - Parameter most: jobs of the kind that may be sent, wait or run.
    /// - Returns: whether there is such a job now; false where there are as many already.
    package func beginUpload(_ id: String, _ kind: Job.Kind, most: Int, at now: Date) async throws -> Bool {
        try await database.write { transaction in
            try transaction.lock(.jobs)
            let uploads = try transaction.row(
                """
                SELECT COUNT(*) AS jobs FROM job
                WHERE type = \(kind.rawValue) AND status = 'uploading' AND expires_at > \(now)
                """)?.integer("jobs")
            guard try Self.countActive(kind, in: transaction) + (uploads ?? 0) < most else { return false }
            try Self.insert(
                id, kind, .uploading, settings: [:], at: now, until: now.addingTimeInterval(Self.pieceTime),
                in: transaction)
            return true
        }
    }

    /// Keeps an upload, of which another piece has come.
    /// - Throws: ``Lost`` where it has taken too long, and the transaction must not be committed.
    package static func keepUpload(_ id: String, at now: Date, in transaction: any SQLTransaction) throws {
        let changed = try transaction.changes(
            """
            UPDATE job SET expires_at = \(now.addingTimeInterval(pieceTime))
            WHERE id = \(id) AND status = 'uploading' AND expires_at > \(now)
                AND created_at > \(now.addingTimeInterval(-uploadTime))
            """)
        guard changed == 1 else { throw Lost() }
    }

    /// Ends an upload. Jobs are counted one after the other, so that two requests cannot both be the last one allowed.
    /// - Parameter most: jobs of the kind that may wait or run.
    /// - Returns: the job; nil where there are as many already.
    /// - Throws: ``Lost`` where the upload has taken too long.
    package static func submit(
        _ id: String, settings: JSONObject, most: Int, at now: Date, in transaction: any SQLTransaction
    ) throws -> Job? {
        try transaction.lock(.jobs)
        guard let job = try find(id, status: .uploading, in: transaction) else { throw Lost() }
        guard try countActive(job.kind, in: transaction) < most else { return nil }
        try transaction.execute(
            """
            UPDATE job SET status = 'pending', settings = \(JSON.text(settings)),
                expires_at = \(now.addingTimeInterval(Job.lifetime))
            WHERE id = \(id)
            """)
        return try find(id, status: .pending, in: transaction)
    }

    /// Makes a job without a file, which waits for its turn.
    /// - Parameter most: jobs of the kind that may wait or run.
    /// - Returns: the job; nil where there are as many already.
    package static func create(
        _ id: String, _ kind: Job.Kind, settings: JSONObject, most: Int, at now: Date,
        in transaction: any SQLTransaction
    ) throws -> Job? {
        try transaction.lock(.jobs)
        guard try countActive(kind, in: transaction) < most else { return nil }
        try insert(
            id, kind, .pending, settings: settings, at: now, until: now.addingTimeInterval(Job.lifetime),
            in: transaction)
        return try find(id, status: .pending, in: transaction)
    }

    /// The job with this id, or nil where there is none, or its file is still on its way.
    package func find(_ id: String) async throws -> Job? {
        try await database.readOnce { transaction in
            try transaction.row("SELECT * FROM job WHERE id = \(id) AND status <> 'uploading'").map(Job.init)
        }
    }

    /// Notes a job that is done with the request that asks for it.
    package static func note(
        _ id: String, _ kind: Job.Kind, at now: Date, in transaction: any SQLTransaction
    ) throws {
        try insert(
            id, kind, .completed, settings: [:], at: now, until: now.addingTimeInterval(Job.lifetime), in: transaction)
    }

    /// Removes a job with its file and errors.
    package func delete(_ id: String) async throws {
        try await database.write { try $0.execute("DELETE FROM job WHERE id = \(id)") }
    }

    /// Whether a job waits for a node; nothing is locked for the answer.
    package func isAnyDue(at now: Date) async throws -> Bool {
        try await database.readOnce { transaction in
            try transaction.row(
                "SELECT id FROM job WHERE status IN ('pending', 'processing') AND due_at <= \(now) LIMIT 1") != nil
        }
    }

    /// Takes the oldest job that waits, for as long as a lease: nobody else works on it meanwhile, and who dies over it
    /// leaves it to others, who go on where it stands.
    package func claim(at now: Date, lease: TimeInterval) async throws -> Job? {
        try await database.write { transaction in
            // The condition stands twice: what another node has claimed after it was found here does not wait any more.
            try transaction.row(
                """
                UPDATE job SET status = 'processing', attempt = attempt + 1, due_at = \(now.addingTimeInterval(lease))
                WHERE id IN (
                    SELECT id FROM job WHERE status IN ('pending', 'processing') AND due_at <= \(now)
                    ORDER BY created_at, id LIMIT 1)
                    AND status IN ('pending', 'processing') AND due_at <= \(now)
                RETURNING *
                """
            ).map(Job.init)
        }
    }

    /// Notes how far a job has come, in the transaction that does the work: neither happens without the other.
    /// - Parameter due: until when the job stays with whoever has claimed it.
    /// - Throws: ``Lost``, and the transaction must not be committed.
    package static func advance(
        _ job: Job, to progress: Job.Progress, until due: Date, in transaction: any SQLTransaction
    ) throws {
        let changed = try transaction.changes(
            """
            UPDATE job SET progress = \(JSON.text(progress)), due_at = \(due),
                expires_at = \(due.addingTimeInterval(Job.lifetime))
            WHERE id = \(job.id) AND attempt = \(job.attempt) AND status = 'processing'
            """)
        guard changed == 1 else { throw Lost() }
    }

    /// Ends a job.
    /// - Parameter failure: why it has failed; nil where it is done.
    /// - Throws: ``Lost``.
    package static func finish(
        _ job: Job, _ progress: Job.Progress, failure: String?, at now: Date, in transaction: any SQLTransaction
    ) throws {
        try advance(job, to: progress, until: now, in: transaction)
        let status = failure == nil ? Job.Status.completed : .failed
        try transaction.execute(
            "UPDATE job SET status = \(status.rawValue), status_details = \(failure) WHERE id = \(job.id)")
        // An import's file has served its purpose, and half an export's is none.
        guard job.kind == .usersImport || failure != nil else { return }
        try transaction.execute("DELETE FROM job_piece WHERE job_id = \(job.id)")
    }

    /// Gives a job back, for any node to go on with at once.
    package func release(_ job: Job, at now: Date) async throws {
        try await database.write { transaction in
            try transaction.execute(
                """
                UPDATE job SET due_at = \(now)
                WHERE id = \(job.id) AND attempt = \(job.attempt) AND status = 'processing'
                """)
        }
    }

    /// Removes jobs whose time is up, with their files and errors.
    static func expired(by now: Date, limit: Int) -> SQL {
        """
        DELETE FROM job WHERE id IN (
            SELECT id FROM job WHERE expires_at <= \(now) AND status NOT IN ('pending', 'processing') LIMIT \(limit))
            AND expires_at <= \(now)
        """
    }

    private static func insert(
        _ id: String, _ kind: Job.Kind, _ status: Job.Status, settings: JSONObject, at now: Date, until end: Date,
        in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO job (id, type, status, settings, progress, attempt, created_at, due_at, expires_at)
            VALUES (\(id), \(kind.rawValue), \(status.rawValue), \(JSON.text(settings)),
                \(JSON.text(Job.Progress())), 0, \(now), \(now), \(end))
            """)
    }

    private static func find(
        _ id: String, status: Job.Status, in transaction: any SQLTransaction
    ) throws -> Job? {
        try transaction.row("SELECT * FROM job WHERE id = \(id) AND status = \(status.rawValue)").map(Job.init)
    }

    private static func countActive(_ kind: Job.Kind, in transaction: any SQLTransaction) throws -> Int {
        try transaction.row(
            """
            SELECT COUNT(*) AS jobs FROM job WHERE type = \(kind.rawValue) AND status IN ('pending', 'processing')
            """)?.integer("jobs") ?? 0
    }
}

extension Job {
    fileprivate init(_ row: SQLRow) throws {
        guard let kind = Kind(rawValue: try row.text("type")) else { throw SQLError.unexpectedValue(column: "type") }
        guard let status = Status(rawValue: try row.text("status")) else {
            throw SQLError.unexpectedValue(column: "status")
        }
        (self.kind, self.status) = (kind, status)
        id = try row.text("id")
        settings = try row.json("settings")
        progress = try row.json("progress")
        failure = row.optionalText("status_details")
        createdAt = try row.date("created_at")
        attempt = try row.integer("attempt")
    }
}
