import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TenantConfiguration
import TestSupport
import Testing

@Suite("Reading log events, and streams as configuration")
struct LogAPITests {
    private static func happen(_ server: TestServer, _ count: Int) async throws -> [LogEvent] {
        _ = try await server.logEvents()
        let before = Set(try await server.logEvents().map(\.id))
        for index in 0..<count {
            var event = LogEvent(
                index % 2 == 0 ? .wrongPassword : .login, at: server.clock.now, description: "\(index)")
            event.userID = index % 3 == 0 ? User.ada.id : User.grace.id
            server.services.logs.record(event)
        }
        return try await server.logEvents().filter { !before.contains($0.id) }
    }

    private static func ids(_ objects: [JSONObject]) -> [String?] { objects.map { $0["log_id"]?.string } }

    @Test("Auth0: a search has pages, totals and fields; the newest comes first")
    func search() async throws {
        try await TestServer.run { server in
            let client = try await ManagementClient(server)
            let events = try await Self.happen(server, 12)
            let page = try await client.get("logs?q=type:fp&page=1&per_page=4&include_totals=true&sort=date:-1")
            #expect(page["start"] == 4 && page["limit"] == 4 && page["length"] == 2 && page["total"] == 6)
            let found = page["logs"]?.array?.compactMap { $0.object?["description"]?.string }
            #expect(found == ["2", "0"])
            let fields = try await client.list("logs?per_page=1&fields=type,user_name&include_fields=true")
            #expect(fields.first.map { Set($0.keys) } == ["type", "user_name", "log_id"])
            let oldest = try await client.list("logs?sort=date:1&q=description:0")
            #expect(Self.ids(oldest) == [events[0].id])
            let user = try await client.list("users/\(User.ada.id.formEncoded)/logs?q=type:fp")
            #expect(user.map { $0["description"]?.string } == ["6", "0"])
            let one = try await client.get("logs/\(events[3].id)")
            #expect(one == events[3].document)
            #expect(try await client.send(.get, "logs/900").status == .notFound)
            for query in ["q=nothing:x", "q=(type:s", "sort=type:1", "page=20&per_page=100", "per_page=101"] {
                #expect(try await client.send(.get, "logs?\(query)").status == .badRequest, "\(query)")
            }
            let other = try await ManagementClient(server, scope: ["read:clients"])
            #expect(try await other.send(.get, "logs").status == .forbidden)
        }
    }

    @Test("Auth0: from checkpoint to checkpoint every event comes once, and Link says where the next are")
    func checkpoints() async throws {
        try await TestServer.run { server in
            let client = try await ManagementClient(server)
            _ = try await Self.happen(server, 25)
            var (path, seen): (String, [String?]) = ("logs?take=10", [])
            for expected in [10, 10, 6, 0] {
                let answer = try await client.send(.get, path)
                let part = try await client.list(path)
                #expect(part.count == expected)
                seen += Self.ids(part)
                let link = answer.headers[HTTPField.Name("Link") ?? .location] ?? ""
                let (start, end) = ("<https://login.example.com/api/v2/", ">; rel=\"next\"")
                #expect(link.hasPrefix(start) && link.hasSuffix(end))
                path = String(link.dropFirst(start.count).dropLast(end.count))
            }
            #expect(seen == (try await server.logEvents().map(\.id)))
        }
    }

    @Test("Auth0: log streams are made, read, changed and removed; what the receiver knows is never read")
    func streams() async throws {
        try await TestServer.run { server in
            let client = try await ManagementClient(server)
            let made = try await client.send(
                .post, "log-streams",
                [
                    "name": "Audit", "type": "http", "filters": [["type": "category", "name": "auth.login.fail"]],
                    "sink": [
                        "httpEndpoint": "https://audit.example.com/", "httpAuthorization": "Bearer of-the-receiver",
                        "httpContentFormat": "JSONARRAY",
                    ],
                ])
            #expect(made.status == .ok)
            let id = try made.json()["id"]?.string ?? ""
            #expect(id.hasPrefix("lst_") && !made.text.contains("of-the-receiver"))
            let changed = try await client.patch(
                "log-streams/\(id)", ["status": "paused", "sink": ["httpContentType": "text/plain"]])
            #expect(changed["status"] == "paused")
            #expect(changed["sink"]?.object?["httpContentFormat"] == "JSONARRAY")
            #expect(changed["sink"]?.object?["httpContentType"] == "text/plain")
            let state = try #require(
                try await server.services.stores.database.read { try LogStreamStore.find(id, in: $0) })
            let sealed = try server.services.secret.box.open(state.sealedSecrets ?? "")
            #expect(sealed.contains("of-the-receiver"))
            #expect(try await client.list("log-streams").count == 1)
            let refused = try await client.send(.post, "log-streams", ["name": "B", "type": "splunk", "sink": [:]])
            #expect(refused.status == .badRequest && refused.text.contains("PORTICO_LOG_EVENTS"))
            #expect(try await client.send(.delete, "log-streams/\(id)").status == .noContent)
            #expect(try await client.send(.get, "log-streams/\(id)").status == .notFound)
            let events = try JSON.text(try await server.logEvents().map(\.document))
            #expect(!events.contains("of-the-receiver"))
        }
    }

    @Test("Auth0's Deploy CLI: logStreams are planned, applied and exported; kinds that there are not are named")
    func deployment() async throws {
        try await TestServer.run { server in
            let (stores, box) = (server.services.stores, server.services.secret.box)
            func plan(_ yaml: String) async throws -> Plan {
                try await Plan.make(
                    TenantFile(yaml: yaml, name: "tenant.yaml", environment: [:]), stores: stores, box: box,
                    allowDelete: false)
            }
            let first = try await plan(
                """
                logStreams:
                  - name: Audit
                    type: http
                    sink:
                      httpEndpoint: https://audit.example.com/
                      httpAuthorization: Bearer of-the-receiver
                  - name: Dogs
                    type: datadog
                    sink: { datadogRegion: eu }
                """)
            #expect(first.text.contains("+ log stream Audit") && first.text.contains("sink (secrets): (set)"))
            #expect(first.text.contains("! logStreams[1]: 'Dogs' is not applied") && first.text.contains("'datadog'"))
            #expect(!first.text.contains("of-the-receiver"))
            _ = try await first.apply(to: stores, at: server.clock.now)
            let exported = try await TenantExport.yaml(stores)
            #expect(exported.contains("https://audit.example.com/") && !exported.contains("of-the-receiver"))
            #expect(try await plan(exported).isEmpty)
        }
    }
}
