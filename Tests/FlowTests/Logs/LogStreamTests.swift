import AuthorizationServer
import Crypto
import Foundation
import OAuth
import Storage
import Synchronization
import TestSupport
import Testing

@Suite("Log streams")
struct LogStreamTests {
    private static let endpoint = "https://hook.example.com/logs"

    private static func add(_ server: TestServer, _ changes: JSONObject = [:], sink: JSONObject = [:]) async throws {
        let members: JSONObject = [
            "name": "webhook", "type": "http",
            "sink": .object((["httpEndpoint": .string(endpoint)] as JSONObject).merging(sink) { $1 }),
        ]
        let stream = try LogStream(
            document: Document(members.merging(changes) { $1 }, path: ""), standardID: "lst_0000000000000001")
        let (sealed, now) = (try server.services.secret.box.seal(JSON.text(stream.secrets)), server.clock.now)
        try await server.services.stores.database.write {
            try LogStreamStore.save(stream, sealedSecrets: sealed, at: now, in: $0)
        }
    }

    private static func happen(_ server: TestServer, _ types: LogEventType...) async throws {
        for type in types { server.services.logs.record(LogEvent(type, at: server.clock.now)) }
        _ = try await server.logEvents()
    }

    private static func deliver(_ server: TestServer) async throws {
        while try await LogStreamDelivery(services: server.services).deliverDue() {}
    }

