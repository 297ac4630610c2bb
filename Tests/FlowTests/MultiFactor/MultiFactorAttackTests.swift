import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import StorageTesting
import TestSupport
import Testing

@Suite("Nobody gets past a second factor with the password alone")
struct MultiFactorAttackTests {
    private static let forced = ["acr_values": FactorVisitor.context] as [String: String?]

    @Test("Whoever has the password only reaches no enrolment of a user who has an app, by no address of a page")
    func noSecondEnrollment() async throws {
        try await TestServer.run { server in
            _ = try await FactorVisitor.enrolled(server)
            let thief = FactorVisitor(server)
            let begun = try await thief.begin(Self.forced)
            let state = begun.query("state") ?? ""
            for page in ["mfa-otp-enrollment", "mfa-recovery-code-enrollment"] {
                let shown = try await thief.browser.follow(thief.browser.get("/u/\(page)?state=\(state)"))
                #expect(shown.location == begun.location)
                let sent = try await thief.send("000000", begun, to: "/u/\(page)?state=\(state)")
                #expect(sent.location == begun.location)
            }
            #expect(try await thief.browser.get("/authorize/resume?state=\(state)").location == begun.location)
            #expect(try await thief.browser.get("/continue?state=\(state)").location == begun.location)
        }
    }

    @Test("An enrolment page that was opened before the user enrolled elsewhere enrols nothing any more")
    func lateEnrollment() async throws {
        try await TestServer.run { server in
            let thief = FactorVisitor(server)
            let begun = try await thief.begin(Self.forced)
            let planted = try await thief.secret(begun)
            let form = TestBrowser.hiddenFields(try await thief.browser.get(begun.location ?? "").text)
            let (secret, _) = try await FactorVisitor.enrolled(server)
            let sent = try await thief.browser.follow(
                thief.browser.post(
                    begun.location ?? "", form + [("code", thief.code(planted)), ("action", "default")]))
            #expect(sent.location?.hasPrefix("/u/mfa-otp-challenge") == true)
            #expect(try await thief.send(thief.code(planted), sent).status == .badRequest)
            #expect(try await thief.send(thief.code(secret), sent).query("code") != nil)
        }
    }

