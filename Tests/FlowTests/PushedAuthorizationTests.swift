import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Pushed authorization requests")
struct PushedAuthorizationTests {
    private static func push(
        _ party: RelyingParty, _ changes: [String: String?] = [:]
    ) async throws -> TestResponse {
        var form: [String: String?] = [
            "client_id": party.clientID, "client_secret": party.secret, "response_type": "code",
            "redirect_uri": Client.callback, "scope": "openid email", "state": "pushed state",
        ]
        form.merge(changes) { $1 }
        return try await party.server.post(
            "/oauth/par", form: form.compactMap { name, value in value.map { (name, $0) } })
    }

    private static func url(_ reference: String, _ clientID: String = "regular-web-app", more: String = "") -> String {
        "/authorize?client_id=\(clientID)&request_uri=\(reference.formEncoded)\(more)"
    }

    @Test(
        "RFC 9126 §2.2, §4: a pushed request is answered as if the browser had sent it, and what the browser adds is ignored"
    )
    func flow() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let pushed = try await Self.push(party)
            #expect(pushed.status == .created)
            #expect(pushed.headers[.cacheControl] == "no-store")
            let receipt = try pushed.json()
            #expect(receipt["expires_in"] == 30)
            let reference = receipt["request_uri"]?.string ?? ""
            #expect(reference.hasPrefix("urn:ietf:params:oauth:request_uri:"))
            let browser = TestBrowser(server)
            let login = try await browser.get(Self.url(reference, more: "&scope=openid%20profile&state=other"))
            let answer = try await browser.logIn(login, password: User.adaPassword)
            #expect(answer.query("state") == "pushed state")
            let tokens = try await party.redeem(answer.query("code") ?? "").json()
            #expect(tokens["scope"] == "openid email")
        }
    }

    @Test("RFC 9126 §7.3: a reference is good once, in its time, for its own client")
    func once() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let used = try await Self.push(party).json()["request_uri"]?.string ?? ""
            #expect(try await server.get(Self.url(used, "third-party-app")).status == .badRequest)
            #expect(try await server.get("/authorize?request_uri=\(used.formEncoded)").status == .badRequest)
            #expect(try await server.get(Self.url(used)).location?.hasPrefix("/u/login") == true)
            let late = try await Self.push(party).json()["request_uri"]?.string ?? ""
            server.clock.advance(by: 31)
            for reference in [used, late, "urn:ietf:params:oauth:request_uri:unknown"] {
                let answer = try await server.get(Self.url(reference))
                #expect(answer.status == .badRequest)
                #expect(answer.location == nil)
                #expect(answer.text.contains("The request_uri is unknown, expired or used"))
            }
        }
    }

    @Test(
        "RFC 9126 §2.1, §2.3: what the authorization endpoint would refuse is refused, and the client must prove itself"
    )
    func refusals() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            for (changes, status, error) in [
                (["client_secret": "wrong"], 401, "invalid_client"),
                (["client_secret": nil], 401, "invalid_client"),
                (["redirect_uri": "https://evil.example/"], 400, "invalid_request"),
                (["response_type": nil], 400, "invalid_request"),
                (["response_type": "id_token", "nonce": "n"], 400, "unauthorized_client"),
                (["scope": "a\"b"], 400, "invalid_scope"),
                (["audience": "nothing"], 400, "invalid_target"),
                (["request_uri": "urn:ietf:params:oauth:request_uri:x"], 400, "invalid_request"),
            ] as [([String: String?], Int, String)] {
                let answer = try await Self.push(party, changes)
                #expect(answer.status.code == status)
                #expect(try answer.json()["error"]?.string == error)
            }
        }
    }

    @Test("RFC 9126 §6: a client that must push is refused without a reference")
    func required() async throws {
        var fixtures = Fixtures()
        fixtures.change("regular-web-app") { $0.requiresPushedRequests = true }
        try await TestServer.run(fixtures) { server in
            let party = RelyingParty.regularWebApp(server)
            let plain = try await server.get(party.authorizationURL())
            #expect(plain.status == .badRequest)
            #expect(plain.text.contains("must push its authorization requests"))
            let reference = try await Self.push(party).json()["request_uri"]?.string ?? ""
            let browser = TestBrowser(server)
            let answer = try await browser.logIn(browser.get(Self.url(reference)), password: User.adaPassword)
            #expect(answer.query("code") != nil)
        }
    }

    @Test("Auth0: the tenant switches pushed requests on and off, and discovery follows")
    func setting() async throws {
        for (dialect, setting, isOn) in [
            (.standard, nil, true), (.auth0, nil, false), (.auth0, true, true), (.standard, false, false),
        ] as [(WireDialect, Bool?, Bool)] {
            var fixtures = Fixtures()
            fixtures.settings.wireDialect = dialect
            fixtures.settings.pushedAuthorizationRequests = setting
            try await TestServer.run(fixtures) { server in
                let answer = try await Self.push(.regularWebApp(server))
                #expect((answer.status == .created) == isOn)
                let metadata = try await server.get("/.well-known/openid-configuration").json()
                #expect((metadata["pushed_authorization_request_endpoint"] != nil) == isOn)
            }
        }
    }

    @Test("A pushed request keeps no secret")
    func nothingKept() async throws {
        try await TestServer.run { server in
            _ = try await Self.push(.regularWebApp(server))
            let rows = try await server.services.stores.database.read {
                try $0.rows("SELECT parameters FROM pushed_request").map { try $0.text("parameters") }
            }
            #expect(rows.count == 1)
            #expect(rows.allSatisfy { !$0.contains("secret") })
        }
    }
}
