import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("The device flow")
struct DeviceFlowTests {
    static let scope = "openid email appointments offline_access"

    static func begin(
        _ party: RelyingParty, _ changes: [String: String?] = [:]
    ) async throws -> (deviceCode: String, userCode: String) {
        let answer = try await party.post(
            "/oauth/device/code",
            ["scope": scope, "audience": "appointments:api"].merging(changes) { $1 }
        ).json()
        return (answer["device_code"]?.string ?? "", answer["user_code"]?.string ?? "")
    }

    static func poll(_ party: RelyingParty, _ deviceCode: String) async throws -> TestResponse {
        try await party.token(["grant_type": GrantType.deviceCode.rawValue, "device_code": deviceCode])
    }

    /// Opens the page with the code and confirms it; the answer leads to what comes next.
    static func confirm(
        _ browser: TestBrowser, _ userCode: String, action: String = "confirm"
    ) async throws -> TestResponse {
        let page = try await browser.get("/activate?user_code=\(userCode)")
        return try await browser.follow(
            browser.post("/activate", TestBrowser.hiddenFields(page.text) + [("action", action)]))
    }

    /// Lets the device in as Ada, who signs in for it.
    static func letIn(_ browser: TestBrowser, _ userCode: String) async throws -> TestResponse {
        try await browser.logIn(confirm(browser, userCode), password: User.adaPassword)
    }

    @Test("RFC 8628 §3.2: a device gets two codes, where to go with them, and how long and how often to ask")
    func authorizationResponse() async throws {
        try await TestServer.run(.withTelevision()) { server in
            let answer = try await RelyingParty.television(server).post("/oauth/device/code", ["scope": "openid"])
            #expect(answer.status == .ok && answer.headers[.cacheControl] == "no-store")
            let members = try answer.json()
            let userCode = members["user_code"]?.string ?? ""
            #expect(userCode.wholeMatch(of: /[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}/) != nil)
            #expect(members["device_code"]?.string?.utf8.count == 43)
            #expect(members["verification_uri"] == "https://login.example.com/activate")
            #expect(
                members["verification_uri_complete"]
                    == .string("https://login.example.com/activate?user_code=\(userCode)"))
            #expect(members["expires_in"] == 900 && members["interval"] == 5)
            let json = try await server.post(
                "/oauth/device/code", json: #"{"client_id": "television", "scope": "openid", "audience": null}"#)
            #expect(json.status == .ok)
            let document = try await server.get("/.well-known/openid-configuration").json()
            #expect(document["device_authorization_endpoint"] == "https://login.example.com/oauth/device/code")
            #expect(document["grant_types_supported"]?.array?.contains(.string(GrantType.deviceCode.rawValue)) == true)
        }
    }

    @Test("RFC 8628 §3.1: the client must exist, prove itself, and have the grant; scope and API must be ones")
    func authorizationErrors() async throws {
        var fixtures = Fixtures.withTelevision()
        fixtures.change("regular-web-app") { $0.grantTypes.insert(.deviceCode) }
        try await TestServer.run(fixtures) { server in
            for (party, changes, error) in [
                (RelyingParty.singlePageApp(server), [:], "unauthorized_client"),
                (.television(server), ["client_id": "nobody"], "invalid_client"),
                (.television(server), ["client_id": nil], "invalid_client"),
                (.regularWebApp(server), ["client_secret": "wrong"], "invalid_client"),
                (.television(server), ["audience": "nothing"], "invalid_target"),
                (.television(server), ["scope": "a\"b"], "invalid_scope"),
            ] as [(RelyingParty, [String: String?], String)] {
                let answer = try await party.post("/oauth/device/code", changes)
                #expect(try answer.json()["error"]?.string == error)
            }
            let confidential = try await RelyingParty.regularWebApp(server).post("/oauth/device/code", [:])
            #expect(confidential.status == .ok)
        }
    }

