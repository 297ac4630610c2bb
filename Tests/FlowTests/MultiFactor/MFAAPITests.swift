import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Auth0's MFA API: associate, challenge, authenticators")
struct MFAAPITests {
    private typealias Client = MFAClient
    private static let phone: JSONObject = [
        "authenticator_types": ["oob"], "oob_channels": ["sms"], "phone_number": .string(MFAClient.number),
    ]

    private static func bearer(_ token: String) -> HTTPFields { [.authorization: "Bearer \(token)"] }

    @Test("associate begins an app's enrolment with its key and a recovery code; the first code confirms it")
    func app() async throws {
        try await TestServer.run(Client.fixtures()) { server in
            try await server.requireFactors()
            let client = Client(server)
            let token = try await client.token()
            #expect(try await client.authenticators(token).isEmpty)
            let none = try await client.challenge(token)
            #expect(try none.json()["error"] == "association_required")
            let answer = try await client.associate(token, ["authenticator_types": ["otp"]])
            #expect(answer.status == .ok && answer.headers[.cacheControl] == "no-store")
            let members = try answer.json()
            #expect(members["authenticator_type"] == "otp" && members["oob_code"] == nil)
            let secret = try #require(members["secret"]?.string)
            #expect(members["barcode_uri"]?.string?.hasPrefix("otpauth://totp/") == true)
            #expect(members["barcode_uri"]?.string?.contains("secret=\(secret)&") == true)
            let recoveryCode = try #require(members["recovery_codes"]?.array?.first?.string)
            // Nothing is enrolled before it has given a code.
            let early = try await client.redeem(
                Client.recoveryCode, client.token(), ["recovery_code": recoveryCode])
            #expect(early.status == .badRequest)
            let wrong = try await client.redeem(Client.otp, token, ["otp": Client.wrong(client.code(secret))])
            #expect(try wrong.json()["error_description"] == "Invalid otp_code.")
            #expect(try await client.redeem(Client.otp, token, ["otp": client.code(secret)]).status == .ok)
            let next = try await client.token()
            let listed = try await client.authenticators(next)
            #expect(listed.map { $0["authenticator_type"] } == ["otp", "recovery-code"])
            #expect(listed[0]["id"]?.string?.hasPrefix("totp|dev_") == true && listed[0]["active"] == true)
            let challenge = try await client.challenge(next, ["challenge_type": "otp"])
            #expect(try challenge.json() == ["challenge_type": "otp"])
        }
    }

