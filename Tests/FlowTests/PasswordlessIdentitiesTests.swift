import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Whose address it is that a code was sent to")
struct PasswordlessIdentitiesTests {
    private typealias Codes = PasswordlessTests

    private static func subject(_ answer: TestResponse) throws -> String {
        #expect(answer.status == .ok, "\(answer.text)")
        return try answer.json()["id_token"]?.string?.claims["sub"]?.string ?? ""
    }

    /// Somebody who signs in by mail.
    private static func identity(_ server: TestServer) -> User {
        User(
            id: "email|0123456789abcdef01234567", connection: "email", email: "new@example.com",
            createdAt: server.clock.now)
    }

    @Test("A code verifies the address that it was sent to, and not the other one that the identity's user has")
    func verifiesIdentity() async throws {
        try await TestServer.run(Codes.fixtures()) { server in
            let database = server.services.stores.database
            let identity = Self.identity(server)
            try await database.write { transaction in
                var ada = try #require(try UserStore.find(User.ada.id, in: transaction))
                ada.isEmailVerified = false
                try UserStore.update(ada, of: ada.id, at: ada.createdAt, in: transaction)
                try UserStore.insert(identity, passwordHash: nil, in: transaction)
                try UserStore.link(identity.id, to: ada.id, in: transaction)
            }
            _ = try await Codes.start(server)
            let answer = try await Codes.redeem(server, Codes.code(server, to: "new@example.com"))
            #expect(try Self.subject(answer) == User.ada.id)
            let (ada, proved) = try await database.read { transaction in
                (
                    try UserStore.account(User.ada.id, in: transaction),
                    try UserStore.account(identity.id, in: transaction)
                )
            }
            #expect(proved?.isEmailVerified == true)
            #expect(ada?.isEmailVerified == false)
        }
    }

    @Test("A blocked identity signs nobody in by code, also where its user is not blocked")
    func blockedIdentity() async throws {
        try await TestServer.run(Codes.fixtures()) { server in
            let database = server.services.stores.database
            let identity = Self.identity(server)
            try await database.write { transaction in
                try UserStore.insert(identity, passwordHash: nil, in: transaction)
                try UserStore.link(identity.id, to: User.ada.id, in: transaction)
            }
            _ = try await Codes.start(server)
            let code = try await Codes.code(server, to: "new@example.com")
            try await database.write { try UserStore.setBlocked(true, identity.id, in: $0) }
            let answer = try await Codes.redeem(server, code)
            #expect(try answer.json()["error_description"] == "user is blocked")
            // Nor is a code sent any more.
            let sent = try await server.mails(to: "new@example.com").count
            _ = try await Codes.start(server)
            #expect(try await server.mails(to: "new@example.com").count == sent)
        }
    }

    @Test("A number that is another user's identity signs that user in")
    func linkedNumber() async throws {
        let web = SimulatedWeb()
        try web.publish(["sid": "SM1"], at: "https://api.twilio.com/2010-04-01/Accounts/AC123/Messages.json")
        var fixtures = Codes.fixtures(Codes.sms, strategy: "sms")
        fixtures.connectionSecrets = ["sms": ["twilio_token": "twilio-secret"]]
        try await TestServer.run(fixtures, outbound: web) { server in
            let number = "+4915112345678"
            func logIn() async throws -> String {
                _ = try await Codes.start(server, ["connection": "sms", "email": nil, "phone_number": number])
                guard case .post(let form)? = web.requests.last?.method else { return "nothing was sent" }
                let body = form.first { $0.name == "Body" }?.value ?? ""
                let code = String(try #require(body.firstMatch(of: /[0-9]{6}/)).output)
                return try Self.subject(await Codes.redeem(server, code, username: number, realm: "sms"))
            }
            let own = try await logIn()
            #expect(own.hasPrefix("sms|"))
            try await server.services.stores.database.write { transaction in
                try UserStore.link(own, to: User.ada.id, in: transaction)
            }
            #expect(try await logIn() == User.ada.id)
        }
    }

    @Test("A stranger's codes that are typed in several places at the same time sign one new user in, everywhere")
    func strangersRace() async throws {
        try await TestServer.run(Codes.fixtures()) { server in
            var logins: [(browser: TestBrowser, path: String, code: String)] = []
            for _ in 0..<6 {
                let browser = TestBrowser(server)
                let path = try await Codes.page(browser)
                _ = try await Codes.ask(browser, path, [("address", "new@example.com"), ("action", "send")])
                logins.append((browser, path, try await Codes.code(server, to: "new@example.com")))
            }
            _ = try await Codes.start(server)
            let last = try await Codes.code(server, to: "new@example.com")
            let subjects = try await withThrowingTaskGroup(of: String.self) { group in
                for (browser, path, code) in logins {
                    group.addTask {
                        let answer = try await Codes.verify(browser, path, code)
                        let relyingParty = RelyingParty.regularWebApp(server)
                        return try Self.subject(await relyingParty.redeem(answer.query("code") ?? ""))
                    }
                }
                group.addTask { try Self.subject(await Codes.redeem(server, last)) }
                return try await group.reduce(into: [String]()) { $0.append($1) }
            }
            #expect(subjects.count == 7 && Set(subjects).count == 1, "\(subjects)")
            #expect(subjects.first?.hasPrefix("email|") == true)
        }
    }
}
