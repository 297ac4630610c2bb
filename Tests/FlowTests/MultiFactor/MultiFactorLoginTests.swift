import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Second factors on the pages")
struct MultiFactorLoginTests {
    private static let forced = ["acr_values": FactorVisitor.context] as [String: String?]

    @Test(
        "acr_values asks for a factor: the user enrols an app, notes the recovery code, and the ID token says acr and amr"
    )
    func enrollment() async throws {
        try await TestServer.run { server in
            let visitor = FactorVisitor(server)
            let begun = try await visitor.begin(Self.forced)
            let page = try await visitor.browser.get(begun.location ?? "")
            #expect(page.text.contains("<svg class=\"qr\"") && page.text.contains("otpauth://totp/"))
            let (secret, recoveryCode, response) = try await visitor.enroll(begun)
            #expect(secret.count == 32 && recoveryCode.filter { $0 != " " }.count == 24)
            let tokens = try await visitor.party.redeem(response.query("code") ?? "").json()
            let claims = tokens["id_token"]?.string?.claims ?? [:]
            #expect(claims["acr"] == .string(FactorVisitor.context) && claims["amr"] == ["mfa"])
            #expect(try await server.logTypes().contains("gd_enrollment_complete"))
            // The session has a factor now.
            let silent = try await visitor.browser.get(
                visitor.party.authorizationURL(Self.forced.merging(["prompt": "none"]) { $1 }))
            #expect(silent.query("code") != nil)
        }
    }

    @Test("Without a demand nobody is asked, and the ID token says neither acr nor amr")
    func unasked() async throws {
        try await TestServer.run { server in
            _ = try await FactorVisitor.enrolled(server)
            let claims = try await RelyingParty.regularWebApp(server).tokens()["id_token"]?.string?.claims ?? [:]
            #expect(claims["sub"] != nil && claims["acr"] == nil && claims["amr"] == nil)
        }
    }

    @Test("A login with an enrolled app asks for its code; it is accepted once, and one step early or late")
    func challenge() async throws {
        try await TestServer.run { server in
            let (secret, _) = try await FactorVisitor.enrolled(server)
            let visitor = FactorVisitor(server)
            let begun = try await visitor.begin(Self.forced)
            #expect(begun.location?.hasPrefix("/u/mfa-otp-challenge?state=") == true)
            let wrong = try await visitor.send("000000", begun)
            #expect(wrong.status == .badRequest && wrong.text.contains("The code is wrong"))
            for steps in [-2, 2] as [Int64] {
                #expect(try await visitor.send(visitor.code(secret, later: steps), begun).status == .badRequest)
            }
            let code = visitor.code(secret)
            #expect(try await visitor.send(code, begun).query("code") != nil)
            let other = FactorVisitor(server)
            let again = try await other.begin(Self.forced)
            #expect(try await other.send(code, again).status == .badRequest)
            #expect(try await other.send(other.code(secret, later: -1), again).status == .badRequest)
            #expect(try await other.send(other.code(secret, later: 1), again).query("code") != nil)
            let types = try await server.logTypes()
            #expect(types.contains("gd_auth_succeed") && types.contains("gd_auth_failed"))
        }
    }

