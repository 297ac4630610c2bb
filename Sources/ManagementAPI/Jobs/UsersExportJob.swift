import AuthorizationServer
import Foundation
import OAuth
import Storage

/// Writes the users of a connection, or all of them, to a file of JSON lines or comma-separated values.
struct UsersExportJob: Sendable {
    let services: Services
    let job: Job

    /// Users read at once, and the characters that they have.
    private static let (batch, batchSize) = (200, 2 << 20)

    /// - Throws: ``JobStore/Lost`` or ``SQLError``.
    func run() async throws {
        let settings = ExportSettings(job.settings)
        let (services, job, connection) = (services, job, settings.connection)
        let total = try await services.stores.database.read { transaction in
            try UserStore.count(
                .all(connection.map { [.match(.connection, .equal($0))] } ?? []), in: transaction)
        }
        let wanted = min(total, settings.limit ?? .max)
        var progress = job.progress
        let time = RemainingTime(
            from: Double(progress.processed) / Double(max(1, wanted)), at: services.now())
        if progress.pieces == 0 { progress = try await write(settings.header, after: progress, isLast: false) }
        while true {
            let (from, room) = (progress.position, (settings.limit ?? .max) - progress.processed)
            let users = try await services.stores.database.read { transaction in
                let users = try UserStore.list(
                    after: from, connection: connection, limit: min(Self.batch, max(0, room)),
                    mostBytes: Self.batchSize, in: transaction)
                return zip(users, try UserMembers.shown(users, in: transaction)).map { user, members in
                    var members = members
                    members["connection"] = .string(user.connection)
                    return members
                }
            }
            let isLast = users.isEmpty
            var bytes = Data()
            for (index, user) in users.enumerated() {
                bytes.append(contentsOf: try settings.line(user).utf8)
                progress.processed += 1
                progress.position = user["user_id"]?.string ?? progress.position
                guard bytes.count >= JobStore.pieceSize, index < users.count - 1 else { continue }
                progress = try await write(bytes, after: progress, isLast: false)
                bytes = Data()
            }
            let fraction = Double(progress.processed) / Double(max(1, wanted))
            progress.percentage = min(99, Int(fraction * 100))
            progress.secondsLeft = time.seconds(at: services.now(), fraction: fraction)
            progress = try await write(bytes, after: progress, isLast: isLast)
            guard !isLast else { return }
            try Task.checkCancellation()
        }
    }

    /// Adds to the file, and notes that in the same transaction.
    private func write(_ bytes: Data, after progress: Job.Progress, isLast: Bool) async throws -> Job.Progress {
        let (job, now) = (job, services.now())
        let starts = stride(from: 0, to: bytes.count, by: JobStore.pieceSize)
        let pieces = starts.map { bytes[$0..<min(bytes.count, $0 + JobStore.pieceSize)] }
        var after = progress
        after.pieces += pieces.count
        if isLast { (after.percentage, after.secondsLeft) = (100, 0) }
        let noted = after
        try await services.stores.database.write { transaction in
            for (index, piece) in pieces.enumerated() {
                try JobStore.writePiece(progress.pieces + index + 1, piece, of: job.id, in: transaction)
            }
            if isLast {
                try JobStore.finish(job, noted, failure: nil, at: now, in: transaction)
            } else {
                try JobStore.advance(
                    job, to: noted, until: now.addingTimeInterval(JobRunner.lease), in: transaction)
            }
        }
        return noted
    }
}

/// What an export holds, and how.
struct ExportSettings: Sendable {
    /// How the users are written.
    enum Format: String, Sendable, CaseIterable { case csv, json }

    /// A field of the users, and what the file calls it.
    struct Field: Sendable {
        let name: String
        let exportedAs: String?

        var title: String { exportedAs ?? name }
    }

    /// The name of the connection; nil for all.
    let connection: String?
    let format: Format
    let limit: Int?
    let fields: [Field]

    private static let standard = [
        "user_id", "email", "email_verified", "username", "phone_number", "name", "given_name", "family_name",
        "nickname", "picture", "connection", "created_at", "updated_at", "last_login", "logins_count", "blocked",
    ]

    /// - Parameter settings: the job's.
    init(_ settings: JSONObject) {
        connection = settings["connection"]?.string
        format = settings["format"]?.string.flatMap(Format.init) ?? .csv
        limit = settings["limit"]?.integer
        let chosen = settings["fields"]?.array?.compactMap { field in
            field.object?["name"]?.string.map {
                Field(name: $0, exportedAs: field.object?["export_as"]?.string)
            }
        }
        fields = chosen ?? Self.standard.map { Field(name: $0, exportedAs: nil) }
    }

    /// What stands before the users.
    var header: Data { format == .csv ? Data(Self.csv(fields.map(\.title)).utf8) : Data() }

    /// A user's line.
    func line(_ user: JSONObject) throws -> String {
        let values = fields.map { (title: $0.title, value: Self.value($0.name, of: user)) }
        switch format {
        case .csv: return Self.csv(try values.map { try Self.text($0.value) })
        case .json:
            let members = values.compactMap { field in field.value.map { (field.title, $0) } }
            return try JSON.text(JSONObject(members) { $1 }) + "\n"
        }
    }

    /// What a path such as `identities[0].connection` or `app_metadata.plan` leads to; nil where it leads nowhere.
    static func value(_ path: String, of user: JSONObject) -> JSONValue? {
        var value = JSONValue.object(user)
        for step in path.split(whereSeparator: { ".[]".contains($0) }) {
            switch value {
            case .object(let members):
                guard let member = members[String(step)] else { return nil }
                value = member
            case .array(let elements):
                guard let index = Int(step), elements.indices.contains(index) else { return nil }
                value = elements[index]
            default: return nil
            }
        }
        return value
    }

    private static func text(_ value: JSONValue?) throws -> String {
        switch value {
        case nil, .null?: ""
        case .string(let text)?: text
        case let value?: try JSON.text(value)
        }
    }

    /// A line of comma-separated values ([RFC 4180](https://www.rfc-editor.org/rfc/rfc4180)).
    static func csv(_ values: [String]) -> String {
        values.map { "\"\(inert($0).replacing("\"", with: "\"\""))\"" }.joined(separator: ",") + "\r\n"
    }

    /// A user chooses their name: a spreadsheet must not take it for a formula, and takes what follows a `'` for text.
    private static func inert(_ value: String) -> String {
        guard let first = value.unicodeScalars.first, "=+-@\t\r".unicodeScalars.contains(first) else { return value }
        return "'" + value
    }
}
