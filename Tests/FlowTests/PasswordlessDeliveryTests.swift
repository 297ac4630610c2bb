import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("How codes get to their addresses")
struct PasswordlessDeliveryTests {
    private typealias Codes = PasswordlessTests
    private static let number = "+4915112345678"

    private static func start(_ server: TestServer, number: String = number) async throws -> TestResponse {
        try await Codes.start(server, ["connection": "sms", "email": nil, "phone_number": number, "send": nil])
    }

    private static func rows(_ server: TestServer) async throws -> [String] {
        try await server.services.stores.database.read { transaction in
            try transaction.rows("SELECT subject_digest FROM passwordless_code").map { _ in "code" }
                + transaction.rows("SELECT id FROM mail").map { _ in "mail" }
        }
    }

    @Test("A connection's own mail has Auth0's variables, for codes and for links")
    func ownTemplate() async throws {
        let mail: JSONObject = [
            "subject": "{{ application.name }}: {{ send }}", "from": "{{ application.name }} <codes@example.com>",
            "body": "<b>{% if send == 'link' %}{{ link }}{% else %}{{ code }}{% endif %}</b> {{ email }}",
            "syntax": "liquid",
        ]
        for (sent, pattern) in [("code", "<b>[0-9]{6}</b>"), ("link", "<b>https:[^<]*ticket=[^<]+</b>")] {
            let options: JSONObject = ["email": .object(mail), "portico_send": .string(sent)]
            try await TestServer.run(Codes.fixtures(options)) { server in
                let browser = TestBrowser(server)
                let page = try await Codes.page(browser)
                _ = try await Codes.ask(browser, page, [("address", "new@example.com"), ("action", "send")])
                let content = try #require(try await server.mails(to: "new@example.com").first).content
                #expect(content.subject == "Regular Web App: \(sent)")
                #expect(content.from.address == "codes@example.com" && content.from.name == "Regular Web App")
                #expect(try content.html.contains(Regex(pattern)), "\(content.html)")
                #expect(content.html.contains("new@example.com"))
            }
        }
    }

    @Test("Auth0: an sms_gateway is posted recipient, body and sender")
    func gateway() async throws {
        let (web, url) = (SimulatedWeb(), "https://sms.example.com/send")
        try web.publish([:], at: url)
        let options: JSONObject = [
            "provider": "sms_gateway", "gateway_url": .string(url), "from": "Clinic",
            "template": "Code @@password@@, \"quoted\"",
        ]
        try await TestServer.run(Codes.fixtures(options, strategy: "sms"), outbound: web) { server in
            #expect(try await Self.start(server).status == .ok)
            let asked = try #require(web.requests.last)
            guard asked.url == url, case .send(let body, let type, _) = asked.method else {
                Issue.record("\(asked)")
                return
            }
            #expect(type == "application/json")
            let members = try JSON.decode(JSONObject.self, from: body)
            #expect(members["recipient"] == .string(Self.number) && members["sender"] == "Clinic")
            let code = try #require(members["body"]?.string?.firstMatch(of: /^Code ([0-9]{6}), "quoted"$/)?.1)
            let tokens = try await Codes.redeem(server, String(code), username: Self.number, realm: "sms").json()
            #expect(tokens["id_token"]?.string?.claims["sub"]?.string?.hasPrefix("sms|") == true)
            // What the gateway refuses was not sent, and whoever asked is told.
            web.put("no", at: url, status: 500)
            #expect(try await Self.start(server).status == .serviceUnavailable)
        }
    }

