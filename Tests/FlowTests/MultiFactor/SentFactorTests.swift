import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Second factors whose codes are sent, on the pages: sms and email")
struct SentFactorTests {
    private static let forced = ["acr_values": FactorVisitor.context] as [String: String?]

    /// The code of the newest mail or text message to somebody.
    private static func code(_ server: TestServer, to address: String) async throws -> String {
        try await MFAClient(server).sentCode(to: address)
    }

    /// Enrols a phone on the page that `response` leads to, as far as the next page.
    private static func enrollPhone(
        _ visitor: FactorVisitor, _ response: TestResponse, _ number: String = MFAClient.number
    ) async throws -> TestResponse {
        let page = "/u/mfa-sms-enrollment?state=\(response.query("state") ?? "")"
        let sent = try await visitor.browser.submit(
            response, [("phone", number), ("action", "send")], to: page)
        #expect(sent.location == page)
        let code = try await code(visitor.server, to: "+" + number.filter(\.isNumber))
        return try await visitor.browser.follow(
            visitor.browser.submit(sent, [("code", code), ("action", "default")]))
    }

    @Test(
        "sms: the user types a number, then the code that was sent there, notes a recovery code, and is asked from then on"
    )
    func phone() async throws {
        try await TestServer.run(MFAClient.fixtures()) { server in
            try await server.setFactors([.sms, .recoveryCode], isRequired: false)
            let visitor = FactorVisitor(server)
            let begun = try await visitor.begin(Self.forced)
            #expect(begun.location?.hasPrefix("/u/mfa-sms-enrollment?state=") == true)
            let page = begun.location ?? ""
            #expect(try await visitor.browser.get(page).text.contains(#"type="tel""#))
            let wrong = try await visitor.browser.submit(begun, [("phone", "0151 1234"), ("action", "send")])
            #expect(wrong.status == .badRequest)
            let (_, answer) = try await visitor.note(Self.enrollPhone(visitor, begun, "+49 (151) 1234-5678"))
            let tokens = try await visitor.party.redeem(answer.query("code") ?? "").json()
            #expect(tokens["id_token"]?.string?.claims["amr"] == ["mfa"])
            // From then on.
            let again = FactorVisitor(server)
            let asked = try await again.begin(Self.forced)
            #expect(asked.location?.hasPrefix("/u/mfa-sms-challenge?state=") == true)
            let before = try await server.mails(to: MFAClient.number).count
            for _ in 0..<3 {
                #expect(try await again.browser.get(asked.location ?? "").text.contains("XXXXXXXXXX5678"))
            }
            // One was sent, however often the page is opened.
            #expect(try await server.mails(to: MFAClient.number).count == before + 1)
            let code = try await Self.code(server, to: MFAClient.number)
            #expect(try await again.send(MFAClient.wrong(code), asked).status == .badRequest)
            #expect(try await again.send(code, asked).query("code") != nil)
        }
    }

