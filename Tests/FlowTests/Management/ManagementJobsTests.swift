import AuthorizationServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import ManagementAPI
import NIOCore
import NIOFoundationEssentialsCompat
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Management API: jobs")
struct ManagementJobsTests {
    private static let boundary = "----form7d3a"
    private static let connection = Connection.database.id

    /// The parts of a form, the file first, as `curl` sends it in Auth0's examples.
    private static func form(_ users: String?, _ fields: [(String, String)]) -> String {
        let file = users.map {
            "--\(boundary)\r\nContent-Disposition: form-data; name=\"users\"; filename=\"users.json\"\r\n"
                + "Content-Type: application/json\r\n\r\n\($0)\r\n"
        }
        let texts = fields.map {
            "--\(boundary)\r\nContent-Disposition: form-data; name=\"\($0.0)\"\r\n\r\n\($0.1)\r\n"
        }
        return (file ?? "") + texts.joined() + "--\(boundary)--\r\n"
    }

    private static func send(
        _ management: ManagementClient, _ body: String,
        contentType: String = "multipart/form-data; boundary=\"\(boundary)\""
    ) async throws -> TestResponse {
        try await management.server.client.execute(
            uri: "/api/v2/jobs/users-imports", method: .post,
            headers: [.authorization: "Bearer \(management.token)", .contentType: contentType],
            body: ByteBuffer(string: body))
    }

    private static func send(
        _ management: ManagementClient, users: String?, _ fields: (String, String)...
    ) async throws -> TestResponse {
        try await send(management, form(users, [("connection_id", connection)] + fields))
    }

    private static func run(_ server: TestServer) async throws {
        while try await JobRunner(services: server.services).runDue() {}
    }