    /// The bodies and headers of what was sent to the receiver.
    private static func sent(_ web: SimulatedWeb) -> [(body: String, headers: [String: String])] {
        web.requests.compactMap { request in
            guard case .send(let body, _, let headers) = request.method else { return nil }
            return (
                String(decoding: body, as: UTF8.self),
                Dictionary(headers.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
            )
        }
    }

    @Test("Auth0: events are sent as lines, an array or an object, each with its id; only those of the filters")
    func formats() async throws {
        for (format, shape) in [
            ("JSONLINES", #"^\{"data":\{.*"type":"fp"\},"log_id":"900\d{29}"\}\n$"#),
            ("JSONARRAY", #"^\[\{"data":\{.*"type":"fp"\},"log_id":"900\d{29}"\}\]$"#),
            ("JSONOBJECT", #"^\{"logs":\[\{"data":\{.*"type":"fp"\},"log_id":"900\d{29}"\}\]\}$"#),
        ] {
            let web = SimulatedWeb()
            web.put("", at: Self.endpoint)
            try await TestServer.run(outbound: web) { server in
                try await Self.happen(server, .wrongPassword)
                try await Self.add(
                    server, ["filters": [["type": "category", "name": "auth.login.fail"]]],
                    sink: ["httpContentFormat": .string(format)])
                try await Self.happen(server, .login, .wrongPassword, .logout)
                try await Self.deliver(server)
                let sent = Self.sent(web)
                #expect(sent.count == 1)
                #expect(try sent.first?.body.contains(Regex(shape)) == true, "\(sent.first?.body ?? "")")
            }
        }
    }

    @Test("A request has the operator's headers, and a signature that the receiver can check")
    func signature() async throws {
        let web = SimulatedWeb()
        web.put("", at: Self.endpoint)
        try await TestServer.run(outbound: web) { server in
            try await Self.add(
                server,
                sink: [
                    "httpAuthorization": "Bearer of-the-receiver", "httpSigningSecret": "a secret for signing",
                    "httpCustomHeaders": [["header": "X-Team", "value": "identity"]],
                ])
            try await Self.happen(server, .login)
            try await Self.deliver(server)
            let (body, headers) = try #require(Self.sent(web).first)
            #expect(headers["Authorization"] == "Bearer of-the-receiver" && headers["X-Team"] == "identity")
            let time = Int(server.clock.now.timeIntervalSince1970)
            let code = HMAC<SHA256>.authenticationCode(
                for: Data("\(time).\(body)".utf8), using: SymmetricKey(data: Data("a secret for signing".utf8)))
            let digits = code.map { String(format: "%02x", $0) }.joined()
            #expect(headers["Portico-Signature"] == "t=\(time),v1=\(digits)")
            // What the database has of the secrets is sealed.
            let row = try await server.services.stores.database.read { transaction in
                try transaction.row("SELECT document, sealed_secrets FROM log_stream")
            }
            let text = "\(try #require(row).text("document")) \(try #require(row).text("sealed_secrets"))"
            #expect(!text.contains("of-the-receiver") && !text.contains("a secret for") && !text.contains("identity"))
        }
    }

    @Test("What a receiver does not take is sent again, later each time and in order, until the stream is suspended")
    func retries() async throws {
        let web = SimulatedWeb()
        web.put("", at: Self.endpoint, status: 503)
        try await TestServer.run(outbound: web) { server in
            try await Self.add(server)
            try await Self.happen(server, .login)
            for seconds in [1.0, 2, 4, 8] {
                try await Self.deliver(server)
                let count = web.requests.count
                server.clock.advance(by: seconds - 0.5)
                try await Self.deliver(server)
                #expect(web.requests.count == count)
                server.clock.advance(by: 0.5)
            }
            try await Self.happen(server, .logout)
            web.put("", at: Self.endpoint)
            try await Self.deliver(server)
            let bodies = Self.sent(web).map { body, _ in body.split(separator: "\n").count }
            #expect(bodies == [1, 1, 1, 1, 2])
            web.put("", at: Self.endpoint, status: 500)
            try await Self.happen(server, .login)
            for _ in 0..<(LogStreamDelivery.mostFailures + 5) {
                try await Self.deliver(server)
                server.clock.advance(by: 1800)
            }
            #expect(web.requests.count == 5 + LogStreamDelivery.mostFailures)
            let streams = try await server.services.stores.database.read { try LogStreamStore.list(in: $0) }
            #expect(streams.map(\.stream.status) == [.suspended])
        }
    }

    @Test("What a node was sending when it died is sent by the next, and nothing is left out")
    func restart() async throws {
        let web = SimulatedWeb()
        web.put("", at: Self.endpoint)
        try await TestServer.run(outbound: web) { server in
            try await Self.add(server)
            for _ in 0..<250 { server.services.logs.record(LogEvent(.login, at: server.clock.now)) }
            let ids = try await server.logEvents().map(\.id)
            // Another node claims the stream and is never heard of again.
            _ = try await server.services.stores.logStreams.claim(at: server.clock.now, lease: 60)
            try await Self.deliver(server)
            #expect(web.requests.isEmpty)
            server.clock.advance(by: 60)
            try await Self.deliver(server)
            let sent = try Self.sent(web).flatMap { body, _ in
                try body.split(separator: "\n").map {
                    try JSON.decode(JSONObject.self, from: String($0))["log_id"]?.string
                }
            }
            #expect(sent == ids && ids.count == 250)
        }
    }

    @Test("Auth0's other kinds of stream, and what no receiver is, are refused with the reason")
    func refusals() throws {
        for (changes, path) in [
            (["type": "datadog"], "type"), (["type": "eventbridge"], "type"), (["sink": nil], "sink"),
            (["sink": ["httpEndpoint": "hook"]], "sink.httpEndpoint"),
            (["sink": ["httpEndpoint": "https://a.test/", "httpSigningSecret": "short"]], "sink.httpSigningSecret"),
            (
                [
                    "sink": [
                        "httpEndpoint": "https://a.test/", "httpCustomHeaders": [["header": "Host", "value": "b"]],
                    ]
                ],
                "sink.httpCustomHeaders[0].header"
            ),
            (
                ["sink": ["httpEndpoint": "https://a.test/", "httpAuthorization": "a\r\nb: c"]],
                "sink.httpAuthorization"
            ),
            (["filters": [["type": "category", "name": "nothing"]]], "filters[0].name"),
        ] as [(JSONObject, String)] {
            let usual: JSONObject = ["name": "a", "type": "http", "sink": ["httpEndpoint": "https://a.test/"]]
            do {
                _ = try LogStream(
                    document: Document(usual.merging(changes) { $1 }.filter { $0.value != .null }, path: ""),
                    standardID: "lst_1")
                Issue.record("\(path) is accepted")
            } catch {
                #expect(error.path == path)
            }
        }
    }
}
