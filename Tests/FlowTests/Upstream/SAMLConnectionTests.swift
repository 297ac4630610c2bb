import AuthorizationServer
import Connections
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

/// Logins at a provider of SAML 2.0, those that begin there among them, and where the provider is described.
@Suite("SAML logins")
struct SAMLConnectionTests {
    private static let path = "/login/callback?connection=corporate"
    private static let initiated: JSONObject = [
        "idpinitiated": [
            "enabled": true, "client_id": "regular-web-app", "client_protocol": "oauth2",
            "client_authorizequery":
                "redirect_uri=https%3A%2F%2Fapp.example.com%2Fcallback&scope=openid+email&response_type=code",
        ]
    ]

    /// Sets out for the provider, and learns the request's id there.
    private static func depart(_ browser: TestBrowser) async throws -> (id: String, state: String) {
        request(of: try await UpstreamLoginTests.depart(browser, ["connection": "corporate"]))
    }

    /// The request that a browser takes to the provider.
    private static func request(of departure: TestResponse) -> (id: String, state: String) {
        let request = Data(base64Encoded: departure.query("SAMLRequest") ?? "") ?? Data()
        // Nothing is compressed in it.
        let id = String(decoding: request, as: UTF8.self).firstMatch(of: /\ ID="([^"]*)"/)?.1 ?? ""
        return (String(id), departure.query("RelayState") ?? "")
    }

    private static func post(
        _ browser: TestBrowser, _ response: String, state: String? = nil, to path: String = path
    ) async throws -> TestResponse {
        try await browser.follow(
            browser.post(path, [("SAMLResponse", response)] + (state.map { [("RelayState", $0)] } ?? [])))
    }

    @Test("Profiles §4.1.3: a login that begins here comes back with a user called samlp|CONNECTION|NAMEID")
    func login() async throws {
        let provider = try SimulatedSAMLProvider()
        try await TestServer.run(provider.fixtures()) { server in
            let browser = TestBrowser(server)
            let (id, state) = try await Self.depart(browser)
            let response = try provider.response(server, request: id)
            #expect(try await Self.post(browser, response, state: state).query("code") != nil)
            #expect(try await server.services.stores.users.find("samlp|corporate|jane-1") != nil)
        }
    }

    // MARK: Logins that begin at the provider

    @Test(
        "Profiles §4.1.5, Auth0's idpinitiated: who begins at the provider is signed in to the connection's application"
    )
    func begunAtProvider() async throws {
        let provider = try SimulatedSAMLProvider()
        try await TestServer.run(provider.fixtures(Self.initiated)) { server in
            // A browser that was never here, one that was, and a provider with a relay state of its own.
            let known = TestBrowser(server)
            let (id, state) = try await Self.depart(known)
            _ = try await Self.post(known, provider.response(server, request: id), state: state)
            for (browser, state) in [(TestBrowser(server), nil), (known, nil), (TestBrowser(server), "https://a/")] {
                let answer = try await Self.post(browser, provider.response(server), state: state)
                #expect(answer.location?.hasPrefix("https://app.example.com/callback?code=") == true)
                #expect(answer.query("state") == nil)
                let tokens = try await RelyingParty.regularWebApp(server).redeem(answer.query("code") ?? "").json()
                #expect(tokens["id_token"]?.string?.claims["sub"] == "samlp|corporate|jane-1")
                #expect(browser.cookies["auth0"] != nil && browser.cookies["did"] != nil)
            }
            #expect(try await server.logTypes().filter { $0 == "s" }.count == 4)
        }
    }

    @Test("Login CSRF: such an answer replaces nobody else's session, and is not taken from an address")
    func replacesNobody() async throws {
        let provider = try SimulatedSAMLProvider()
        try await TestServer.run(provider.fixtures(Self.initiated)) { server in
            let browser = TestBrowser(server)
            _ = try await RelyingParty.regularWebApp(server).authorize(browser)
            let session = browser.cookies["auth0"]
            let refused = try await Self.post(browser, provider.response(server))
            #expect(refused.status == .badRequest && refused.location == nil)
            #expect(refused.text.contains("log out first"))
            #expect(browser.cookies["auth0"] == session)
            #expect(try await browser.isLoggedIn())
            let other = TestBrowser(server)
            for state in ["", "&RelayState=x"] {
                let answer = try provider.response(server).formEncoded
                #expect(try await other.get("\(Self.path)&SAMLResponse=\(answer)\(state)").status == .badRequest)
            }
            #expect(other.cookies["auth0"] == nil)
            #expect(try await server.services.stores.users.find("samlp|corporate|jane-1") == nil)
        }
    }

    @Test(
        "OpenID Connect Core §3.1.2.1: where the application wants a newer proof the provider is asked for it",
        arguments: [("&max_age=60", nil), ("&prompt=login", nil), ("", 60)] as [(String, Int?)])
    func freshness(wish: String, registered: Int?) async throws {
        let provider = try SimulatedSAMLProvider()
        let query = "redirect_uri=https%3A%2F%2Fapp.example.com%2Fcallback&scope=openid&response_type=code" + wish
        let options: JSONObject = [
            "idpinitiated": [
                "enabled": true, "client_id": "regular-web-app", "client_authorizequery": .string(query),
            ]
        ]
        var fixtures = provider.fixtures(options)
        fixtures.change("regular-web-app") { $0.openID.defaultMaxAge = registered }
        try await TestServer.run(fixtures) { server in
            #expect(try await Self.post(TestBrowser(server), provider.response(server)).query("code") != nil)
            let (browser, old) = (TestBrowser(server), try provider.response(server))
            server.clock.advance(by: 120)
            let departure = try await Self.post(browser, old)
            #expect(departure.location?.hasPrefix("https://idp.example/sso?") == true)
            #expect(browser.cookies["auth0"] == nil)
            let (id, state) = Self.request(of: departure)
            let answer = try await Self.post(browser, provider.response(server, request: id), state: state)
            #expect(answer.query("code") != nil)
        }
    }

    @Test("It is off by default: an answer that nobody asked for signs nobody in, and is not even read")
    func offByDefault() async throws {
        let provider = try SimulatedSAMLProvider()
        for options: JSONObject in [[:], ["idpinitiated": ["enabled": false, "client_id": "regular-web-app"]]] {
            let fixtures = provider.fixtures(options)
            #expect(Strategies.all()["samlp"]?.takesUnsolicited(fixtures.connections[1]) == false)
            try await TestServer.run(fixtures) { server in
                let browser = TestBrowser(server)
                for state in [nil, "x"] {
                    let answer = try await Self.post(browser, provider.response(server), state: state)
                    #expect(answer.status == .badRequest && answer.location == nil)
                }
                #expect(browser.cookies["auth0"] == nil)
                #expect(try await server.services.stores.users.find("samlp|corporate|jane-1") == nil)
            }
        }
    }

    @Test("Profiles §4.1.5: such an answer answers no request, is the provider's, for this connection, and good once")
    func strictness() async throws {
        let (provider, other) = (try SimulatedSAMLProvider(), try SimulatedSAMLProvider())
        try await TestServer.run(provider.fixtures(Self.initiated)) { server in
            let browser = TestBrowser(server)
            let used = try provider.response(server)
            #expect(try await Self.post(TestBrowser(server), used).query("code") != nil)
            let wrong = [
                used, try other.response(server), try provider.response(server, request: "_another"),
                try provider.response(server, request: nil, bearer: "_another"),
                Data("<Response/>".utf8).base64EncodedString(), "rubbish",
            ]
            for (index, response) in wrong.enumerated() {
                let answer = try await Self.post(browser, response)
                #expect(answer.status == .badRequest && answer.location == nil, "answer \(index)")
            }
            for path in ["/login/callback?connection=other", "/login/callback"] {
                let answer = try await Self.post(browser, provider.response(server), to: path)
                #expect(answer.status == .badRequest && answer.location == nil, "\(path)")
            }
            #expect(browser.cookies["auth0"] == nil)
        }
    }

    @Test("An answer to a request that begins here is none of the other kind, when it is used again or elsewhere")
    func solicited() async throws {
        let provider = try SimulatedSAMLProvider()
        try await TestServer.run(provider.fixtures(Self.initiated)) { server in
            let (victim, attacker) = (TestBrowser(server), TestBrowser(server))
            let (id, state) = try await Self.depart(attacker)
            let response = try provider.response(server, request: id)
            // Login CSRF: the attacker's answer in another browser.
            #expect(try await Self.post(victim, response, state: state).status == .badRequest)
            #expect(try await Self.post(victim, response).status == .badRequest)
            // And one that nobody asked for is no answer to a request that is under way.
            #expect(
                try await Self.post(attacker, provider.response(server), state: state).query("error") == "access_denied"
            )
            #expect(victim.cookies["auth0"] == nil && attacker.cookies["auth0"] == nil)
        }
    }

    @Test(
        "The application that idpinitiated names must be one that the connection serves, and its query one that is accepted"
    )
    func application() async throws {
        let provider = try SimulatedSAMLProvider()
        for (clientID, query) in [
            ("single-page-app", "redirect_uri=https%3A%2F%2Fapp.example.com%2Fcallback"), ("nobody", ""),
            ("regular-web-app", "redirect_uri=https%3A%2F%2Fevil.example%2F"),
        ] {
            let options: JSONObject = [
                "idpinitiated": [
                    "enabled": true, "client_id": .string(clientID), "client_authorizequery": .string(query),
                ]
            ]
            try await TestServer.run(provider.fixtures(options)) { server in
                let browser = TestBrowser(server)
                let answer = try await Self.post(browser, provider.response(server))
                #expect(answer.query("code") == nil && browser.cookies["auth0"] == nil, "\(clientID) \(query)")
                #expect(answer.location?.contains("evil") != true)
            }
        }
    }

    // MARK: Encrypted assertions

    @Test("Core §2.3.4: assertions that are encrypted for the tenant's key are read where the connection says so")
    func encryptedForTenant() async throws {
        let provider = try SimulatedSAMLProvider()
        for (options, isGood): (JSONObject, Bool) in [(["portico_encrypted_assertions": true], true), ([:], false)] {
            try await TestServer.run(provider.fixtures(options)) { server in
                let browser = TestBrowser(server)
                let metadata = try await browser.get("/samlp/metadata?connection=corporate").text
                #expect(metadata.contains(#"use="encryption""#) == isGood)
                let (id, state) = try await Self.depart(browser)
                let key = try await server.services.configuration.keyRing().current.key
                let response = try provider.response(server, request: id, encryptedFor: key)
                let answer = try await Self.post(browser, response, state: state)
                #expect((answer.query("code") != nil) == isGood)
                #expect((answer.query("error") == "access_denied") != isGood)
            }
        }
    }

    @Test("Auth0's decryptionKey: the connection has a key of its own, sealed, and the tenant's opens nothing then")
    func decryptionKey() async throws {
        let (provider, own) = (try SimulatedSAMLProvider(), try SigningKeyPair.generate())
        var fixtures = provider.fixtures()
        let certificate = Data(try own.selfSignedCertificate(commonName: "own")).base64EncodedString()
        fixtures.connectionSecrets = [
            "corporate": [
                "decryptionKey": [
                    "key": .string(try own.pem()),
                    "cert": .string("-----BEGIN CERTIFICATE-----\n\(certificate)\n-----END CERTIFICATE-----\n"),
                ]
            ]
        ]
        #expect(Strategies.all()["samlp"]?.secretOptions == ["decryptionKey"])
        try await TestServer.run(fixtures) { server in
            let tenants = try await server.services.configuration.keyRing().current.key
            for (key, isGood) in [(own, true), (tenants, false)] {
                let browser = TestBrowser(server)
                let (id, state) = try await Self.depart(browser)
                let response = try provider.response(server, request: id, encryptedFor: key)
                #expect((try await Self.post(browser, response, state: state).query("code") != nil) == isGood)
            }
            let metadata = try await TestBrowser(server).get("/samlp/metadata?connection=corporate").text
            #expect(metadata.contains(certificate) && !metadata.contains("PRIVATE"))
        }
    }

    // MARK: Metadata by its address

    @Test("Auth0's metadataUrl: the provider is looked up there, for ten minutes, and new certificates are noticed")
    func metadataURL() async throws {
        let (provider, next, web) = (try SimulatedSAMLProvider(), try SimulatedSAMLProvider(), SimulatedWeb())
        let url = "https://idp.example/metadata.xml"
        web.put(provider.metadata(), at: url, type: "application/samlmetadata+xml")
        let options: JSONObject = [
            "metadataUrl": .string(url), "signInEndpoint": .null, "signingCert": .null, "issuer": .null,
        ]
        try await TestServer.run(provider.fixtures(options), outbound: web) { server in
            func signIn(_ signer: SimulatedSAMLProvider) async throws -> TestResponse {
                let browser = TestBrowser(server)
                let (id, state) = try await Self.depart(browser)
                return try await Self.post(browser, signer.response(server, request: id), state: state)
            }
            for _ in 0..<2 { #expect(try await signIn(provider).query("code") != nil) }
            #expect(web.requests.filter { $0.url == url }.count == 1)
            #expect(try await signIn(next).query("error") == "access_denied")
            // The provider changes its key.
            web.put(next.metadata(), at: url)
            server.clock.advance(by: 601)
            #expect(try await signIn(next).query("code") != nil)
            #expect(try await signIn(provider).query("error") == "access_denied")
            // An outage is bridged for a while.
            web.put(nil, at: url)
            server.clock.advance(by: 601)
            #expect(try await signIn(next).query("code") != nil)
            server.clock.advance(by: 3600)
            let away = try await UpstreamLoginTests.depart(TestBrowser(server), ["connection": "corporate"])
            #expect(away.query("error") == "temporarily_unavailable")
            for rubbish in ["<html/>", "{}", ""] {
                web.put(rubbish, at: url)
                let answer = try await UpstreamLoginTests.depart(TestBrowser(server), ["connection": "corporate"])
                #expect(answer.query("error") == "temporarily_unavailable", "\(rubbish)")
            }
        }
    }

    @Test("Metadata is believed about the provider that it describes: another's assertions are refused")
    func metadataOfAnother() async throws {
        let (provider, web) = (try SimulatedSAMLProvider(), SimulatedWeb())
        let url = "https://idp.example/metadata.xml"
        web.put(provider.metadata(entityID: "https://other.example/metadata"), at: url)
        let options: JSONObject = [
            "metadataUrl": .string(url), "signInEndpoint": .null, "signingCert": .null, "issuer": .null,
        ]
        try await TestServer.run(provider.fixtures(options), outbound: web) { server in
            let browser = TestBrowser(server)
            let (id, state) = try await Self.depart(browser)
            let answer = try await Self.post(browser, provider.response(server, request: id), state: state)
            #expect(answer.query("error") == "access_denied")
        }
    }
}