    @Test("Of logins that use one code at the same time one gets in")
    func replay() async throws {
        try await TestServer.run { server in
            let (secret, _) = try await FactorVisitor.enrolled(server)
            var waiting: [(FactorVisitor, TestResponse)] = []
            for _ in 0..<4 {
                let visitor = FactorVisitor(server)
                waiting.append((visitor, try await visitor.begin(Self.forced)))
            }
            let through = try await withThrowingTaskGroup(of: Bool.self) { [waiting] group in
                for (visitor, response) in waiting {
                    group.addTask { try await visitor.send(visitor.code(secret), response).query("code") != nil }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(through == 1)
        }
    }

    @Test("Ten wrong codes an hour are looked at, whoever tries at the same time; then the right one is not either")
    func tries() async throws {
        try await TestServer.run { server in
            let (secret, recoveryCode) = try await FactorVisitor.enrolled(server)
            var waiting: [(FactorVisitor, TestResponse)] = []
            for _ in 0..<3 {
                let visitor = FactorVisitor(server)
                waiting.append((visitor, try await visitor.begin(Self.forced)))
            }
            let statuses = try await withThrowingTaskGroup(of: [HTTPResponse.Status].self) { [waiting] group in
                for (visitor, response) in waiting {
                    group.addTask {
                        var statuses: [HTTPResponse.Status] = []
                        for _ in 0..<5 { statuses.append(try await visitor.send("wrong", response).status) }
                        return statuses
                    }
                }
                return try await group.reduce([]) { $0 + $1 }
            }
            #expect(statuses.count { $0 == .badRequest } == 10 && statuses.count { $0 == .tooManyRequests } == 5)
            let (visitor, response) = waiting[0]
            #expect(try await visitor.send(visitor.code(secret), response).status == .tooManyRequests)
            // A recovery code has tries of its own.
            let (second, other) = waiting[1]
            let recovery = "/u/mfa-recovery-code-challenge?state=\(other.query("state") ?? "")"
            let recovered = try await second.send(recoveryCode, other, to: recovery)
            #expect(recovered.location?.hasPrefix("/u/mfa-recovery-code-enrollment") == true)
            #expect(try await server.logTypes().contains("gd_otp_rate_limit_exceed"))
            server.clock.advance(by: 361)
            #expect(try await visitor.send(visitor.code(secret), response).query("code") != nil)
        }
    }

    @Test("The recovery code lets in once, is replaced by another one that is shown, and the app stays enrolled")
    func recovery() async throws {
        try await TestServer.run { server in
            let (secret, recoveryCode) = try await FactorVisitor.enrolled(server)
            let visitor = FactorVisitor(server)
            let begun = try await visitor.begin(Self.forced)
            let path = "/u/mfa-recovery-code-challenge?state=\(begun.query("state") ?? "")"
            #expect(try await visitor.browser.get(begun.location ?? "").text.contains(path))
            let typed = recoveryCode.lowercased().replacing(" ", with: "-")
            let (next, answer) = try await visitor.note(visitor.send(typed, begun, to: path))
            #expect(next != recoveryCode && answer.query("code") != nil)
            let other = FactorVisitor(server)
            let again = try await other.begin(Self.forced)
            let otherPath = "/u/mfa-recovery-code-challenge?state=\(again.query("state") ?? "")"
            let used = try await other.send(recoveryCode, again, to: otherPath)
            #expect(used.status == .badRequest && used.text.contains("recovery code is wrong"))
            #expect(try await other.send(other.code(secret), again).query("code") != nil)
            let types = try await server.logTypes()
            #expect(types.contains("gd_recovery_succeed") && types.contains("gd_recovery_failed"))
        }
    }

    @Test("The new recovery code stays on its page until the user has noted it, and is gone then")
    func recoveryCodeIsShown() async throws {
        try await TestServer.run { server in
            let visitor = FactorVisitor(server)
            let begun = try await visitor.begin(Self.forced)
            let noted = try await visitor.send(visitor.code(visitor.secret(begun)), begun)
            let state = begun.query("state") ?? ""
            let first = try await visitor.browser.get(noted.location ?? "").text
            // Neither the address of the page before nor going on leads past it.
            let back = try await visitor.browser.follow(visitor.browser.get("/u/mfa-otp-challenge?state=\(state)"))
            #expect(back.location == noted.location)
            #expect(try await visitor.browser.get(noted.location ?? "").text == first)
            #expect(try await visitor.note(noted).response.query("code") != nil)
            let stored = try await server.services.stores.database.read {
                try $0.rows("SELECT progress FROM login_transaction").count
            }
            #expect(stored == 0)
        }
    }

    @Test(
        "A browser is remembered for thirty days, for its user alone, where the tenant wants factors; a request's own wish is met anew"
    )
    func remembered() async throws {
        try await TestServer.run { server in
            try await server.requireFactors()
            let visitor = FactorVisitor(server)
            let (secret, _, answer) = try await visitor.enroll(visitor.begin(), [("rememberBrowser", "true")])
            #expect(answer.query("code") != nil)
            let cookie = try #require(visitor.browser.cookies["auth0-mf"])
            func forgetSession() { visitor.browser.setCookie("auth0", nil) }
            forgetSession()
            #expect(try await visitor.begin().query("code") != nil)
            // Remembered is not passed.
            let tokens = try await visitor.party.redeem(visitor.begin().query("code") ?? "").json()
            #expect(tokens["id_token"]?.string?.claims["amr"] == nil)
            forgetSession()
            #expect(try await visitor.begin(Self.forced).location?.hasPrefix("/u/mfa-otp-challenge") == true)
            // The cookie is nobody else's.
            let grace = TestBrowser(server)
            grace.setCookie("auth0-mf", cookie)
            let other = try await grace.logIn(
                grace.get(visitor.party.authorizationURL()), email: "grace@example.com", password: User.gracePassword)
            #expect(other.location?.hasPrefix("/u/mfa-otp-enrollment") == true)
            server.clock.advance(by: 30 * 86_400 + 1)
            forgetSession()
            let late = try await visitor.begin()
            #expect(late.location?.hasPrefix("/u/mfa-otp-challenge") == true)
            #expect(try await visitor.send(visitor.code(secret), late).query("code") != nil)
        }
    }

    @Test(
        "With the tenant's policy every login needs a factor, and silent ones say so; a session that has one needs no more"
    )
    func policy() async throws {
        try await TestServer.run { server in
            try await server.requireFactors()
            let visitor = FactorVisitor(server)
            let begun = try await visitor.begin()
            #expect(begun.location?.hasPrefix("/u/mfa-otp-enrollment") == true)
            let silent = try await visitor.browser.get(visitor.party.authorizationURL(["prompt": "none"]))
            #expect(silent.query("error") == "login_required")
            #expect(server.refusal(silent).description == "Multifactor authentication required")
            let (_, _, answer) = try await visitor.enroll(begun)
            #expect(answer.query("code") != nil)
            #expect(
                try await visitor.browser.get(visitor.party.authorizationURL(["prompt": "none"])).query("code") != nil)
            for changes in [["prompt": "login"], ["max_age": "1"]] as [[String: String?]] {
                server.clock.advance(by: 60)
                let again = try await visitor.begin(changes)
                #expect(again.location?.hasPrefix("/u/mfa-otp-challenge") == true)
            }
        }
    }

    @Test("An essential claim acr with the context is met, and another one is told to be unmet")
    func essentialClaim() async throws {
        try await TestServer.run { server in
            func claims(_ value: String) -> [String: String?] {
                ["claims": #"{"id_token":{"acr":{"essential":true,"value":"\#(value)"}}}"#]
            }
            let visitor = FactorVisitor(server)
            #expect(
                try await visitor.begin(claims(FactorVisitor.context)).location?.hasPrefix("/u/mfa-otp-enrollment")
                    == true)
            let unmet = try await visitor.browser.get(visitor.party.authorizationURL(claims("urn:other")))
            #expect(unmet.query("error") == "unmet_authentication_requirements")
        }
    }
}