    @Test("RFC 8628 §3.4, §3.5: the device waits, the user lets it in, and the next poll brings the tokens, once")
    func wholeFlow() async throws {
        try await TestServer.run(.withTelevision()) { server in
            let (party, browser) = (RelyingParty.television(server), TestBrowser(server))
            let (deviceCode, userCode) = try await Self.begin(party)
            let pending = try await Self.poll(party, deviceCode)
            #expect(pending.status == .badRequest)
            #expect(try pending.json()["error"] == "authorization_pending")

            let page = try await browser.get("/activate?user_code=\(userCode)")
            #expect(page.text.contains(userCode) && page.text.contains("Television"))
            let done = try await Self.letIn(browser, userCode)
            #expect(done.location == "https://login.example.com/activate/done")
            let end = try await browser.get("/activate/done")
            #expect(end.text.contains("Congratulations, you"))

            let answer = try await Self.poll(party, deviceCode)
            #expect(answer.status == .ok)
            let tokens = try answer.json()
            let claims = tokens["access_token"]?.string?.claims ?? [:]
            #expect(claims["sub"] == .string(User.ada.id) && claims["azp"] == "television")
            #expect(tokens["id_token"]?.string?.claims["email"] == "ada@example.com")
            #expect(tokens["id_token"]?.string?.claims["sid"] != nil)
            #expect(tokens["scope"] == .string(Self.scope))
            let refreshed = try await party.refresh(tokens["refresh_token"]?.string ?? "")
            #expect(refreshed.status == .ok)
            let again = try await Self.poll(party, deviceCode)
            #expect(try again.json()["error"] == "invalid_grant")
        }
    }

    @Test("RFC 8628 §3.5: a device that polls too fast is told to slow down, and its interval grows by five seconds")
    func slowDown() async throws {
        try await TestServer.run(.withTelevision()) { server in
            let party = RelyingParty.television(server)
            let (deviceCode, _) = try await Self.begin(party)
            for (pause, error) in [
                (0, "authorization_pending"), (4, "slow_down"), (6, "slow_down"), (16, "authorization_pending"),
                (5, "slow_down"), (20, "authorization_pending"),
            ] {
                server.clock.advance(by: Double(pause))
                let answer = try await Self.poll(party, deviceCode)
                #expect(answer.status == .badRequest)
                #expect(try answer.json()["error"]?.string == error, "after \(pause) seconds")
            }
        }
    }

    @Test("Auth0: pending and refused are 403, too fast is 429, with Auth0's texts")
    func auth0Dialect() async throws {
        var fixtures = Fixtures.withTelevision()
        fixtures.settings.wireDialect = .auth0
        try await TestServer.run(fixtures) { server in
            let party = RelyingParty.television(server)
            let (deviceCode, userCode) = try await Self.begin(party)
            func expect(_ status: Int, _ error: String, _ description: String) async throws {
                let answer = try await Self.poll(party, deviceCode)
                #expect(answer.status.code == status)
                #expect(try answer.json()["error"]?.string == error)
                #expect(try answer.json()["error_description"]?.string == description)
            }
            try await expect(403, "authorization_pending", "User has yet to authorize device code.")
            try await expect(
                429, "slow_down", "You are polling faster than the specified interval of 10 seconds.")
            _ = try await Self.confirm(TestBrowser(server), userCode, action: "cancel")
            try await expect(403, "access_denied", "User cancelled the confirmation prompt.")
            let (late, _) = try await Self.begin(party)
            server.clock.advance(by: 901)
            let expired = try await Self.poll(party, late)
            #expect(expired.status == .forbidden)
            #expect(try expired.json()["error"] == "expired_token")
            let unknown = try await Self.poll(party, "unknown")
            #expect(unknown.status == .forbidden)
            #expect(try unknown.json()["error_description"] == "Invalid or expired device code.")
            let missing = try await party.post("/oauth/device/code", ["audience": "nothing"])
            #expect(missing.status == .forbidden)
            #expect(try missing.json()["error_description"] == "Service not found: nothing")
        }
    }