    @Test("Who is blocked is sent a text message as everybody is, so that no answer's time tells; it lets nobody in")
    func blockedNumber() async throws {
        let (web, url) = (SimulatedWeb(), "https://sms.example.com/send")
        try web.publish([:], at: url)
        let options: JSONObject = ["provider": "sms_gateway", "gateway_url": .string(url), "from": "Clinic"]
        try await TestServer.run(Codes.fixtures(options, strategy: "sms"), outbound: web) { server in
            func code() async throws -> String {
                #expect(try await Self.start(server).status == .ok)
                guard case .send(let body, _, _)? = web.requests.last?.method else { return "" }
                return String(try #require(String(decoding: body, as: UTF8.self).firstMatch(of: /: ([0-9]{6})/)?.1))
            }
            let first = try await Codes.redeem(server, code(), username: Self.number, realm: "sms").json()
            let id = try #require(first["id_token"]?.string?.claims["sub"]?.string)
            try await server.services.stores.database.write { try UserStore.setBlocked(true, id, in: $0) }
            let blocked = try await Codes.redeem(server, code(), username: Self.number, realm: "sms").json()
            #expect(blocked["error_description"] == "user is blocked" && web.requests.count == 2)
        }
    }

    @Test("All together have as many text messages sent in an hour as the connection says: each has its price")
    func messagesPerHour() async throws {
        let (web, url) = (SimulatedWeb(), "https://sms.example.com/send")
        try web.publish([:], at: url)
        let options: JSONObject = [
            "provider": "sms_gateway", "gateway_url": .string(url), "from": "Clinic", "portico_messages_per_hour": 3,
        ]
        try await TestServer.run(Codes.fixtures(options, strategy: "sms"), outbound: web) { server in
            var statuses: [Int] = []
            for index in 0..<4 {
                statuses.append(try await Self.start(server, number: "+491511234567\(index)").status.code)
            }
            #expect(statuses == [200, 200, 200, 429] && web.requests.count == 3)
            server.clock.advance(by: 3601)
            #expect(try await Self.start(server).status == .ok)
        }
    }

    @Test("Without a gateway the development inbox has text messages, and in production nothing is sent")
    func inbox() async throws {
        try await TestServer.run(Codes.fixtures(strategy: "sms")) { server in
            #expect(try await Self.start(server).status == .ok)
            let letter = try #require(try await server.mails(to: Self.number).first)
            let code = try #require(letter.content.text.firstMatch(of: /[0-9]{6}/)).output
            let page = try await server.get("/dev/inbox/\(letter.id)")
            #expect(page.text.contains(Self.number) && page.text.contains(code))
            #expect(try await Codes.redeem(server, String(code), username: Self.number, realm: "sms").status == .ok)
        }
        try await TestServer.run(Codes.fixtures(strategy: "sms"), isDevelopment: false) { server in
            let (answer, rows) = (try await Self.start(server), try await Self.rows(server))
            #expect(answer.status == .serviceUnavailable && rows.isEmpty)
        }
    }

    @Test("Security 38: where strangers may not sign up as much is written for them as for users, and nothing sent")
    func sameWork() async throws {
        for options: JSONObject in [["disable_signup": true], ["disable_signup": true, "portico_send": "link"]] {
            var fixtures = Codes.fixtures(options)
            let user = User(
                id: "email|0123456789abcdef01234567", connection: "email", email: "known@example.com",
                createdAt: Date(timeIntervalSince1970: 1_700_000_000))
            fixtures.users.append((user, User.adaPassword))
            try await TestServer.run(fixtures) { server in
                var written: [Int] = []
                for address in ["known@example.com", "new@example.com"] {
                    let before = try await Self.rows(server).count
                    let browser = TestBrowser(server)
                    let page = try await Codes.page(browser)
                    _ = try await Codes.ask(browser, page, [("address", address), ("action", "send")])
                    written.append(try await Self.rows(server).count - before)
                }
                #expect(written == [2, 2])
                #expect(try await server.mails().map(\.content.recipient.address) == ["known@example.com"])
                let kept = try await server.services.stores.database.read { transaction in
                    try transaction.rows("SELECT sealed_content FROM mail WHERE recipient = 'new@example.com'")
                        .map { $0.optionalText("sealed_content") }
                }
                #expect(kept == [nil])
            }
        }
    }

    @Test("Security 38: where strangers may not sign up nobody waits for the gateway, which hears of users alone")
    func nobodyWaits() async throws {
        let web = SimulatedWeb()
        try await TestServer.run(Codes.fixtures(strategy: "sms"), outbound: web) { server in
            _ = try await Self.start(server)
            let text = try #require(try await server.mails(to: Self.number).first).content.text
            let code = String(try #require(text.firstMatch(of: /[0-9]{6}/)).output)
            #expect(try await Codes.redeem(server, code, username: Self.number, realm: "sms").status == .ok)
            try await server.services.stores.database.write { transaction in
                var connection = try #require(try ConnectionStore.find(name: "sms", in: transaction))
                connection.options = [
                    "provider": "sms_gateway", "gateway_url": "https://sms.example.com/send", "from": "Clinic",
                    "disable_signup": true,
                ]
                try ConnectionStore.save(connection, in: transaction)
                try TenantStore.configurationChanged(in: transaction)
            }
            try await server.services.configuration.refresh()
            // Though the gateway is away, both are told the same.
            #expect(try await Self.start(server, number: "+4915187654321").status == .ok)
            #expect(try await Self.start(server).status == .ok)
            for _ in 0..<3000 where try await !server.logTypes().contains("fn") {
                try await Task.sleep(for: .milliseconds(10))
            }
            let failures = try await server.logEvents().filter { $0.type == "fn" }
            #expect(failures.map(\.userName) == [Self.number] && web.requests.count == 1)
        }
    }
}