    @Test(
        "email: the code goes to the verified address; another one makes it void; it is good in its login alone, and once"
    )
    func email() async throws {
        try await TestServer.run(MFAClient.fixtures()) { server in
            try await server.setFactors([.email], isRequired: false)
            let (visitor, thief) = (FactorVisitor(server), FactorVisitor(server))
            let asked = try await visitor.begin(Self.forced)
            #expect(asked.location?.hasPrefix("/u/mfa-email-challenge?state=") == true)
            let html = try await visitor.browser.get(asked.location ?? "").text
            #expect(html.contains("a****@e****") && !html.contains("ada@example.com"))
            let first = try await Self.code(server, to: "ada@example.com")
            let others = try await thief.begin(Self.forced)
            #expect(try await thief.send(first, others).status == .badRequest)
            // The thief's page has sent another one, which must not be the newest.
            server.clock.advance(by: 1)
            let resent = try await visitor.browser.submit(asked, [("action", "resend")])
            #expect(resent.status == .ok)
            let second = try await Self.code(server, to: "ada@example.com")
            if first != second { #expect(try await visitor.send(first, asked).status == .badRequest) }
            let answer = try await visitor.send(second, asked)
            #expect(answer.query("code") != nil)
            let claims = try await visitor.party.redeem(answer.query("code") ?? "").json()["id_token"]?.string?.claims
            #expect(claims?["amr"] == ["mfa"])
        }
    }

    @Test("Where the address is not verified nobody passes or enrols email, and the login is refused")
    func unverified() async throws {
        try await TestServer.run(MFAClient.fixtures()) { server in
            try await server.setFactors([.email], isRequired: false)
            let browser = TestBrowser(server)
            let response = try await browser.get(RelyingParty.regularWebApp(server).authorizationURL(Self.forced))
            let answer = try await browser.logIn(
                response, email: "grace@example.com", password: User.gracePassword)
            #expect(server.refusal(answer).error == "access_denied")
            #expect(try await server.mails(to: "grace@example.com").isEmpty)
        }
    }

    @Test("A user who has several chooses: the pages lead to one another, and any of them will do")
    func choice() async throws {
        try await TestServer.run(MFAClient.fixtures()) { server in
            try await server.setFactors([.otp, .sms, .recoveryCode], isRequired: false)
            let visitor = FactorVisitor(server)
            let begun = try await visitor.begin(Self.forced)
            let enrollment = try await visitor.browser.get(begun.location ?? "").text
            #expect(enrollment.contains("/u/mfa-sms-enrollment?state="))
            _ = try await visitor.note(Self.enrollPhone(visitor, begun))
            try await server.setFactors([.otp, .sms, .email, .recoveryCode], isRequired: false)
            for (page, address) in [
                ("mfa-email-challenge", "ada@example.com"), ("mfa-sms-challenge", MFAClient.number),
            ] {
                let other = FactorVisitor(server)
                let asked = try await other.begin(Self.forced)
                let html = try await other.browser.get(asked.location ?? "").text
                #expect(html.contains("/u/mfa-recovery-code-challenge?state="))
                let path = "/u/\(page)?state=\(asked.query("state") ?? "")"
                #expect(asked.location == path || html.contains(path))
                _ = try await other.browser.get(path)
                let code = try await Self.code(server, to: address)
                #expect(try await other.send(code, asked, to: path).query("code") != nil)
            }
        }
    }

    @Test("Who has signed in by a code to the address is not asked for another one there")
    func firstFactor() async throws {
        try await TestServer.run(MFAClient.fixtures()) { server in
            try await server.setFactors([.otp, .email], isRequired: false)
            let browser = TestBrowser(server)
            let party = RelyingParty.regularWebApp(server)
            let departure = try await browser.get(
                party.authorizationURL(["connection": "email"].merging(Self.forced) { $1 }))
            let page = try await browser.get(departure.location ?? "").location ?? ""
            _ = try await PasswordlessTests.ask(browser, page, [("address", "new@example.com"), ("action", "send")])
            let code = try await Self.code(server, to: "new@example.com")
            let answer = try await PasswordlessTests.verify(browser, page, code)
            #expect(answer.location?.hasPrefix("/u/mfa-otp-enrollment") == true)
            let mail = "/u/mfa-email-challenge?state=\(answer.query("state") ?? "")"
            #expect(try await browser.follow(browser.get(mail)).location == answer.location)
        }
    }

    @Test("A form that was not this page's sends nothing (CSRF), and who waits for nothing sees no such page")
    func forgery() async throws {
        try await TestServer.run(MFAClient.fixtures()) { server in
            try await server.setFactors([.sms], isRequired: false)
            let visitor = FactorVisitor(server)
            let begun = try await visitor.begin(Self.forced)
            let forged = try await visitor.browser.post(
                begun.location ?? "", [("phone", MFAClient.number), ("action", "send")])
            #expect(forged.status == .forbidden)
            #expect(try await server.mails(to: MFAClient.number).isEmpty)
            for page in ["mfa-sms-challenge", "mfa-email-challenge", "mfa-otp-enrollment"] {
                let path = "/u/\(page)?state=\(begun.query("state") ?? "")"
                #expect(try await visitor.browser.follow(visitor.browser.get(path)).location == begun.location)
                #expect(try await visitor.send("000000", begun, to: path).location == begun.location)
            }
        }
    }

    @Test("Ten codes an hour are sent to a user, whoever asks in whichever login")
    func sending() async throws {
        try await TestServer.run(MFAClient.fixtures()) { server in
            try await server.setFactors([.email], isRequired: false)
            let visitor = FactorVisitor(server)
            let asked = try await visitor.begin(Self.forced)
            for _ in 0..<10 {
                let sent = try await visitor.browser.submit(asked, [("action", "resend")])
                #expect(sent.status == .ok || sent.status == .tooManyRequests)
            }
            let other = FactorVisitor(server)
            let refused = try await other.browser.get(try await other.begin(Self.forced).location ?? "")
            #expect(refused.status == .tooManyRequests)
            #expect(try await server.mails(to: "ada@example.com").count == 10)
        }
    }

    @Test("Actions name phone and email, see both among the enrolled factors, and grants pass what they want")
    func actions() async throws {
        try await ScriptedTenant.run(MFAClient.fixtures()) { server in
            try await server.setFactors([.otp, .sms, .email, .recoveryCode], isRequired: false)
            try await server.bind(
                """
                const names = event.user.enrolledFactors.map((factor) => factor.type);
                api.idToken.setCustomClaim('https://example.com/factors', names);
                api.idToken.setCustomClaim(
                  'https://example.com/methods', event.authentication.methods.map((method) => method.name));
                if (names.includes('phone')) api.authentication.challengeWith({ type: 'phone' });
                else api.authentication.enrollWith({ type: 'phone' });
                """)
            let visitor = FactorVisitor(server)
            // The address proves who it is before the phone is added.
            let asked = try await visitor.begin()
            #expect(asked.location?.hasPrefix("/u/mfa-email-challenge") == true)
            _ = try await visitor.browser.get(asked.location ?? "")
            let enrollment = try await visitor.send(Self.code(server, to: "ada@example.com"), asked)
            #expect(enrollment.location?.hasPrefix("/u/mfa-sms-enrollment") == true)
            let (_, answer) = try await visitor.note(Self.enrollPhone(visitor, enrollment))
            #expect(answer.query("code") != nil)

            let client = MFAClient(server)
            let begun = try await client.begin()
            #expect(begun["mfa_requirements"] == ["challenge": [["type": "phone"]]])
            let token = try #require(begun["mfa_token"]?.string)
            // Another factor does not answer this demand: the login waits on, with another token.
            let mail = try #require(
                try await client.authenticators(token).first { $0["oob_channel"] == "email" }?["id"]?.string)
            let sent = try await client.challenge(token, ["authenticator_id": mail]).json()
            let code = try await client.sentCode(to: "ada@example.com")
            let other = try await client.redeem(
                MFAClient.oob, token, ["oob_code": sent["oob_code"]?.string, "binding_code": code])
            #expect(other.status == .forbidden)
            let next = try #require(try other.json()["mfa_token"]?.string)
            #expect(next != token)
            let wanted = try await client.challenge(next).json()
            let tokens = try await client.redeem(
                MFAClient.oob, next,
                [
                    "oob_code": wanted["oob_code"]?.string,
                    "binding_code": client.sentCode(to: MFAClient.number),
                ]
            ).json()
            let claims = tokens["id_token"]?.string?.claims ?? [:]
            #expect(claims["https://example.com/factors"] == ["phone", "email", "recovery-code"])
            #expect(claims["https://example.com/methods"] == ["pwd", "mfa"])
        }
    }