    @Test("Of two who enrol an app for one user at the same time one does")
    func enrollmentRace() async throws {
        try await TestServer.run { server in
            var waiting: [(FactorVisitor, TestResponse, String)] = []
            for _ in 0..<3 {
                let visitor = FactorVisitor(server)
                let begun = try await visitor.begin(Self.forced)
                waiting.append((visitor, begun, try await visitor.secret(begun)))
            }
            let enrolled = try await withThrowingTaskGroup(of: Bool.self) { [waiting] group in
                for (visitor, begun, secret) in waiting {
                    group.addTask {
                        let next = try await visitor.send(visitor.code(secret), begun)
                        return next.location?.hasPrefix("/u/mfa-recovery-code-enrollment") == true
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(enrolled == 1)
        }
    }

    @Test("Of logins that use one recovery code at the same time one gets in")
    func recoveryRace() async throws {
        try await TestServer.run { server in
            let (_, recoveryCode) = try await FactorVisitor.enrolled(server)
            var waiting: [(FactorVisitor, TestResponse)] = []
            for _ in 0..<3 {
                let visitor = FactorVisitor(server)
                waiting.append((visitor, try await visitor.begin(Self.forced)))
            }
            let through = try await withThrowingTaskGroup(of: Bool.self) { [waiting] group in
                for (visitor, begun) in waiting {
                    group.addTask {
                        let path = "/u/mfa-recovery-code-challenge?state=\(begun.query("state") ?? "")"
                        let next = try await visitor.send(recoveryCode, begun, to: path)
                        return next.location?.hasPrefix("/u/mfa-recovery-code-enrollment") == true
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(through == 1)
        }
    }

    @Test("What one user has passed counts for nobody who signs in after them in the same login")
    func accountSwitch() async throws {
        try await TestServer.run { server in
            try await server.requireFactors()
            // Grace has a session with a factor, and Ada's login is under way in the same browser.
            let browser = TestBrowser(server)
            let visitor = FactorVisitor(server, browser: browser)
            let begun = try await visitor.begin()
            let state = begun.query("state") ?? ""
            let grace = try await browser.logIn(
                browser.get(visitor.party.authorizationURL(["prompt": "login"])), email: "grace@example.com",
                password: User.gracePassword)
            #expect(try await visitor.enroll(grace).response.query("code") != nil)
            // Ada's transaction goes on with Grace's session, as Grace: nothing of Ada's is left in it.
            let resumed = try await browser.follow(browser.get("/authorize/resume?state=\(state)"))
            let claims = try await visitor.party.redeem(resumed.query("code") ?? "").json()["id_token"]?.string?.claims
            #expect(claims?["email"] == "grace@example.com")
            // And Ada, who signs in again, has to do it herself.
            #expect(
                try await visitor.begin(["prompt": "login"]).location?.hasPrefix("/u/mfa-otp-enrollment") == true)
        }
    }

    @Test(
        "A page's form counts with its token, in the browser that began the login, and with the session of the first factor"
    )
    func forgery() async throws {
        try await TestServer.run { server in
            let (secret, _) = try await FactorVisitor.enrolled(server)
            let visitor = FactorVisitor(server)
            let begun = try await visitor.begin(Self.forced)
            let forged = try await visitor.browser.post(
                begun.location ?? "", [("code", visitor.code(secret)), ("_csrf", "x"), ("action", "default")])
            #expect(forged.status == .forbidden)
            let elsewhere = try await TestBrowser(server).get(begun.location ?? "")
            #expect(!elsewhere.text.contains("name=\"code\""))
            visitor.browser.setCookie("auth0", nil)
            let without = try await visitor.browser.follow(visitor.browser.get(begun.location ?? ""))
            #expect(without.location?.hasPrefix("/u/login?") == true)
        }
    }

    @Test("Consent is given by whoever was asked for it: not before the second factor is passed")
    func consent() async throws {
        try await TestServer.run { server in
            try await server.requireFactors()
            let visitor = FactorVisitor(server, party: .thirdParty(server))
            let begun = try await visitor.begin()
            let state = begun.query("state") ?? ""
            let form = TestBrowser.hiddenFields(try await visitor.browser.get(begun.location ?? "").text)
            _ = try await visitor.browser.post(
                "/u/consent?state=\(state)", form.filter { $0.0 != "code" } + [("action", "accept")])
            let grants = try await server.services.stores.database.read {
                try $0.rows("SELECT id FROM consent_grant").count
            }
            #expect(grants == 0)
            let (_, _, next) = try await visitor.enroll(begun)
            #expect(next.location?.hasPrefix("/u/consent?") == true)
            let answer = try await visitor.browser.follow(visitor.browser.submit(next, [("action", "accept")]))
            #expect(answer.query("code") != nil)
        }
    }

    @Test("Before the second factor neither the consent page nor the organizations are shown")
    func pages() async throws {
        try await TestServer.run { server in
            try await server.requireFactors()
            let visitor = FactorVisitor(server, party: .thirdParty(server))
            let begun = try await visitor.begin()
            for page in ["consent", "organization-picker"] {
                let shown = try await visitor.browser.follow(
                    visitor.browser.get("/u/\(page)?state=\(begun.query("state") ?? "")"))
                #expect(shown.location == begun.location, "\(page)")
            }
        }
    }

    @Test("Who becomes part of an account that has no factor brings theirs with them")
    func linked() async throws {
        try await TestServer.run { server in
            let (secret, _) = try await FactorVisitor.enrolled(server)
            try await server.services.stores.database.write {
                try UserStore.link(User.ada.id, to: User.grace.id, in: $0)
            }
            let visitor = FactorVisitor(server)
            let begun = try await visitor.begin(Self.forced)
            #expect(begun.location?.hasPrefix("/u/mfa-otp-challenge") == true)
            #expect(try await visitor.send(visitor.code(secret), begun).query("code") != nil)
        }
    }

    @Test("A user's factors that are taken away count in no session any more, nor do wrong codes")
    func reset() async throws {
        try await TestServer.run { server in
            _ = try await FactorVisitor.enrolled(server)
            let wrong = FactorVisitor(server)
            let waiting = try await wrong.begin(Self.forced)
            for _ in 0..<11 { _ = try await wrong.send("wrong", waiting) }
            try await server.services.stores.database.write { try AuthenticatorStore.remove(of: User.ada.id, in: $0) }
            let visitor = FactorVisitor(server)
            let (_, _, answer) = try await visitor.enroll(visitor.begin(Self.forced))
            #expect(answer.query("code") != nil)
            try await server.services.stores.database.write { try AuthenticatorStore.remove(of: User.ada.id, in: $0) }
            #expect(try await visitor.begin(Self.forced).location?.hasPrefix("/u/mfa-otp-enrollment") == true)
        }
    }

    @Test("A hybrid answer and its ID token come after the factor only")
    func hybrid() async throws {
        var fixtures = Fixtures()
        fixtures.change("regular-web-app") { $0.grantTypes.insert(.implicit) }
        try await TestServer.run(fixtures) { server in
            try await server.requireFactors()
            let visitor = FactorVisitor(server)
            let begun = try await visitor.begin(["response_type": "code id_token", "nonce": "n"])
            #expect(begun.fragment("id_token") == nil && begun.location?.hasPrefix("/u/mfa-otp-enrollment") == true)
            let answer = try await visitor.enroll(begun).response
            #expect(answer.fragment("id_token")?.claims["amr"] == ["mfa"])
        }
    }

    @Test("Where a factor is wanted and none can be given, nobody gets in")
    func noFactor() async throws {
        try await TestServer.run { server in
            try await server.services.stores.database.write { transaction in
                var settings = MultiFactorSettings()
                try settings.set("otp", false, path: "")
                try TenantSectionStore.save(settings, in: transaction)
                try TenantStore.configurationChanged(in: transaction)
            }
            try await server.services.configuration.refresh()
            let answer = try await FactorVisitor(server).begin(Self.forced)
            #expect(answer.query("error") == "access_denied" && answer.query("code") == nil)
        }
    }

    @Test("Neither the app's secret nor a recovery code stands in the database")
    func nothingInClear() async throws {
        try await TestServer.run { server in
            let waiting = FactorVisitor(server)
            let begun = try await waiting.begin(Self.forced)
            let pending = try await waiting.secret(begun)
            let (secret, recoveryCode) = try await FactorVisitor.enrolled(server)
            let stored = try await server.services.stores.database.storedBytes()
            for text in [pending, secret, recoveryCode.replacing(" ", with: "")] {
                #expect(text.count >= 24 && stored.range(of: Data(text.utf8)) == nil)
            }
        }
    }

    @Test("Grants without a browser answer mfa_required, with 403, where the tenant wants a factor")
    func grants() async throws {
        try await TestServer.run(PasswordGrantTests.fixtures()) { server in
            try await server.requireFactors()
            let answer = try await PasswordGrantTests.logIn(.regularWebApp(server))
            #expect(answer.status == .forbidden)
            #expect(try answer.json()["error"] == "mfa_required")
            #expect(try answer.json()["error_description"] == "Multifactor authentication required")
        }
    }
}
