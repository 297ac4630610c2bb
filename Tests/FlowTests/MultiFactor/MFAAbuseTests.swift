import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Auth0's MFA API, for those who have no right to it")
struct MFAAbuseTests {
    private typealias Client = MFAClient
    private static let api: [String: String?] = [
        "audience": TestServer.issuer + "mfa/", "scope": "enroll read:authenticators remove:authenticators",
    ]

    private static func phone(_ number: String) -> JSONObject {
        ["authenticator_types": ["oob"], "oob_channels": ["sms"], "phone_number": .string(number)]
    }

    /// An access token for the API of a user who has no factor.
    private static func apiToken(_ client: Client) async throws -> String {
        let tokens = try await PasswordGrantTests.logIn(client.party, api).json()
        return try #require(tokens["access_token"]?.string)
    }

    @Test("An enrolment prolongs no access token: the next one ends when the first one does")
    func renewal() async throws {
        try await TestServer.run(Client.fixtures()) { server in
            try await server.setFactors([.otp, .sms, .recoveryCode], isRequired: false)
            let client = Client(server)
            let token = try await Self.apiToken(client)
            server.clock.advance(by: 500)
            let secret = try #require(
                try await client.associate(token, ["authenticator_types": ["otp"]]).json()["secret"]?.string)
            let next = try await client.redeem(Client.otp, token, ["otp": client.code(secret)]).json()
            #expect(next["access_token"]?.string?.claims["exp"] == token.claims["exp"])
            let late = try await Self.apiToken(Client(server, party: .regularWebApp(server)), secret, client)
            server.clock.advance(by: 590)
            let sent = try await client.associate(late, Self.phone(Client.number)).json()
            let code = try await client.sentCode(to: Client.number)
            server.clock.advance(by: 20)
            let over = try await client.redeem(
                Client.oob, late, ["oob_code": sent["oob_code"]?.string, "binding_code": code])
            #expect(try over.json()["error"] == "expired_token")
        }
    }

    /// An access token for the API of a user who passes the app's factor.
    private static func apiToken(_ begun: Client, _ secret: String, _ client: Client) async throws -> String {
        client.server.clock.advance(by: 30)
        let tokens = try await client.redeem(Client.otp, begun.token(api), ["otp": client.code(secret)]).json()
        return try #require(tokens["access_token"]?.string)
    }

    @Test("A new password, or a block, ends an enrolment that an access token has begun", arguments: [true, false])
    func newPassword(isBlock: Bool) async throws {
        try await TestServer.run(Client.fixtures()) { server in
            try await server.setFactors([.otp, .recoveryCode], isRequired: false)
            let client = Client(server)
            let token = try await Self.apiToken(client)
            let secret = try #require(
                try await client.associate(token, ["authenticator_types": ["otp"]]).json()["secret"]?.string)
            server.clock.advance(by: 1)
            let now = server.clock.now
            try await server.services.stores.database.write { transaction in
                if isBlock {
                    var ada = User.ada
                    ada.isBlocked = true
                    try UserStore.update(ada, of: ada.id, at: now, in: transaction)
                } else {
                    try UserStore.setPasswordHash("$2b$10$other", of: User.ada.id, at: now, in: transaction)
                }
            }
            let answer = try await client.redeem(Client.otp, token, ["otp": client.code(secret)])
            #expect(try answer.json()["error"] == "invalid_grant")
            let app = try await server.services.stores.database.read {
                try AuthenticatorStore.find(of: User.ada.id, in: $0)
            }
            #expect(app == nil)
        }
    }

    @Test("With one of two factors goes what was gained by it, and the log tells of it")
    func removal() async throws {
        try await TestServer.run(Client.fixtures()) { server in
            try await server.setFactors([.otp, .sms, .recoveryCode])
            let client = Client(server)
            _ = try await client.enroll()
            let waiting = try await client.token()
            let now = server.clock.now
            let digest = Secret("browser").digest
            let session = try await server.services.stores.database.write { transaction in
                _ = try PhoneAuthenticatorStore.enroll(
                    PhoneAuthenticator(id: "sms|dev_1", userID: User.ada.id, number: Client.number, enrolledAt: now),
                    in: transaction)
                try RememberedBrowserStore.insert(
                    digest: digest, of: User.ada.id, expiresAt: now + 1000, in: transaction)
                let session = Session(
                    digest: "digest", sid: "sid", userID: User.ada.id, connection: User.ada.connection,
                    authenticatedAt: now, idleExpiresAt: now + 1000, expiresAt: now + 1000)
                try SessionStore.insert(session, in: transaction)
                try SessionStore.setMultiFactor(at: now, digest: session.digest, in: transaction)
                #expect(try AuthenticatorStore.remove(id: "sms|dev_1", of: User.ada.id, in: transaction))
                return try SessionStore.find(sid: "sid", in: transaction)
            }
            #expect(session != nil && session?.multiFactorAt == nil)
            let isRemembered = try await server.services.stores.database.readOnce {
                try RememberedBrowserStore.isRemembered(digest: digest, of: User.ada.id, at: now, in: $0)
            }
            #expect(!isRemembered)
            let answer = try await client.redeem(Client.otp, waiting, ["otp": "000000"])
            #expect(try answer.json()["error_description"] == "Malformed mfa_token")
        }
    }

    @Test("Other people's applications may be allowed to list factors, and neither to add nor to remove any")
    func thirdParty() async throws {
        var fixtures = Client.fixtures()
        fixtures.change("third-party-app") { $0.grantTypes.insert(.password) }
        try await TestServer.run(fixtures) { server in
            try await server.setFactors([.otp, .recoveryCode], isRequired: false)
            let tokens = try await PasswordGrantTests.logIn(.thirdParty(server), Self.api).json()
            #expect(tokens["scope"] == "read:authenticators")
        }
    }

    @Test("One number is sent ten text messages an hour for one visitor, whoever enrols it")
    func numbers() async throws {
        try await TestServer.run(Client.fixtures()) { server in
            try await server.setFactors([.otp, .sms])
            let client = Client(server)
            let (ada, grace) = (
                try await client.token(),
                try await client.token(["username": "grace@example.com", "password": User.gracePassword])
            )
            for _ in 0..<5 { #expect(try await client.associate(ada, Self.phone(Client.number)).status == .ok) }
            for _ in 0..<5 { #expect(try await client.associate(grace, Self.phone(Client.number)).status == .ok) }
            for token in [ada, grace] {
                #expect(try await client.associate(token, Self.phone(Client.number)).status == .tooManyRequests)
                #expect(try await client.associate(token, Self.phone("+4915187654321")).status == .ok)
            }
        }
    }

    @Test("A right code by mail forgives no wrong codes of the app")
    func tries() async throws {
        try await TestServer.run(Client.fixtures()) { server in
            try await server.setFactors([.otp, .recoveryCode], isRequired: false)
            let client = Client(server)
            let token = try await Self.apiToken(client)
            let secret = try #require(
                try await client.associate(token, ["authenticator_types": ["otp"]]).json()["secret"]?.string)
            #expect(try await client.redeem(Client.otp, token, ["otp": client.code(secret)]).status == .ok)
            server.clock.advance(by: 30)
            try await server.setFactors([.otp, .email, .recoveryCode])
            let waiting = try await client.token()
            func guess() async throws -> TestResponse {
                try await client.redeem(Client.otp, waiting, ["otp": Client.wrong(client.code(secret))])
            }
            for _ in 0..<9 { #expect(try await guess().json()["error_description"] == "Invalid otp_code.") }
            let other = try await client.token()
            let sent = try await client.challenge(other, ["challenge_type": "oob"]).json()
            let passed = try await client.redeem(
                Client.oob, other,
                ["oob_code": sent["oob_code"]?.string, "binding_code": client.sentCode(to: "ada@example.com")])
            #expect(passed.status == .ok, "\(passed.text)")
            #expect(try await guess().json()["error_description"] == "Invalid otp_code.")
            #expect(try await guess().json()["error"] == "too_many_attempts")
        }
    }

    @Test("Pages of an allowed origin may remove factors: the preflight names DELETE (Fetch §3.3.5)")
    func preflight() async throws {
        try await TestServer.run(Client.fixtures()) { server in
            let answer = try await server.client.execute(
                uri: "/mfa/authenticators/totp%7Cdev_1", method: .options,
                headers: [.origin: "https://app.example.com", .accessControlRequestMethod: "DELETE"])
            #expect(answer.status == .noContent)
            #expect(answer.headers[.accessControlAllowMethods]?.contains("DELETE") == true)
        }
    }

    @Test("No code is sent for a client that cannot redeem it")
    func noGrant() async throws {
        var fixtures = Client.fixtures()
        fixtures.change("regular-web-app") { $0.grantTypes.remove(.mfaOOB) }
        try await TestServer.run(fixtures) { server in
            try await server.setFactors([.otp, .email])
            let client = Client(server)
            let answer = try await client.challenge(client.token())
            #expect(try answer.json()["error"] == "unauthorized_client")
            #expect(try await server.mails(to: "ada@example.com").isEmpty)
        }
    }
}