    @Test("A refresh that a script wants a factor for goes on with an mfa_token, and the refresh token is used once")
    func refresh() async throws {
        var fixtures = MFAClient.fixtures()
        fixtures.change("regular-web-app") { $0.refreshToken.isRotating = true }
        try await ScriptedTenant.run(fixtures) { server in
            try await server.setFactors([.email], isRequired: false)
            let client = MFAClient(server)
            let tokens = try await client.party.tokens(["scope": "openid offline_access"])
            let refresh = try #require(tokens["refresh_token"]?.string)
            try await server.addRule(
                """
                function (user, context, callback) {
                  const isDone = context.authentication.methods.some((method) => method.name === 'mfa');
                  if (!isDone) context.multifactor = { provider: 'any' };
                  callback(null, user, context);
                }
                """)
            let asked = try await client.party.refresh(refresh)
            let token = try #require(try asked.json()["mfa_token"]?.string)
            let sent = try await client.challenge(token).json()
            let code = try await client.sentCode(to: "ada@example.com")
            let answer = try await client.redeem(
                MFAClient.oob, token, ["oob_code": sent["oob_code"]?.string, "binding_code": code])
            #expect(answer.status == .ok, "\(answer.text)")
            #expect(try answer.json()["refresh_token"] != nil)
            #expect(try answer.json()["id_token"]?.string?.claims["amr"] == ["mfa"])
            #expect(try await client.party.refresh(refresh).status == .badRequest)
        }
    }
}