    @Test("Auth0: users are imported in the background; the job tells how many, and the errors tell who and why")
    func importsUsers() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let users = """
                [{"email": "new@example.com", "app_metadata": {"plan": "gold"}}, {"email": "ada@example.com"},
                 {"email": "nobody", "password_hash": "x"}, {"email": "odd@example.com", "nam": 1}, 7]
                """
            let made = try await Self.send(management, users: users, ("upsert", "false"), ("external_id", "x-1"))
            let job = try made.json()
            #expect(made.status == .accepted && job["status"] == "pending" && job["type"] == "users_import")
            #expect(job["connection"] == "Username-Password-Authentication" && job["external_id"] == "x-1")
            #expect(job["upsert"] == false && job["send_completion_email"] == false)
            let path = "jobs/\(job["id"]?.string ?? "")"
            #expect(try await management.get(path)["summary"] == nil)
            try await Self.run(server)
            let done = try await management.get(path)
            #expect(done["status"] == "completed" && done["percentage_done"] == 100)
            #expect(done["summary"] == ["failed": 4, "updated": 0, "inserted": 1, "total": 5])
            let errors = try await management.list("\(path)/errors")
            let codes = errors.map { $0["errors"]?.array?.first?.object?["code"]?.string }
            #expect(
                codes == [
                    "DUPLICATED_USER", "INVALID_FORMAT", "ADDITIONAL_PROPERTIES_NOT_ALLOWED", "OBJECT_REQUIRED",
                ])
            #expect(errors[1]["user"] == ["email": "nobody"], "no password hash")
            #expect(errors[1]["errors"]?.array?.first?.object?["path"] == "password_hash")
            #expect(try await management.list("users?q=app_metadata.plan:gold").count == 1)
        }
    }

    @Test("Auth0: with upsert a user that is there is updated, and a job without errors answers 204 for them")
    func upserts() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let job = try await Self.send(
                management, users: #"[{"email": "ada@example.com", "name": "Countess"}]"#, ("upsert", "true")
            ).json()
            try await Self.run(server)
            let path = "jobs/\(job["id"]?.string ?? "")"
            #expect(try await management.get(path)["summary"]?.object?["updated"] == 1)
            #expect(try await management.send(.get, "\(path)/errors").status == .noContent)
            #expect(try await management.get("users/\(User.ada.id.formEncoded)")["name"] == "Countess")
        }
    }

    @Test("An import that its node did not finish goes on where it stood, and takes no user twice")
    func goesOn() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let lines = (1...450).map { #"{"email": "user\#($0)@example.com"}"# } + ["7"]
            let job = try await Self.send(management, users: lines.joined(separator: "\n")).json()
            let (id, store) = (job["id"]?.string ?? "", server.services.stores.jobs)
            // A node that ends after a batch: what it has written stays, and another one claims the job.
            let claimed = try #require(try await store.claim(at: server.clock.now, lease: 60))
            let head = lines.prefix(200).joined(separator: "\n")
            for number in 1...200 {
                let user = User(
                    id: "auth0|" + RandomBytes.hexadecimal(24), connection: Connection.database.name,
                    email: "user\(number)@example.com", createdAt: server.clock.now)
                try await server.services.stores.database.write {
                    try UserStore.insert(user, passwordHash: nil, in: $0)
                }
            }
            var progress = Job.Progress()
            (progress.position, progress.processed, progress.inserted) = (String(head.utf8.count), 200, 200)
            let (noted, until) = (progress, server.clock.now + 60)
            try await server.services.stores.database.write {
                try JobStore.advance(claimed, to: noted, until: until, in: $0)
            }
            #expect(try await JobRunner(services: server.services).runDue() == false)
            server.clock.advance(by: 61)
            try await Self.run(server)
            let again = try await ManagementClient(server)
            let done = try await again.get("jobs/\(id)")
            #expect(done["summary"] == ["failed": 1, "updated": 0, "inserted": 450, "total": 451])
            let errors = try await store.errors(of: id, limit: 9)
            #expect(errors.map(\.row) == [451])
        }
    }

    @Test("Auth0: a file that holds no users makes the job fail, and says so")
    func failedJob() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let job = try await Self.send(management, users: "email,name\na@example.com,A\n").json()
            try await Self.run(server)
            let path = "jobs/\(job["id"]?.string ?? "")"
            #expect(try await management.get(path)["status"] == "failed")
            let errors = try await management.get("\(path)/errors")
            #expect(errors["status_details"]?.string?.contains("valid JSON") == true)
        }
    }

    @Test(
        "What is wrong with an import is said at once: the form, the connection, the size, and mail that there is not")
    func refusals() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let user = #"[{"email": "a@example.com"}]"#
            #expect(try await Self.send(management, users: nil).status == .badRequest)
            #expect(try await Self.send(management, users: "").status == .badRequest)
            let unknown = try await Self.send(management, Self.form(user, [("connection_id", "con_x")]))
            #expect(unknown.status == .notFound)
            #expect(try await Self.send(management, Self.form(user, [])).status == .badRequest)
            #expect(try await Self.send(management, users: user, ("upset", "true")).status == .badRequest)
            #expect(try await Self.send(management, users: user, ("upsert", "maybe")).status == .badRequest)
            let mail = try await Self.send(management, users: user, ("send_completion_email", "true"))
            #expect(mail.status == .notImplemented)
            let large = String(repeating: " ", count: 512_001 - user.utf8.count) + user
            #expect(try await Self.send(management, users: large).status == .contentTooLarge)
            let cut = String(Self.form(user, [("connection_id", Self.connection)]).dropLast(8))
            #expect(try await Self.send(management, cut).status == .badRequest)
            let none = try await Self.send(management, "x", contentType: "multipart/form-data")
            #expect(none.status == .badRequest)
            #expect(try await Self.send(management, "{}", contentType: "application/json").status.code == 415)
            let kept = try await server.services.stores.database.read { try $0.rows("SELECT id FROM job") }
            #expect(kept.isEmpty)
            let largest = String(repeating: " ", count: 512_000 - user.utf8.count) + user
            #expect(try await Self.send(management, users: largest).status == .accepted)
            #expect(try await management.send(.get, "jobs/job_x").status == .notFound)
            #expect(try await management.send(.post, "jobs/verification-email", [:]).status == .badRequest)
        }
    }

    @Test("Auth0: two imports may wait or run, and a third is 429")
    func limit() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            for number in 1...3 {
                let answer = try await Self.send(management, users: #"{"email": "user\#(number)@example.com"}"#)
                #expect(answer.status == (number == 3 ? .tooManyRequests : .accepted))
            }
            try await Self.run(server)
            #expect(try await Self.send(management, users: #"{"email": "user4@example.com"}"#).status == .accepted)
        }
    }

    @Test("Auth0: users are exported as gzip at a link that nobody can guess and that holds for a minute")
    func exportsUsers() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let made = try await management.send(
                .post, "jobs/users-exports",
                [
                    "connection_id": .string(Self.connection), "format": "json",
                    "fields": [
                        ["name": "email"], ["name": "identities[0].connection", "export_as": "provider"],
                        ["name": "given_name"],
                    ],
                ])
            #expect(made.status == .ok)
            let job = try made.json()
            #expect(job["type"] == "users_export" && job["format"] == "json" && job["limit"] == nil)
            try await Self.run(server)
            let done = try await management.get("jobs/\(job["id"]?.string ?? "")")
            #expect(done["status"] == "completed" && done["percentage_done"] == 100 && done["summary"] == nil)
            let location = done["location"]?.string ?? ""
            #expect(location.hasPrefix(TestServer.issuer))
            let path = "/" + location.dropFirst(TestServer.issuer.count)
            let file = try await server.get(path)
            #expect(file.status == .ok && file.headers[.contentType] == "application/gzip")
            #expect(file.headers[.contentDisposition]?.hasSuffix(".json.gz\"") == true)
            let lines = try Self.stored(Data(buffer: file.body)).split(separator: "\n")
            #expect(
                lines == [
                    #"{"email":"ada@example.com","given_name":"Ada","provider":"Username-Password-Authentication"}"#,
                    #"{"email":"grace@example.com","provider":"Username-Password-Authentication"}"#,
                ])
            for wrong in [path + "x", path.replacing("expires=", with: "expires=9"), "/exports/job_x"] {
                #expect(try await server.get(wrong).status == .forbidden)
            }
            server.clock.advance(by: 61)
            #expect(try await server.get(path).status == .forbidden)
        }
    }

    @Test("Auth0: without a format an export is comma-separated, and no more users than the limit")
    func exportsCSV() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let job = try await management.post(
                "jobs/users-exports",
                ["limit": 1, "fields": [["name": "name", "export_as": "the \"name\""], ["name": "email"]]])
            #expect(job["format"] == "csv" && job["connection_id"] == nil)
            try await Self.run(server)
            let done = try await management.get("jobs/\(job["id"]?.string ?? "")")
            let location = done["location"]?.string?.dropFirst(TestServer.issuer.count) ?? ""
            let file = try Self.stored(Data(buffer: await server.get("/" + location).body))
            #expect(file == "\"the \"\"name\"\"\",\"email\"\r\n\"Ada Lovelace\",\"ada@example.com\"\r\n")
        }
    }

    @Test("The file of an export is for who may read users; who may create them sees the job without it")
    func locationNeedsScope() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let path = "jobs/\(try await management.post("jobs/users-exports", [:])["id"]?.string ?? "")"
            try await Self.run(server)
            let creator = try await ManagementClient(server, scope: ["create:users"]).get(path)
            #expect(creator["status"] == "completed" && creator["location"] == nil)
            let reader = try await ManagementClient(server, scope: ["read:users"]).get(path)
            #expect(reader["location"] != nil)
        }
    }

    @Test("No spreadsheet takes a name in an export for a formula; long lines fill piece after piece")
    func exportsFormulas() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let starts = ["=1+1", "+1", "-1", "@A", "\tx", "\rx", "a=1"]
            let filler = String(repeating: "x", count: 30_000)
            for (index, start) in starts.enumerated() {
                let user = User(
                    id: "auth0|x\(index)", connection: Connection.database.name, email: "x\(index)@example.com",
                    createdAt: server.clock.now)
                var named = user
                named.profile["name"] = .string(start)
                named.appMetadata["filler"] = .string(filler)
                let new = named
                try await server.services.stores.database.write {
                    try UserStore.insert(new, passwordHash: nil, in: $0)
                }
            }
            let job = try await management.post(
                "jobs/users-exports",
                ["fields": [["name": "name", "export_as": "=name"], ["name": "app_metadata.filler"]]])
            try await Self.run(server)
            let id = job["id"]?.string ?? ""
            let location = try await management.get("jobs/\(id)")["location"]?.string ?? ""
            let path = "/" + location.dropFirst(TestServer.issuer.count)
            let file = try Self.stored(Data(buffer: await server.get(path).body))
            #expect(file.hasPrefix("\"'=name\",\"app_metadata.filler\"\r\n"))
            for start in starts.dropLast() { #expect(file.contains("\"'\(start)\",\"\(filler)\"\r\n")) }
            #expect(file.contains("\"a=1\",\"\(filler)\"\r\n"))
        }
    }

    @Test("An export has thirty fields at most, and none twice")
    func exportFields() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let fields = (1...31).map { JSONValue.object(["name": .string("app_metadata.f\($0)")]) }
            for wrong in [fields, [fields[0], fields[0]]] {
                let refused = try await management.send(.post, "jobs/users-exports", ["fields": .array(wrong)])
                #expect(refused.status == .badRequest)
            }
            let taken = try await management.send(.post, "jobs/users-exports", ["fields": .array(fields.dropLast())])
            #expect(taken.status == .ok)
        }
    }

    @Test("Files that are on their way count too, and of many errors ten thousand are kept")
    func bounds() async throws {
        try await TestServer.run { server in
            let (management, store) = (try await ManagementClient(server), server.services.stores.jobs)
            for id in ["job_a", "job_b"] {
                #expect(try await store.beginUpload(id, .usersImport, most: 2, at: server.clock.now))
            }
            #expect(try await Self.send(management, users: "[7]").status == .tooManyRequests)
            try await store.delete("job_a")
            let rows = "[" + Array(repeating: "7", count: 10_001).joined(separator: ",") + "]"
            let job = try await Self.send(management, users: rows).json()
            try await Self.run(server)
            let id = job["id"]?.string ?? ""
            #expect(try await management.get("jobs/\(id)")["summary"]?.object?["failed"] == 10_001)
            #expect(try await store.errors(of: id, limit: 20_000).map(\.row) == Array(1...10_000))
        }
    }

    @Test("A job that was begun five times without an end is given up")
    func givenUp() async throws {
        try await TestServer.run { server in
            let (management, store) = (try await ManagementClient(server), server.services.stores.jobs)
            let path = "jobs/\(try await management.post("jobs/users-exports", [:])["id"]?.string ?? "")"
            for attempt in 0..<5 {
                let job = try await store.claim(at: server.clock.now + Double(attempt * 60), lease: 60)
                #expect(job?.isGivenUp == false)
            }
            server.clock.advance(by: 300)
            try await Self.run(server)
            let done = try await management.get(path)
            #expect(done["status"] == "failed" && done["status_details"]?.string?.contains("several times") == true)
        }
    }

    @Test("What is written down of a change has no secret, in any spelling, shape and depth")
    func redaction() {
        let before: JSONObject = [
            "options": ["Client-Secret": "x", "apps": [[["appSecret": ["x"]]]]], "secrets": [["name": "A"]],
            "password": nil, "refresh_token": ["leeway": 0], "sink": ["httpAuthorization": "x"],
        ]
        let subject = AuditEvent.Subject("connections", "con_1", before: before, after: nil)
        let expected: JSONObject = [
            "options": ["Client-Secret": "[REDACTED]", "apps": [[["appSecret": "[REDACTED]"]]]],
            "secrets": "[REDACTED]", "password": nil, "refresh_token": ["leeway": 0],
            "sink": ["httpAuthorization": "[REDACTED]"],
        ]
        #expect(subject.before == expected)
    }

    /// The text in a gzip file of stored blocks.
    private static func stored(_ gzip: Data) throws -> String {
        var (bytes, text) = (Array(gzip.dropFirst(10)), [UInt8]())
        try #require(gzip.starts(with: [0x1F, 0x8B, 8, 0]))
        while bytes.count >= 5 {
            let count = Int(bytes[1]) | Int(bytes[2]) << 8
            text += bytes[5..<5 + count]
            let isLast = bytes[0] == 1
            bytes.removeFirst(5 + count)
            if isLast { break }
        }
        try #require(bytes.count == 8)
        let size = bytes.suffix(4).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
        #expect(size == text.count)
        return String(decoding: text, as: UTF8.self)
    }
}
