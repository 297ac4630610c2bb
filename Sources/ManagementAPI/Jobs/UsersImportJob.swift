import AuthorizationServer
import Foundation
import OAuth
import Storage
import TenantConfiguration

/// Imports the users of a file into a connection, as `portico users import` does.
struct UsersImportJob: Sendable {
    let services: Services
    let job: Job

    /// Rows for which it is written down why they were not taken; the others are counted only.
    static let mostErrors = 10_000

    /// - Throws: ``JobRunner/Failure``, ``JobStore/Lost``, or ``SQLError``.
    func run() async throws {
        let id = job.settings["connection_id"]?.string ?? ""
        let found = try await services.stores.database.readOnce { try ConnectionStore.find(id: id, in: $0) }
        guard let connection = found, connection.isDatabase else {
            throw JobRunner.Failure(message: "The connection does not exist any more")
        }
        let (file, size) = try await openFile()
        defer { try? file.close() }
        let (services, job, known) = (services, job, job.progress)
        var start = UserImport.Position()
        (start.offset, start.processed) = (Int(known.position) ?? 0, known.processed)
        (start.inserted, start.updated, start.rejected) = (known.inserted, known.updated, known.failed)
        try file.seek(toOffset: UInt64(start.offset))
        let time = RemainingTime(from: Self.fraction(start.offset, of: size), at: services.now())
        let end: UserImport.Position
        do {
            end = try await UserImport(
                stores: services.stores, connection: connection.name, holding: [connection.id]
            ).run(
                file, name: "The file", from: start, upsert: job.settings["upsert"]?.bool ?? false, at: services.now(),
                note: { position, rejected, transaction in
                    let now = services.now()
                    try JobStore.advance(
                        job, to: Self.progress(position, of: size, time, at: now),
                        until: now.addingTimeInterval(JobRunner.lease), in: transaction)
                    let room = max(0, Self.mostErrors - (position.rejected - rejected.count))
                    try JobStore.writeErrors(rejected.prefix(room).map(Self.error), of: job, in: transaction)
                })
        } catch is UserImport.ConnectionGone {
            throw JobRunner.Failure(message: "The connection does not exist any more")
        } catch is UserImport.NotUsers {
            throw JobRunner.Failure(
                message: "Failed to parse users file JSON when importing users. Make sure it is valid JSON.")
        }
        let now = services.now()
        try await services.stores.database.write { transaction in
            var progress = Self.progress(end, of: size, time, at: now)
            (progress.percentage, progress.secondsLeft) = (100, 0)
            try JobStore.finish(job, progress, failure: nil, at: now, in: transaction)
        }
    }

    private static func fraction(_ offset: Int, of size: Int) -> Double { Double(offset) / Double(max(1, size)) }

    private static func progress(
        _ position: UserImport.Position, of size: Int, _ time: RemainingTime, at now: Date
    ) -> Job.Progress {
        let fraction = fraction(position.offset, of: size)
        var progress = Job.Progress()
        (progress.position, progress.processed) = (String(position.offset), position.processed)
        (progress.inserted, progress.updated) = (position.inserted, position.updated)
        progress.failed = position.rejected
        // Only the end is 100.
        progress.percentage = min(99, Int(fraction * 100))
        progress.secondsLeft = time.seconds(at: now, fraction: fraction)
        return progress
    }

    /// The user and the reason, as Auth0 shows them: the message begins with the path of what is wrong.
    private static func error(_ row: UserImport.RejectedRow) -> JobError {
        var reason: JSONObject = ["code": .string(row.code), "message": .string(row.message)]
        if let colon = row.message.firstRange(of: ": ") {
            let path = row.message[..<colon.lowerBound]
            if !path.contains(" ") { reason["path"] = .string(String(path)) }
        }
        return JobError(
            row: row.index, document: ["user": .object(row.user), "errors": .array([.object(reason)])])
    }

    /// The file in a place of this node's own that has no name, so that nothing of it is left however the node ends.
    private func openFile() async throws -> (FileHandle, size: Int) {
        let url = FileManager.default.temporaryDirectory.appending(path: "portico-\(RandomBytes.hexadecimal(32))")
        let path = url.path(percentEncoded: false)
        guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]) else {
            throw JobRunner.Failure(message: "The server cannot write to its temporary folder")
        }
        let file: FileHandle
        do {
            file = try FileHandle(forUpdating: url)
            try FileManager.default.removeItem(at: url)
        } catch {
            try? FileManager.default.removeItem(at: url)
            throw error
        }
        var (size, number) = (0, 1)
        while let piece = try await services.stores.jobs.piece(number, of: job.id) {
            try file.write(contentsOf: piece)
            (size, number) = (size + piece.count, number + 1)
            if number.isMultiple(of: 256) { try await renew() }
            try Task.checkCancellation()
        }
        return (file, size)
    }

    /// Keeps the job while its file is fetched.
    private func renew() async throws {
        let (job, until) = (job, services.now().addingTimeInterval(JobRunner.lease))
        try await services.stores.database.write { transaction in
            try JobStore.advance(job, to: job.progress, until: until, in: transaction)
        }
    }
}
