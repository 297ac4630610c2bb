import AuthorizationServer
import Foundation
import OAuth
import Storage

/// `/api/v2/jobs`: what takes longer than a request.
struct JobsResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("jobs")
            .upload(
                "users-imports", file: "users", requires: .create("users"), "Create import users job",
                answers: .object(Self.members), use: importUsers
            )
            .post(
                "users-exports", requires: .read("users"), "Create export users job", status: 200,
                answers: .object(Self.members), use: exportUsers
            )
            .get(
                ":job", requires: .create("users").or(.read("users")), "Get a job", answers: .object(Self.members),
                use: get
            )
            .get(
                ":job/errors", requires: .create("users").or(.read("users")), "Get job error details",
                answers: .orNothing(.either(.list(Self.errorMembers), .object(Self.members))), use: errors)
    }

    static let members: Members = [
        "id": .text.always, "type": .choice(["users_import", "users_export", "verification_email"]).always,
        "status": .choice(["pending", "processing", "completed", "failed"]).always, "created_at": .text.always,
        "connection_id": .text, "connection": .text, "upsert": .bool, "external_id": .text,
        "send_completion_email": .bool, "format": .choice(["csv", "json"]), "limit": .count,
        "fields": .list(["name": .text.always, "export_as": .text]), "percentage_done": .count,
        "time_left_seconds": .count, "status_details": .text, "location": .text,
        "summary": .object(["failed": .count, "updated": .count, "inserted": .count, "total": .count]),
    ]

    private static let errorMembers: Members = [
        "user": .anyObject.always,
        "errors": .list(["code": .text.always, "message": .text.always, "path": .text]).always,
    ]

    /// Jobs of a kind that may wait or run, as at Auth0.
    private static let most = 2
    /// Fields of an export.
    private static let mostFields = 30

    struct NewImport: Payload {
        let connectionID: String
        let upserts: Bool
        let externalID: String?
        let sendsMail: Bool

        init(from document: inout Document) throws(Document.Problem) {
            connectionID = try document.requiredString("connection_id", most: 255)
            upserts = try document.bool("upsert", default: false)
            externalID = try document.string("external_id", most: 255)
            sendsMail = try document.bool("send_completion_email", default: false)
        }
    }

    struct NewExport: Payload {
        let connectionID: String?
        let format: ExportSettings.Format?
        let limit: Int?
        let fields: [JSONObject]?

        init(from document: inout Document) throws(Document.Problem) {
            connectionID = try document.string("connection_id", most: 255)
            format = try document.oneOf("format", ExportSettings.Format.self)
            limit = try document.integer("limit", in: 1...Int(Int32.max))
            fields = try document.documents("fields").map { entries throws(Document.Problem) in
                var fields: [JSONObject] = []
                for var entry in entries {
                    var field: JSONObject = ["name": .string(try entry.requiredString("name", most: 255))]
                    field["export_as"] = try entry.string("export_as", most: 255).map(JSONValue.string)
                    _ = try entry.remaining(known: [])
                    fields.append(field)
                }
                return fields
            }
            let names = fields?.compactMap { $0["name"]?.string } ?? []
            guard names.count <= JobsResource.mostFields else {
                throw document.problem("fields", "must be \(JobsResource.mostFields) at most")
            }
            guard Set(names).count == names.count else {
                throw document.problem("fields", "must not have a name twice")
            }
        }
    }

    @Sendable private func importUsers(_ form: Form<NewImport>) async throws -> Answer {
        let (store, id) = (management.stores.jobs, RandomBytes.alphanumeric(16, prefix: "job_"))
        guard try await store.beginUpload(id, .usersImport, most: Self.most, at: management.services.now()) else {
            throw Self.tooMany("import")
        }
        do {
            let wanted = try await receive(form, id)
            guard !wanted.sendsMail else {
                throw ManagementError(
                    501, "This version of Portico sends no mail yet: leave out 'send_completion_email', or send false",
                    "not_implemented")
            }
            let connection = try await connection(wanted.connectionID)
            var settings: JSONObject = [
                "connection_id": .string(connection.id), "connection": .string(connection.name),
                "upsert": .bool(wanted.upserts), "send_completion_email": false,
            ]
            settings["external_id"] = wanted.externalID.map(JSONValue.string)
            return try await accept(form.caller, settings, "import", status: 202) { [settings] transaction, now in
                try JobStore.submit(id, settings: settings, most: Self.most, at: now, in: transaction)
            }
        } catch {
            // Whoever has gone away is no reason to keep their file.
            await Task { try? await store.delete(id) }.value
            if error is JobStore.Lost { throw ManagementError.malformedBody("The upload has taken too long") }
            throw error
        }
    }

    /// Puts the file down as it comes in.
    private func receive(_ form: Form<NewImport>, _ id: String) async throws -> NewImport {
        var (piece, number) = (Data(), 0)
        let services = management.services
        let wanted = try await form.receive(most: management.services.mostImportBytes) { bytes in
            piece.append(bytes)
            while piece.count >= JobStore.pieceSize {
                number += 1
                try await Self.write(number, Data(piece.prefix(JobStore.pieceSize)), id, services)
                piece = Data(piece.dropFirst(JobStore.pieceSize))
            }
        }
        if !piece.isEmpty { try await Self.write(number + 1, piece, id, services) }
        return wanted
    }

    private static func write(_ number: Int, _ bytes: Data, _ id: String, _ services: Services) async throws {
        let now = services.now()
        try await services.stores.database.write { transaction in
            try JobStore.keepUpload(id, at: now, in: transaction)
            try JobStore.writePiece(number, bytes, of: id, in: transaction)
        }
    }

    @Sendable private func exportUsers(_ call: Submission<NewExport>) async throws -> Answer {
        let wanted = call.body
        var settings: JSONObject = ["format": .string((wanted.format ?? .csv).rawValue)]
        if let id = wanted.connectionID {
            let connection = try await connection(id)
            settings["connection_id"] = .string(connection.id)
            settings["connection"] = .string(connection.name)
        }
        settings["limit"] = wanted.limit.map { .integer(Int64($0)) }
        settings["fields"] = wanted.fields.map { .array($0.map(JSONValue.object)) }
        let id = RandomBytes.alphanumeric(16, prefix: "job_")
        return try await accept(call.caller, settings, "export", status: 200) { [settings] transaction, now in
            try JobStore.create(id, .usersExport, settings: settings, most: Self.most, at: now, in: transaction)
        }
    }

    @Sendable private func get(_ call: Plain) async throws -> Answer {
        let job = try await find(call["job"])
        var members = Self.shown(job)
        if job.status == .processing || job.status == .completed {
            members["percentage_done"] = .integer(Int64(job.progress.percentage))
            members["time_left_seconds"] = job.progress.secondsLeft.map { .integer(Int64($0)) }
        }
        members["status_details"] = job.failure.map(JSONValue.string)
        switch (job.kind, job.status) {
        case (.usersImport, .completed), (.usersImport, .failed), (.usersImport, .processing):
            let progress = job.progress
            members["summary"] = [
                "failed": .integer(Int64(progress.failed)), "updated": .integer(Int64(progress.updated)),
                "inserted": .integer(Int64(progress.inserted)), "total": .integer(Int64(progress.processed)),
            ]
        // The file is the users: who may only create some does not get it.
        case (.usersExport, .completed) where call.has("read:users"):
            members["location"] = .string(ExportFile.link(to: job, management.services))
        default: break
        }
        return .ok(members)
    }

    @Sendable private func errors(_ call: Plain) async throws -> Answer {
        let job = try await find(call["job"])
        if let failure = job.failure {
            var members = Self.shown(job)
            members["status_details"] = .string(failure)
            return .ok(members)
        }
        let errors = try await management.stores.jobs.errors(of: job.id, limit: UsersImportJob.mostErrors)
        return errors.isEmpty ? .noContent : .ok(errors.map(\.document))
    }

    // MARK: Steps

    private func find(_ id: String) async throws -> Job {
        guard let job = try await management.stores.jobs.find(id) else {
            throw ManagementError.inexistent("job", "job")
        }
        return job
    }

    private func connection(_ id: String) async throws -> Connection {
        let found = try await management.stores.database.readOnce { try ConnectionStore.find(id: id, in: $0) }
        guard let connection = found else {
            throw ManagementError.inexistent("connection", "connection")
        }
        guard connection.isDatabase else {
            throw Document.Problem(path: "connection_id", message: "must be a database connection")
        }
        return connection
    }

    private func accept(
        _ caller: Caller, _ settings: JSONObject, _ what: String, status: Int,
        _ make: @escaping @Sendable (any SQLTransaction, Date) throws -> Job?
    ) async throws -> Answer {
        try await management.write(caller) { transaction, now in
            guard let job = try make(transaction, now) else {
                throw Self.tooMany(what)
            }
            let shown = Self.shown(job)
            return Changed(
                Answer(status: status, body: .object(shown)), [.init("jobs", job.id, before: nil, after: shown)])
        }
    }

    private static func tooMany(_ what: String) -> ManagementError {
        ManagementError(
            429,
            "There are \(most) active \(what) users jobs, please wait until some of them are finished and try again",
            "too_many_requests")
    }

    private static func shown(_ job: Job) -> JSONObject {
        job.settings.merging([
            "id": .string(job.id), "type": .string(job.kind.rawValue), "status": .string(job.status.rawValue),
            "created_at": UserMembers.time(job.createdAt),
        ]) { $1 }
    }
}
