import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

/// What applications that belong to strangers try: those that have registered themselves, and those that a link names.
@Suite("Strangers' applications")
struct StrangersTests {
    private static let goodbye = "https://app.example.com/goodbye"

    private static func stranger(
        _ server: TestServer, _ changes: [String: JSONValue?] = [:]
    ) async throws -> DynamicClient {
        try await DynamicClient(
            server, ["post_logout_redirect_uris": [.string(goodbye)]].merging(changes) { $1 })
    }

    // MARK: Consent

    @Test(
        "OIDC Core §3.1.2.4: a stranger learns nothing before the user has said so, not who it is and no API's token",
        arguments: [
            ["scope": "openid"], ["scope": "", "audience": "appointments:api"],
            ["scope": "openid", "audience": "appointments:api"],
        ] as [[String: String]])
    func firstDecision(_ wanted: [String: String]) async throws {
        try await TestServer.run(.openRegistration) { server in
            let (browser, client) = (TestBrowser(server), try await Self.stranger(server))
            _ = try await RelyingParty.regularWebApp(server).authorize(browser)
            let wanted = wanted.mapValues(Optional.some)
            let silent = try await browser.get(
                client.party.authorizationURL(wanted.merging(["prompt": "none"]) { $1 }))
            #expect(silent.query("error") == "consent_required" && silent.query("code") == nil)
            let asked = try await browser.get(client.party.authorizationURL(wanted))
            #expect(asked.location?.hasPrefix("/u/consent") == true)
            let answer = try await browser.follow(browser.submit(asked, [("action", "accept")]))
            #expect(answer.query("code") != nil)
            // The decision is kept.
            let again = try await browser.get(client.party.authorizationURL(wanted))
            #expect(again.query("code") != nil)
            // It was one about this API alone.
            let other: [String: String?] = [
                "scope": "openid", "audience": wanted["audience"] == nil ? "appointments:api" : nil,
            ]
            #expect(
                try await browser.get(client.party.authorizationURL(other)).location?.hasPrefix("/u/consent") == true)
        }
    }

    @Test("OIDC Core §3.1.2.4: declining gives a stranger nothing, and the next request asks again")
    func declined() async throws {
        try await TestServer.run(.openRegistration) { server in
            let (browser, client) = (TestBrowser(server), try await Self.stranger(server))
            let asked = try await client.party.authorize(browser, ["scope": "openid"])
            let answer = try await browser.follow(browser.submit(asked, [("action", "deny")]))
            #expect(answer.query("error") == "access_denied")
            let again = try await browser.get(client.party.authorizationURL(["scope": "openid"]))
            #expect(again.location?.hasPrefix("/u/consent") == true)
        }
    }

    @Test("RFC 7591 §5: a stranger's name and logo are its own words; the consent page says where it leads")
    func destination() async throws {
        try await TestServer.run(.openRegistration) { server in
            for (uri, place) in [
                ("https://xn--pypal-4ve.example/cb", "xn--pypal-4ve.example"), ("com.evil.app:/cb", "com.evil.app:"),
            ] {
                let client = try await Self.stranger(
                    server,
                    [
                        "client_name": "Login of the tenant", "redirect_uris": [.string(uri)],
                        "post_logout_redirect_uris": nil, "token_endpoint_auth_method": "none",
                        "application_type": .string(uri.hasPrefix("https") ? "web" : "native"),
                    ])
                let browser = TestBrowser(server)
                let asked = try await client.party.authorize(
                    browser,
                    [
                        "redirect_uri": uri, "code_challenge_method": "S256",
                        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
                    ])
                let page = try await browser.get(asked.location ?? "").text
                #expect(page.contains("It does not belong to"))
                #expect(page.contains("<strong>\(place)</strong>"), "\(place)")
            }
            let browser = TestBrowser(server)
            let own = try await RelyingParty.regularWebApp(server).authorize(browser, ["prompt": "consent"])
            #expect(try await !browser.get(own.location ?? "").text.contains("It does not belong to"))
        }
    }

    // MARK: Redirects

    @Test("RFC 9700 §4.11.2: a login that is over leads to no stranger's initiate_login_uri")
    func lostLogin() async throws {
        try await TestServer.run(.openRegistration) { server in
            let client = try await Self.stranger(
                server, ["initiate_login_uri": "https://evil.example/login"])
            let browser = TestBrowser(server)
            let page = try await browser.get(client.party.authorizationURL()).location ?? ""
            server.clock.advance(by: 3601)
            for path in [page, "/u/login?state=x.\(Base64URL.encode(client.clientID.utf8))"] {
                let answer = try await browser.get(path)
                #expect(answer.status == .badRequest && answer.location == nil)
                #expect(!answer.text.contains("evil.example"))
            }
        }
    }

    @Test(
        "RP-Initiated Logout §3, RFC 9700 §4.11.2: a link sends nobody on to a stranger's pages; it says where it leads"
    )
    func logoutLinks() async throws {
        try await TestServer.run(.openRegistration) { server in
            let client = try await Self.stranger(server)
            let parameters = ["client_id": client.clientID, "post_logout_redirect_uri": Self.goodbye]
            // The stranger signs in itself, and has an ID token to show.
            let own = TestBrowser(server)
            let asked = try await client.party.authorize(own)
            let code = try await own.follow(own.submit(asked, [("action", "accept")])).query("code") ?? ""
            let token = try await client.party.redeem(code).json()["id_token"]?.string
            #expect(token?.isEmpty == false)
            let paths = [
                TestServer.logoutURL(parameters.mapValues(Optional.some)),
                TestServer.logoutURL(["id_token_hint": token, "post_logout_redirect_uri": Self.goodbye]),
                "/v2/logout?client_id=\(client.clientID)&returnTo=\(Self.goodbye.formEncoded)",
            ]
            for path in paths {
                let answer = try await TestBrowser(server).get(path)
                #expect(answer.status == .ok && answer.location == nil, "\(path)")
                #expect(answer.text.contains("Continue to app.example.com"), "\(path)")
                #expect(!answer.text.contains("http-equiv") && !answer.text.contains("js/logout"), "\(path)")
            }
            // In the session that the ID token is of, the stranger's user wants this.
            #expect(try await own.get(paths[1]).location == Self.goodbye)
        }
    }

    @Test("RP-Initiated Logout §2: a user who says yes goes on to a stranger's page")
    func confirmedLogout() async throws {
        try await TestServer.run(.openRegistration) { server in
            let (browser, client) = (TestBrowser(server), try await Self.stranger(server))
            _ = try await RelyingParty.regularWebApp(server).authorize(browser)
            let page = try await browser.get(
                TestServer.logoutURL(["client_id": client.clientID, "post_logout_redirect_uri": Self.goodbye]))
            #expect(page.text.contains("Are you sure"))
            #expect(try await browser.answer(page, "accept").location == Self.goodbye)
        }
    }

    @Test("RP-Initiated Logout §6: an ID token that a client has signed itself ends nobody's session")
    func forgedHints() async throws {
        try await TestServer.run(.openRegistration) { server in
            for metadata in [
                ["id_token_signed_response_alg": "HS256"], ["token_endpoint_auth_method": "client_secret_jwt"],
            ] as [[String: JSONValue?]] {
                let client = try await Self.stranger(server, metadata)
                let secret = ForeignKey.secret(client.registration["client_secret"]?.string ?? "")
                let browser = TestBrowser(server)
                _ = try await RelyingParty.regularWebApp(server).authorize(browser)
                let forged = try secret.token([
                    "iss": .string(TestServer.issuer), "aud": .string(client.clientID), "sub": .string(User.ada.id),
                    "exp": 4_102_444_800,
                ])
                let answer = try await browser.get(TestServer.logoutURL(["id_token_hint": forged]))
                #expect(!answer.text.contains("You are logged out"))
                let isItsAlgorithm = metadata["id_token_signed_response_alg"] != nil
                #expect(answer.text.contains(isItsAlgorithm ? "Are you sure" : "Invalid id_token_hint"))
                #expect(try await browser.isLoggedIn())
            }
        }
    }

    // MARK: What they register

    @Test("RFC 9700 §2.2.2: the refresh tokens of a client without a secret rotate, and end")
    func publicRefreshTokens() async throws {
        try await TestServer.run(.openRegistration) { server in
            let client = try await Self.stranger(
                server,
                [
                    "token_endpoint_auth_method": "none", "grant_types": ["authorization_code", "refresh_token"],
                ])
            let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
            let browser = TestBrowser(server)
            let asked = try await client.party.authorize(
                browser,
                [
                    "scope": "openid offline_access", "code_challenge_method": "S256",
                    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
                ])
            let code = try await browser.follow(browser.submit(asked, [("action", "accept")])).query("code") ?? ""
            let first = try await client.party.redeem(code, ["code_verifier": verifier]).json()["refresh_token"]?.string
            let second = try await client.party.refresh(first ?? "").json()["refresh_token"]?.string
            #expect(first != nil && second != nil && first != second)
            // The thief's use of the old one ends both.
            #expect(try await client.party.refresh(first ?? "").json()["error"] == "invalid_grant")
            #expect(try await client.party.refresh(second ?? "").json()["error"] == "invalid_grant")
            let stored = try #require(try await server.services.stores.clients.find(client.clientID)).client
            #expect(stored.refreshToken.absoluteLifetime != nil && stored.refreshToken.idleLifetime != nil)
        }
    }

    @Test("OIDC Core §8.1: localhost is nobody's, so it is no sector of pairwise subjects")
    func loopbackSector() async throws {
        try await TestServer.run(.openRegistration) { server in
            let answer = try await DynamicClient.send(
                [
                    "redirect_uris": ["http://localhost:3000/cb"], "application_type": "native",
                    "subject_type": "pairwise", "token_endpoint_auth_method": "none",
                ], to: server)
            #expect(answer.status == .badRequest)
            #expect(try answer.json()["error_description"]?.string?.hasPrefix("sector_identifier_uri") == true)
        }
    }

    @Test(
        "RFC 8252 §8.4: no client sends a browser to a scheme that opens parts of the system",
        arguments: ["ms-msdt:/id", "ms-settings:privacy", "search-ms:query=x", "itms-services://x", "steam://run/1"])
    func systemSchemes(_ uri: String) async throws {
        try await TestServer.run(.openRegistration) { server in
            let answer = try await DynamicClient.send(
                [
                    "redirect_uris": [.string(uri)], "application_type": "native",
                    "token_endpoint_auth_method": "none",
                ], to: server)
            #expect(try answer.json()["error"] == "invalid_redirect_uri")
        }
    }

    @Test("RFC 6585 §4: who registers too often is told when to come again")
    func retryAfter() async throws {
        try await TestServer.run(.openRegistration) { server in
            for _ in 0..<RegistrationEndpoint.mostPerAddress {
                _ = try await DynamicClient.send(["redirect_uris": []], to: server)
            }
            server.clock.advance(by: 600)
            let answer = try await DynamicClient.send(DynamicClient.metadata(), to: server)
            #expect(answer.status == .tooManyRequests)
            #expect(answer.headers[.retryAfter] == "3000")
        }
    }

    @Test("RFC 8259 §4: metadata with a member twice are refused, at any depth")
    func duplicateMembers() async throws {
        try await TestServer.run(.openRegistration) { server in
            for body in [
                #"{"redirect_uris":["https://a.example/"],"redirect_uris":["https://evil.example/"]}"#,
                #"{"redirect_uris":["https://a.example/"],"jwks":{"keys":[],"k\u0065ys":[]}}"#,
            ] {
                let answer = try await server.post("/oidc/register", json: body)
                #expect(answer.status == .badRequest)
                #expect(try answer.json()["error_description"]?.string?.contains("twice") == true)
            }
        }
    }

    @Test(
        "OIDC Core §8.1: clients with pairwise subjects cannot ask with each other's ID tokens whether they share a user"
    )
    func foreignHints() async throws {
        var fixtures = Fixtures()
        fixtures.change("regular-web-app") { $0.openID.subjectType = .pairwise }
        try fixtures.change("third-party-app") {
            $0.callbacks = [try RegisteredURI("https://other.example/cb")]
            $0.openID.subjectType = .pairwise
        }
        try await TestServer.run(fixtures) { server in
            let browser = TestBrowser(server)
            let (party, other) = (RelyingParty.regularWebApp(server), RelyingParty.thirdParty(server))
            let token = try await browser.idToken(party)
            let own = try await browser.get(party.authorizationURL(["id_token_hint": token, "prompt": "none"]))
            #expect(own.query("code") != nil)
            let foreign = try await browser.get(
                other.authorizationURL([
                    "id_token_hint": token, "prompt": "none", "redirect_uri": "https://other.example/cb",
                ]))
            #expect(foreign.query("error") == "invalid_request")
        }
    }
}
