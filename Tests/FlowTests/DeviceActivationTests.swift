import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("The page for devices")
struct DeviceActivationTests {
    @Test("RFC 8628 §6.1: codes are read in any case and however they are grouped")
    func typing() async throws {
        try await TestServer.run(.withTelevision()) { server in
            let (_, userCode) = try await DeviceFlowTests.begin(.television(server))
            let bare = userCode.replacing("-", with: "")
            for typed in [userCode.lowercased(), bare, " \(bare) ", bare.map(String.init).joined(separator: " ")] {
                let page = try await TestBrowser(server).get("/activate?user_code=\(typed.formEncoded)")
                #expect(page.status == .ok && page.text.contains(userCode))
            }
            for typed in [
                "", "AAAA-AAAA", String(bare.dropLast()), bare + "B", "<script>", String(repeating: "B", count: 999),
            ] {
                let page = try await TestBrowser(server).get("/activate?user_code=\(typed.formEncoded)")
                #expect(page.status == (typed.isEmpty ? .ok : .badRequest))
                #expect(!page.text.contains("<script>"))
            }
        }
    }

    @Test("Auth0: the tenant decides how user codes look")
    func masks() async throws {
        var fixtures = Fixtures.withTelevision()
        fixtures.settings.deviceFlow.charset = .digits
        fixtures.settings.deviceFlow.mask = "*** *** ***"
        try await TestServer.run(fixtures) { server in
            let answer = try await RelyingParty.television(server).post("/oauth/device/code", [:]).json()
            let userCode = answer["user_code"]?.string ?? ""
            #expect(userCode.wholeMatch(of: /\d{3} \d{3} \d{3}/) != nil)
            let address = answer["verification_uri_complete"]?.string ?? ""
            let page = try await TestBrowser(server)
                .get(address.replacing("https://login.example.com", with: ""))
            #expect(page.status == .ok && page.text.contains(userCode))
        }
    }

    @Test("RFC 8628 §5.1: an address that guesses is stopped; a right code gives only its own guess back")
    func guessing() async throws {
        try await TestServer.run(.withTelevision()) { server in
            let (_, userCode) = try await DeviceFlowTests.begin(.television(server))
            let browser = TestBrowser(server)
            for _ in 0..<19 {
                #expect(try await browser.get("/activate?user_code=BBBB-BBBB").status == .badRequest)
            }
            #expect(try await browser.get("/activate?user_code=\(userCode)").status == .ok)
            #expect(try await browser.get("/activate?user_code=BBBB-BBBB").status == .badRequest)
            for path in ["/activate?user_code=BBBB-BBBC", "/activate?user_code=\(userCode)"] {
                let stopped = try await TestBrowser(server).get(path)
                #expect(stopped.status == .tooManyRequests)
                #expect(!stopped.text.contains("Television"))
            }
            server.clock.advance(by: 901)
            #expect(try await browser.get("/activate?user_code=BBBB-BBBB").status == .badRequest)
        }
    }

    @Test("RFC 8628 §5.4: nothing is let in without the confirmation's own form, nor in another browser")
    func forgery() async throws {
        try await TestServer.run(.withTelevision()) { server in
            let party = RelyingParty.television(server)
            let (deviceCode, userCode) = try await DeviceFlowTests.begin(party)
            let victim = TestBrowser(server)
            _ = try await RelyingParty.regularWebApp(server).authorize(victim)
            #expect(victim.cookies["auth0"] != nil)

            // A form of the attacker's page, with a token of the attacker's browser.
            let attacker = TestBrowser(server)
            let shown = try await attacker.get("/activate?user_code=\(userCode)")
            let foreign = TestBrowser.hiddenFields(shown.text)
            for fields in [[("user_code", userCode)], [("user_code", userCode), ("_csrf", "")], foreign] {
                let answer = try await victim.post("/activate", fields + [("action", "confirm")])
                #expect(answer.status == .forbidden && answer.location == nil)
                let cancelled = try await victim.post("/activate", fields + [("action", "cancel")])
                #expect(cancelled.status == .forbidden)
            }
            // The transaction that the attacker's browser has begun is nothing in the victim's.
            let started = try await attacker.post("/activate", foreign + [("action", "confirm")])
            #expect(started.location?.hasPrefix("/authorize/resume?state=") == true)
            #expect(try await victim.get(started.location ?? "").status == .badRequest)
            // Nor does looking at the code or at the end do anything.
            _ = try await victim.get("/activate?user_code=\(userCode)")
            _ = try await victim.get("/activate/done")
            #expect(try await DeviceFlowTests.poll(party, deviceCode).json()["error"] == "authorization_pending")
        }
    }

    @Test("Neither code stands in the database, and the pages work without a script")
    func atRest() async throws {
        try await TestServer.run(.withTelevision()) { server in
            let (deviceCode, userCode) = try await DeviceFlowTests.begin(.television(server))
            let rows = try await server.services.stores.database.read { try $0.rows("SELECT * FROM device_code") }
            #expect(rows.count == 1)
            let row = "\(rows)"
            for secret in [deviceCode, userCode, userCode.replacing("-", with: ""), Secret(userCode).digest] {
                #expect(!row.contains(secret))
            }
            for path in ["/activate", "/activate?user_code=\(userCode)"] {
                let page = try await server.get(path)
                #expect(page.text.contains("<form method=") && page.text.contains("type=\"submit\""))
                #expect(!page.text.contains(/<script(?![^>]*src=)/))
                #expect(page.headers[.contentSecurityPolicy]?.contains("frame-ancestors 'none'") == true)
                #expect(page.headers[.cacheControl] == "no-store")
            }
        }
    }
}