    @Test("RFC 8628 §3.5: a code that has expired says so to the device and is unknown to the browser")
    func expiry() async throws {
        try await TestServer.run(.withTelevision()) { server in
            let (party, browser) = (RelyingParty.television(server), TestBrowser(server))
            let (deviceCode, userCode) = try await Self.begin(party)
            let login = try await Self.confirm(browser, userCode)
            server.clock.advance(by: 900)
            #expect(try await Self.poll(party, deviceCode).json()["error"] == "expired_token")
            let page = try await browser.get("/activate?user_code=\(userCode)")
            #expect(page.status == .badRequest && page.text.contains("Invalid or expired user code"))
            #expect(try await browser.get(login.location ?? "").status == .badRequest)
            // Let in in time, fetched too late.
            let (second, secondUserCode) = try await Self.begin(party)
            _ = try await Self.letIn(TestBrowser(server), secondUserCode)
            server.clock.advance(by: 900)
            #expect(try await Self.poll(party, second).json()["error"] == "expired_token")
        }
    }

    @Test("A session signs in to the device too, once its user has confirmed the code")
    func singleSignOn() async throws {
        try await TestServer.run(.withTelevision()) { server in
            let (party, browser) = (RelyingParty.television(server), TestBrowser(server))
            _ = try await RelyingParty.regularWebApp(server).authorize(browser)
            let (deviceCode, userCode) = try await Self.begin(party)
            let done = try await Self.confirm(browser, userCode)
            #expect(done.location == "https://login.example.com/activate/done")
            #expect(try await Self.poll(party, deviceCode).status == .ok)
        }
    }

    @Test("An application of another owner's asks for consent; refusing turns the device away")
    func consent() async throws {
        var fixtures = Fixtures.withTelevision()
        fixtures.change("television") { $0.isFirstParty = false }
        try await TestServer.run(fixtures) { server in
            let party = RelyingParty.television(server)
            for (action, error) in [("accept", nil), ("deny", "access_denied")] {
                let browser = TestBrowser(server)
                // Consent is kept, so the second device asks for more.
                let scope = action == "accept" ? "openid email" : "openid email appointments"
                let (deviceCode, userCode) = try await Self.begin(party, ["scope": scope])
                let asked = try await Self.letIn(browser, userCode)
                #expect(asked.location?.hasPrefix("/u/consent") == true)
                #expect(try await Self.poll(party, deviceCode).json()["error"] == "authorization_pending")
                let answered = try await browser.follow(browser.submit(asked, [("action", action)]))
                let end = try await browser.get(
                    (answered.location ?? "").replacing("https://login.example.com", with: ""))
                #expect(end.text.contains("Congratulations") == (error == nil))
                #expect(try await Self.poll(party, deviceCode).json()["error"]?.string == error)
            }
        }
    }