    @Test("Whoever has the password alone adds no factor where there is one, in no order of requests")
    func noSecondEnrollment() async throws {
        try await TestServer.run(Client.fixtures()) { server in
            try await server.setFactors([.otp, .sms, .recoveryCode])
            let client = Client(server)
            // Begun while there was none, by somebody who has the password.
            let (app, phone) = (try await client.token(), try await client.token())
            let planted = try #require(
                try await client.associate(app, ["authenticator_types": ["otp"]]).json()["secret"]?.string)
            let other = "+4915187654321"
            let sent = try await client.associate(
                phone, Self.phone.merging(["phone_number": .string(other)]) { $1 }
            ).json()
            let code = try await client.sentCode(to: other)
            try await client.enrollPhone()
            let late = try await client.redeem(Client.otp, app, ["otp": client.code(planted)])
            #expect(try late.json()["error"] == "access_denied")
            let latePhone = try await client.redeem(
                Client.oob, phone, ["oob_code": sent["oob_code"]?.string, "binding_code": code])
            #expect(try latePhone.json()["error"] == "access_denied")
            for body: JSONObject in [["authenticator_types": ["otp"]], Self.phone] {
                let refused = try await client.associate(client.token(), body)
                #expect(try refused.json()["error"] == "access_denied")
                #expect(try refused.json()["error_description"] == "User is already enrolled.")
            }
            let enrolled = try await server.services.stores.database.read {
                try (
                    AuthenticatorStore.find(of: User.ada.id, in: $0),
                    PhoneAuthenticatorStore.find(of: User.ada.id, in: $0)?.number
                )
            }
            #expect(enrolled.0 == nil && enrolled.1 == Client.number)
        }
    }

    @Test("A code by text message: sent by challenge, bound to its oob_code and mfa_token, the newest alone, once")
    func phone() async throws {
        try await TestServer.run(Client.fixtures()) { server in
            try await server.setFactors([.otp, .sms, .recoveryCode])
            let client = Client(server)
            try await client.enrollPhone()
            let (token, other) = (try await client.token(), try await client.token())
            let listed = try await client.authenticators(token)
            #expect(listed.first?["oob_channel"] == "sms" && listed.first?["name"] == "XXXXXXXXXX5678")
            let first = try await client.challenge(token, ["challenge_type": "oob"]).json()
            #expect(first["challenge_type"] == "oob" && first["binding_method"] == "prompt")
            let old = try await client.sentCode(to: Client.number)
            let id = try #require(listed.first?["id"]?.string)
            let second = try await client.challenge(
                token, ["challenge_type": "otp oob", "authenticator_id": id]
            ).json()
            let code = try await client.sentCode(to: Client.number)
            func redeem(_ token: String, _ answer: JSONObject, _ code: String) async throws -> TestResponse {
                try await client.redeem(
                    Client.oob, token, ["oob_code": answer["oob_code"]?.string, "binding_code": code])
            }
            #expect(try await redeem(token, first, old).json()["error_description"] == "Malformed oob_code")
            #expect(try await redeem(other, second, code).json()["error"] == "invalid_grant")
            let wrong = try await redeem(token, second, Client.wrong(code))
            #expect(try wrong.json()["error_description"] == "Invalid binding_code.")
            #expect(try await redeem(token, second, code).status == .ok)
            #expect(try await redeem(token, second, code).json()["error_description"] == "Malformed mfa_token")
        }
    }

    @Test("Three wrong codes make a sent code void, five minutes end it; ten codes an hour are sent to a user")
    func limits() async throws {
        try await TestServer.run(Client.fixtures()) { server in
            try await server.setFactors([.otp, .email])
            let client = Client(server)
            let token = try await client.token()
            func ask() async throws -> (String?, String) {
                let answer = try await client.challenge(token, ["challenge_type": "oob"]).json()
                return (answer["oob_code"]?.string, try await client.sentCode(to: "ada@example.com"))
            }
            let (void, code) = try await ask()
            for _ in 0..<3 {
                _ = try await client.redeem(
                    Client.oob, token, ["oob_code": void, "binding_code": Client.wrong(code)])
            }
            let guessed = try await client.redeem(Client.oob, token, ["oob_code": void, "binding_code": code])
            #expect(guessed.status == .badRequest)
            let (late, lateCode) = try await ask()
            server.clock.advance(by: 301)
            let expired = try await client.redeem(Client.oob, token, ["oob_code": late, "binding_code": lateCode])
            #expect(expired.status == .badRequest)
            for _ in 0..<8 { #expect(try await client.challenge(token).status == .ok) }
            let refused = try await client.challenge(token)
            #expect(refused.status == .tooManyRequests && refused.headers[.retryAfter] != nil)
            #expect(try refused.json()["error"] == "too_many_requests")
        }
    }

    @Test(
        "A verified e-mail address is a factor without enrolment, and none after a code by mail; an unverified one is none"
    )
    func email() async throws {
        try await TestServer.run(Client.fixtures()) { server in
            try await server.setFactors([.otp, .email])
            let client = Client(server)
            let begun = try await client.begin()
            #expect(begun["mfa_requirements"] == ["challenge": [["type": "email"]]])
            let token = try #require(begun["mfa_token"]?.string)
            let sent = try await client.challenge(token).json()
            let code = try await client.sentCode(to: "ada@example.com")
            let tokens = try await client.redeem(
                Client.oob, token, ["oob_code": sent["oob_code"]?.string, "binding_code": code])
            #expect(try tokens.json()["id_token"]?.string?.claims["amr"] == ["mfa"])
            let grace = try await client.begin([
                "username": "grace@example.com", "password": User.gracePassword,
            ])
            #expect(grace["mfa_requirements"] == ["enroll": [["type": "otp"]]])
            _ = try await client.party.post(
                "/passwordless/start", ["connection": "email", "email": "new@example.com", "send": "code"])
            let first = try await client.party.token([
                "grant_type": "http://auth0.com/oauth/grant-type/passwordless/otp", "username": "new@example.com",
                "otp": client.sentCode(to: "new@example.com"), "realm": "email",
            ]).json()
            #expect(first["mfa_requirements"] == ["enroll": [["type": "otp"]]])
            let challenged = try await client.challenge(first["mfa_token"]?.string ?? "")
            #expect(try challenged.json()["error"] == "association_required")
        }
    }

    @Test("Bad requests are told what is wrong with them, and never more than a 4xx")
    func badRequests() async throws {
        try await TestServer.run(Client.fixtures()) { server in
            try await server.setFactors([.otp, .sms, .recoveryCode])
            let client = Client(server)
            let token = try await client.token()
            for (body, error) in [
                ([:], "invalid_request"), (["authenticator_types": []], "invalid_request"),
                (["authenticator_types": ["otp", "oob"]], "invalid_request"),
                (["authenticator_types": [7]], "invalid_request"),
                (["authenticator_types": ["oob"]], "invalid_request"),
                (["authenticator_types": ["oob"], "oob_channels": ["auth0"]], "invalid_request"),
                (["authenticator_types": ["oob"], "oob_channels": ["email"]], "invalid_request"),
                (["authenticator_types": ["oob"], "oob_channels": ["sms"]], "invalid_request"),
                (Self.phone.merging(["phone_number": "0151 1234"]) { $1 }, "invalid_request"),
            ] as [(JSONObject, String)] {
                let answer = try await client.associate(token, body)
                #expect(answer.status == .badRequest, "\(body): \(answer.text)")
                #expect(try answer.json()["error"] == .string(error))
            }
            for headers: HTTPFields in [[:], Self.bearer("nothing"), Self.bearer("no.access.token")] {
                let listed = try await server.get("/mfa/authenticators", headers: headers)
                #expect([400, 401].contains(listed.status.code), "\(listed.status)")
            }
            for changes: [String: String?] in [
                ["challenge_type": "push"], ["authenticator_id": "sms|dev_other"], ["mfa_token": "nothing"],
                ["mfa_token": nil], ["client_secret": "wrong"],
            ] {
                #expect((400..<500).contains(try await client.challenge(token, changes).status.code))
            }
            _ = try await client.enroll()
            let unsupported = try await client.challenge(client.token(), ["challenge_type": "oob"])
            #expect(try unsupported.json()["error"] == "unsupported_challenge_type")
            // A factor that is off is neither set up nor passed, also by who has begun before.
            let (secret, waiting) = (try await client.token(), try await client.token())
            try await server.setFactors([.sms])
            for body: JSONObject in [["authenticator_types": ["otp"]], Self.phone] {
                #expect(try await client.associate(secret, body).json()["error"] == "access_denied")
            }
            let off = try await client.redeem(MFAClient.otp, waiting, ["otp": "000000"])
            #expect(try off.json()["error"] == "access_denied")
            // Who has nothing that is on is told that a factor is wanted, and there is nothing to go on with.
            #expect(try await client.begin()["mfa_token"] == nil)
        }
    }

    // MARK: Access tokens for the API

    private static let scope = "enroll read:authenticators remove:authenticators"

    @Test("An access token for /mfa/ with enroll enrols a factor at any time, and once there is one asks for it first")
    func accessToken() async throws {
        try await TestServer.run(Client.fixtures()) { server in
            try await server.setFactors([.otp, .sms, .recoveryCode], isRequired: false)
            let client = Client(server)
            let changes: [String: String?] = ["audience": TestServer.issuer + "mfa/", "scope": Self.scope]
            let tokens = try await PasswordGrantTests.logIn(client.party, changes).json()
            let token = try #require(tokens["access_token"]?.string)
            #expect(tokens["expires_in"] == 600 && tokens["scope"] == .string(Self.scope))
            #expect(try await client.authenticators(token).isEmpty)
            let secret = try #require(
                try await client.associate(token, ["authenticator_types": ["otp"]]).json()["secret"]?.string)
            let confirmed = try await client.redeem(Client.otp, token, ["otp": client.code(secret)])
            #expect(confirmed.status == .ok, "\(confirmed.text)")
            server.clock.advance(by: 30)
            // The token of before was made without a factor: it removes and adds none.
            #expect(try await client.associate(token, Self.phone).json()["error"] == "access_denied")
            let id = try #require(try await client.authenticators(token).first?["id"]?.string)
            let path = "/mfa/authenticators/\(id.replacing("|", with: "%7C"))"
            let refused = try await server.client.execute(uri: path, method: .delete, headers: Self.bearer(token))
            #expect(try refused.json()["error"] == "access_denied")
            // A new one is not given out before the factor is passed.
            let waiting = try await client.token(changes)
            let passed = try await client.redeem(Client.otp, waiting, ["otp": client.code(secret)]).json()
            let strong = try #require(passed["access_token"]?.string)
            #expect(strong.claims["amr"] == ["mfa"])
            let sent = try await client.associate(strong, Self.phone).json()
            let phone = try await client.redeem(
                Client.oob, strong,
                ["oob_code": sent["oob_code"]?.string, "binding_code": client.sentCode(to: Client.number)])
            #expect(phone.status == .ok, "\(phone.text)")
            let removed = try await server.client.execute(uri: path, method: .delete, headers: Self.bearer(strong))
            #expect(removed.status == .noContent)
            #expect(try await client.authenticators(strong).first?["oob_channel"] == "sms")
        }
    }

    @Test(
        "Without its scope an access token does nothing, an mfa_token removes nothing, and other APIs' tokens are none")
    func scopes() async throws {
        try await TestServer.run(Client.fixtures()) { server in
            try await server.setFactors([.otp, .recoveryCode], isRequired: false)
            let client = Client(server)
            let tokens = try await PasswordGrantTests.logIn(
                client.party, ["audience": TestServer.issuer + "mfa/", "scope": "read:authenticators"]
            ).json()
            let weak = try #require(tokens["access_token"]?.string)
            let refused = try await client.associate(weak, ["authenticator_types": ["otp"]])
            #expect(refused.status == .forbidden)
            #expect(try refused.json()["error"] == "insufficient_scope")
            let other = try await PasswordGrantTests.logIn(client.party, ["audience": "appointments:api"]).json()
            let foreign = try #require(other["access_token"]?.string)
            #expect(try await client.associate(foreign, ["authenticator_types": ["otp"]]).status == .unauthorized)
            try await server.requireFactors()
            let waiting = try await client.token()
            let removed = try await server.client.execute(
                uri: "/mfa/authenticators/totp%7Cdev_1", method: .delete, headers: Self.bearer(waiting))
            #expect(try removed.json()["error"] == "insufficient_scope")
        }
    }

    @Test("A login that asks for /mfa/ passes a factor in the browser where the user has one")
    func browser() async throws {
        try await TestServer.run(Client.fixtures()) { server in
            let (secret, _) = try await FactorVisitor.enrolled(server)
            let visitor = FactorVisitor(server)
            let begun = try await visitor.begin([
                "audience": TestServer.issuer + "mfa/", "scope": "openid enroll offline_access",
            ])
            #expect(begun.location?.hasPrefix("/u/mfa-otp-challenge") == true)
            let answer = try await visitor.send(visitor.code(secret), begun)
            let tokens = try await visitor.party.redeem(answer.query("code") ?? "").json()
            #expect(tokens["access_token"]?.string?.claims["amr"] == ["mfa"])
            #expect(tokens["scope"] == "openid enroll" && tokens["refresh_token"] == nil)
        }
    }
}