    @Test("Turning the device away on the confirmation page ends its waiting")
    func cancelled() async throws {
        try await TestServer.run(.withTelevision()) { server in
            let (party, browser) = (RelyingParty.television(server), TestBrowser(server))
            let (deviceCode, userCode) = try await Self.begin(party)
            let answer = try await Self.confirm(browser, userCode, action: "cancel")
            let end = try await browser.get(answer.location ?? "")
            #expect(end.text.contains("was not connected"))
            for _ in 0..<2 { #expect(try await Self.poll(party, deviceCode).json()["error"] == "access_denied") }
            #expect(try await browser.get("/activate?user_code=\(userCode)").status == .badRequest)
        }
    }

    @Test("RFC 8628 §3.4: the device code is its client's; another's poll neither redeems nor slows it down")
    func binding() async throws {
        var fixtures = Fixtures.withTelevision()
        fixtures.change("regular-web-app") { $0.grantTypes.insert(.deviceCode) }
        try await TestServer.run(fixtures) { server in
            let (party, other) = (RelyingParty.television(server), RelyingParty.regularWebApp(server))
            let (deviceCode, userCode) = try await Self.begin(party)
            for _ in 0..<3 { #expect(try await Self.poll(other, deviceCode).json()["error"] == "invalid_grant") }
            #expect(try await Self.poll(party, deviceCode).json()["error"] == "authorization_pending")
            _ = try await Self.letIn(TestBrowser(server), userCode)
            #expect(try await Self.poll(other, deviceCode).json()["error"] == "invalid_grant")
            #expect(try await Self.poll(party, deviceCode).status == .ok)
            // The user code is no device code.
            #expect(try await Self.poll(party, userCode).json()["error"] == "invalid_grant")
            let none = try await party.token(["grant_type": GrantType.deviceCode.rawValue])
            #expect(try none.json()["error"] == "invalid_request")
        }
    }

    @Test("RFC 8628 §3.5: of ten polls that race for the tokens one gets them; of two browsers the first counts")
    func races() async throws {
        try await TestServer.run(.withTelevision()) { server in
            let party = RelyingParty.television(server)
            let (deviceCode, userCode) = try await Self.begin(party)
            let (first, second) = (TestBrowser(server), TestBrowser(server))
            let late = try await Self.confirm(second, userCode)
            _ = try await Self.letIn(first, userCode)
            let answer = try await second.submit(
                late, [("username", "grace@example.com"), ("password", User.gracePassword)])
            #expect(answer.location?.hasSuffix("/activate/done") == false)
            let statuses = try await withThrowingTaskGroup { group in
                for _ in 0..<10 { group.addTask { try await Self.poll(party, deviceCode) } }
                return try await group.reduce(into: [TestResponse]()) { $0.append($1) }
            }
            let good = statuses.filter { $0.status == .ok }
            #expect(good.count == 1)
            #expect(try good.first?.json()["id_token"]?.string?.claims["sub"] == .string(User.ada.id))
        }
    }

    @Test("A user who is blocked, or a client that lost the grant, before the device asks gets nothing")
    func revoked() async throws {
        try await TestServer.run(.withTelevision()) { server in
            let party = RelyingParty.television(server)
            let (deviceCode, userCode) = try await Self.begin(party)
            _ = try await Self.letIn(TestBrowser(server), userCode)
            try await server.services.stores.database.write {
                try $0.execute("UPDATE user_account SET blocked = TRUE")
            }
            #expect(try await Self.poll(party, deviceCode).json()["error"] == "invalid_grant")
        }
        try await TestServer.run(.withTelevision()) { server in
            let party = RelyingParty.television(server)
            let (deviceCode, userCode) = try await Self.begin(party)
            try await server.services.stores.database.write { transaction in
                var client = Client.television
                client.grantTypes.remove(.deviceCode)
                try ClientStore.save(
                    client, secretDigest: nil, sealedSecret: nil, at: server.clock.now, in: transaction)
            }
            try await server.services.configuration.refresh()
            #expect(try await TestBrowser(server).get("/activate?user_code=\(userCode)").status == .badRequest)
            #expect(try await Self.poll(party, deviceCode).json()["error"] == "unauthorized_client")
        }
    }

    @Test("Without an API the device gets an opaque token for userinfo, and no refresh token unless it asked")
    func userInfoOnly() async throws {
        try await TestServer.run(.withTelevision()) { server in
            let party = RelyingParty.television(server)
            let (deviceCode, userCode) = try await Self.begin(party, ["audience": nil, "scope": "openid email"])
            _ = try await Self.letIn(TestBrowser(server), userCode)
            let tokens = try await Self.poll(party, deviceCode).json()
            #expect(tokens["refresh_token"] == nil)
            let access = tokens["access_token"]?.string ?? ""
            let profile = try await server.get("/userinfo", headers: [.authorization: "Bearer \(access)"])
            #expect(try profile.json()["email"] == "ada@example.com")
        }
    }
}
