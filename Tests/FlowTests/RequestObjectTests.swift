import AuthorizationServer
import Crypto
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Request objects (RFC 9101, OpenID Connect Core §6)")
struct RequestObjectTests {
    private static func fixtures(
        _ key: ForeignKey, _ change: (inout Client) -> Void = { _ in }
    ) throws -> Fixtures {
        var fixtures = Fixtures()
        let set: JSONObject = ["keys": [.object(try key.jsonWebKey)]]
        fixtures.change("regular-web-app") { client in
            client.keys.set = set
            change(&client)
        }
        return fixtures
    }

    private static func claims(_ server: TestServer, _ changes: JSONObject = [:]) -> JSONObject {
        let now = Int64(server.clock.now.timeIntervalSince1970)
        let claims: JSONObject = [
            "iss": "regular-web-app", "aud": .string(TestServer.issuer), "exp": .integer(now + 60),
            "client_id": "regular-web-app", "response_type": "code", "redirect_uri": .string(Client.callback),
            "scope": "openid email", "state": "inside", "nonce": "signed",
        ]
        return claims.merging(changes) { $1 }.filter { $0.value != .null }
    }

    /// The answer to a request with an object, after signing in where that is asked.
    private static func ask(
        _ server: TestServer, _ parameters: [String: String?]
    ) async throws -> TestResponse {
        try await RelyingParty.regularWebApp(server).authorize(TestBrowser(server), parameters)
    }

    @Test("OpenID Connect Core §6.1: what is signed wins over what stands beside it, from the login to the ID token")
    func wins() async throws {
        let key = try ForeignKey.rsa()
        try await TestServer.run(Self.fixtures(key)) { server in
            let party = RelyingParty.regularWebApp(server)
            let object = try key.token(Self.claims(server), header: ["typ": "oauth-authz-req+jwt"])
            let outer: [String: String?] = [
                "request": object, "state": "outside", "nonce": "forged", "scope": "openid", "redirect_uri": nil,
            ]
            let answer = try await Self.ask(server, outer)
            #expect(answer.query("state") == "inside")
            #expect(answer.location?.hasPrefix(Client.callback + "?") == true)
            let tokens = try await party.redeem(answer.query("code") ?? "").json()
            #expect(tokens["id_token"]?.string?.claims["nonce"] == "signed")
            #expect(tokens["scope"] == "openid email")
        }
    }

    @Test("The object may expire while the user signs in: it was good when it came")
    func expiresLater() async throws {
        let key = ForeignKey.p256()
        try await TestServer.run(Self.fixtures(key)) { server in
            let browser = TestBrowser(server)
            let party = RelyingParty.regularWebApp(server)
            let page = try await browser.get(
                party.authorizationURL(["request": try key.token(Self.claims(server))]))
            #expect(page.location?.hasPrefix("/u/login") == true)
            server.clock.advance(by: 120)
            #expect(try await browser.logIn(page, password: User.adaPassword).query("state") == "inside")
        }
    }

    @Test(
        "RFC 9101 §4: each claim is checked, and nothing is nested",
        arguments: [
            ["iss": "third-party-app"], ["aud": "https://evil.example.com/"], ["aud": ["https://evil.example.com/"]],
            ["aud": 1], ["exp": 1], ["exp": "soon"], ["nbf": 4_000_000_000], ["iat": 4_000_000_000],
            ["client_id": "third-party-app"], ["client_id": 1], ["response_type": "token"], ["request": "x"],
            ["request_uri": "https://app.example.com/"], ["sub": "regular-web-app"],
        ] as [JSONObject])
    func claims(changes: JSONObject) async throws {
        let key = try ForeignKey.rsa()
        try await TestServer.run(Self.fixtures(key)) { server in
            let object = try key.token(Self.claims(server, changes))
            let answer = try await Self.ask(server, ["request": object])
            #expect(answer.query("error") == "invalid_request_object")
            #expect(answer.query("state") == "xyzABC123")
            #expect(answer.query("code") == nil)
        }
    }

    @Test("An object that cannot be believed, and no callback beside it that is registered: a page, never a redirect")
    func nobodyToTell() async throws {
        let (key, attacker) = (try ForeignKey.rsa(), try ForeignKey.rsa("other"))
        try await TestServer.run(Self.fixtures(key)) { server in
            let forged = try attacker.token(Self.claims(server, ["redirect_uri": "https://evil.example.com/"]))
            for outer in [nil, "https://evil.example.com/"] {
                let answer = try await Self.ask(server, ["request": forged, "redirect_uri": outer])
                #expect(answer.status == .badRequest)
                #expect(answer.location == nil)
            }
            // A callback that is signed must be registered all the same.
            let signed = try key.token(Self.claims(server, ["redirect_uri": "https://evil.example.com/"]))
            let answer = try await Self.ask(server, ["request": signed])
            #expect(answer.location == nil)
        }
    }

    @Test("RFC 8725: no key of the object's own, no signature that nobody checks, no other kind of token")
    func forgeries() async throws {
        let (key, attacker) = (try ForeignKey.rsa(), try ForeignKey.rsa("other"))
        try await TestServer.run(Self.fixtures(key)) { server in
            let claims = Self.claims(server)
            let unsigned = try ForeignKey.secret("").token(claims, algorithm: "none")
            let objects = try [
                attacker.token(claims), attacker.token(claims, header: ["jwk": .object(attacker.jsonWebKey)]), unsigned,
                ForeignKey.secret(Client.regularWebAppSecret, keyID: "rsa").token(claims),
                ForeignKey.secret(key.pem, keyID: "rsa").token(claims), key.token(claims, header: ["typ": "at+jwt"]),
                key.token(claims, header: ["typ": "client-authentication+jwt"]), "x", "",
            ].filter { !$0.isEmpty }
            for object in objects {
                #expect(try await Self.ask(server, ["request": object]).query("error") == "invalid_request_object")
            }
        }
    }

    @Test("request_object_signing_alg: the registered algorithm and no other; none only where that is registered")
    func registeredAlgorithm() async throws {
        let key = try ForeignKey.rsa()
        try await TestServer.run(Self.fixtures(key) { $0.requestObject.algorithm = .ps256 }) { server in
            let wrong = try key.token(Self.claims(server))
            #expect(try await Self.ask(server, ["request": wrong]).query("error") == "invalid_request_object")
            let right = try key.token(Self.claims(server), algorithm: "PS256")
            #expect(try await Self.ask(server, ["request": right]).query("code") != nil)
        }
        try await TestServer.run(Self.fixtures(key) { $0.requestObject.isUnsigned = true }) { server in
            let token = try ForeignKey.secret("").token(Self.claims(server), algorithm: "none")
            let unsigned = token.split(separator: ".").prefix(2).joined(separator: ".") + "."
            #expect(try await Self.ask(server, ["request": unsigned]).query("state") == "inside")
            // A signature that nobody checks is none.
            #expect(try await Self.ask(server, ["request": token]).query("error") == "invalid_request_object")
        }
    }

    /// The claims as an object without a signature.
    private static func unsigned(_ claims: JSONObject) throws -> String {
        try ForeignKey.secret("").token(claims, algorithm: "none").split(separator: ".").prefix(2)
            .joined(separator: ".") + "."
    }

    @Test("OIDC Registration §2: without a registered algorithm each may be used, none too; it counts as a query does")
    func unsigned() async throws {
        let key = try ForeignKey.rsa()
        for keys in [["keys": [.object(try key.jsonWebKey)]], nil] as [JSONObject?] {
            try await TestServer.run(Self.fixtures(key) { $0.keys.set = keys }) { server in
                let object = try Self.unsigned(Self.claims(server))
                #expect(try await Self.ask(server, ["request": object]).query("state") == "inside")
                let elsewhere = try Self.unsigned(Self.claims(server, ["redirect_uri": "https://evil.example.com/"]))
                #expect(try await Self.ask(server, ["request": elsewhere]).location == nil)
                let foreign = try Self.unsigned(Self.claims(server, ["client_id": "third-party-app"]))
                #expect(
                    try await Self.ask(server, ["request": foreign]).query("error") == "invalid_request_object")
            }
        }
        for change in [{ $0.requestObject.algorithm = .rs256 }, { $0.requestObject.isRequired = true }]
            as [(inout Client) -> Void]
        {
            try await TestServer.run(Self.fixtures(key, change)) { server in
                let object = try Self.unsigned(Self.claims(server))
                #expect(try await Self.ask(server, ["request": object]).query("error") == "invalid_request_object")
            }
        }
    }

    @Test("OIDC Core §10.1: HS256 and its longer kin are proved by the client's secret, where that is registered")
    func secret() async throws {
        for algorithm in [JWSAlgorithm.hs256, .hs384, .hs512] {
            var fixtures = Fixtures()
            fixtures.change("regular-web-app") { $0.requestObject.algorithm = algorithm }
            try await TestServer.run(fixtures) { server in
                let (right, wrong) = (
                    ForeignKey.secret(Client.regularWebAppSecret), ForeignKey.secret(Client.thirdPartySecret)
                )
                let claims = Self.claims(server)
                let object = try right.token(claims, algorithm: algorithm.rawValue)
                #expect(try await Self.ask(server, ["request": object]).query("state") == "inside")
                let other = algorithm == .hs256 ? "HS512" : "HS256"
                for object in try [
                    wrong.token(claims, algorithm: algorithm.rawValue), right.token(claims, algorithm: other),
                    ForeignKey.rsa().token(claims), Self.unsigned(claims),
                ] {
                    #expect(
                        try await Self.ask(server, ["request": object]).query("error") == "invalid_request_object")
                }
                let metadata = try await server.get("/.well-known/openid-configuration").json()
                let offered = metadata["request_object_signing_alg_values_supported"]?.array ?? []
                #expect(offered.contains(.string(algorithm.rawValue)))
            }
        }
    }

    @Test("OIDC Core §6.2: an object whose SHA-256 is in its address is fetched once, any other each time")
    func kept() async throws {
        let key = try ForeignKey.rsa()
        let web = SimulatedWeb()
        let now = Int64(Date().timeIntervalSince1970)
        let address = "https://app.example.com/request.jwt"
        let claims: JSONObject = [
            "iss": "regular-web-app", "aud": .string(TestServer.issuer), "client_id": "regular-web-app",
            "response_type": "code", "redirect_uri": .string(Client.callback), "state": "inside",
            "iat": .integer(now - 1_000_000_000),
        ]
        let object = try key.token(claims)
        let hash = Base64URL.encode(SHA256.hash(data: Data(object.utf8)))
        let uris = ["#\(hash)", "#\(String(hash.reversed()))", ""].map { address + $0 }
        try await TestServer.run(Self.fixtures(key) { $0.requestObject.uris = uris }, outbound: web) { server in
            web.put(object, at: address, type: "application/jwt")
            for (uri, fetches) in zip(uris, [1, 2, 2]) {
                let before = web.requests.count
                for _ in 0..<2 {
                    let answer = try await Self.ask(server, ["request_uri": uri])
                    #expect(answer.query("state") == "inside")
                }
                #expect(web.requests.count - before == fetches, "\(uri)")
            }
        }
    }

    @Test("RFC 9101 §6.3: a client that must sign is heard through its object alone")
    func required() async throws {
        let key = try ForeignKey.rsa()
        let fixtures = try Self.fixtures(key) { client in
            client.keys.set = nil
            (client.requestObject.isRequired, client.requestObject.credentials) = (true, [.init(pem: key.pem)])
        }
        try await TestServer.run(fixtures) { server in
            let plain = try await Self.ask(server, [:])
            #expect(plain.query("error") == "invalid_request")
            let object = try key.token(Self.claims(server, ["state": nil, "nonce": nil]), header: ["kid": nil])
            let answer = try await Self.ask(server, ["request": object, "nonce": "added", "state": "added"])
            #expect(answer.query("state") == nil)
            let tokens = try await RelyingParty.regularWebApp(server).redeem(answer.query("code") ?? "").json()
            #expect(tokens["id_token"]?.string?.claims["nonce"] == nil)
            #expect(tokens["id_token"]?.string != nil)
        }
    }

    @Test("Numbers and structures of an object are the parameters that they would be in a query")
    func values() async throws {
        let key = try ForeignKey.rsa()
        try await TestServer.run(Self.fixtures(key)) { server in
            let object = try key.token(
                Self.claims(server, ["max_age": 3600, "claims": ["id_token": ["email": ["essential": true]]]]))
            let answer = try await Self.ask(server, ["request": object])
            let tokens = try await RelyingParty.regularWebApp(server).redeem(answer.query("code") ?? "").json()
            #expect(tokens["id_token"]?.string?.claims["auth_time"] != nil)
            #expect(tokens["id_token"]?.string?.claims["email"] == "ada@example.com")
            let wrong = try key.token(Self.claims(server, ["max_age": "x"]))
            #expect(try await Self.ask(server, ["request": wrong]).query("error") == "invalid_request")
        }
    }

    @Test("request_uri: only an address that the client has registered is asked")
    func byReference() async throws {
        let key = try ForeignKey.rsa()
        let uri = "https://app.example.com/request.jwt"
        let web = SimulatedWeb()
        try await TestServer.run(Self.fixtures(key) { $0.requestObject.uris = [uri] }, outbound: web) { server in
            let none = try await Self.ask(server, ["request_uri": uri])
            #expect(none.query("error") == "invalid_request_uri")
            web.put(try key.token(Self.claims(server)) + "\n", at: uri, type: "application/jwt")
            #expect(try await Self.ask(server, ["request_uri": uri]).query("state") == "inside")
            let asked = web.requests.count
            for other in [
                "https://app.example.com/request.jwt?x=1", "https://app.example.com/", "http://169.254.169.254/",
                "https://app.example.com/request.jwt#x", "file:///etc/passwd", "HTTPS://app.example.com/request.jwt",
            ] {
                let answer = try await Self.ask(server, ["request_uri": other])
                #expect(answer.query("error") == "invalid_request_uri")
            }
            #expect(web.requests.count == asked)
            web.put("not found", at: uri, status: 404)
            #expect(try await Self.ask(server, ["request_uri": uri]).query("error") == "invalid_request_uri")
            web.put(String(repeating: "a", count: 20_000), at: uri)
            #expect(try await Self.ask(server, ["request_uri": uri]).query("error") == "invalid_request_uri")
            let both = try await Self.ask(server, ["request_uri": uri, "request": "x.y.z"])
            #expect(both.query("error") == "invalid_request")
        }
    }

    @Test("OpenID Connect Core §6.1: a client that has registered no keys is told that objects are not supported")
    func notSupported() async throws {
        try await TestServer.run { server in
            let object = try ForeignKey.rsa().token(Self.claims(server))
            #expect(try await Self.ask(server, ["request": object]).query("error") == "request_not_supported")
            let reference = try await Self.ask(server, ["request_uri": "https://app.example.com/"])
            #expect(reference.query("error") == "request_uri_not_supported")
        }
    }

    @Test("RFC 9126 §3: a request object may be pushed")
    func pushed() async throws {
        let key = try ForeignKey.rsa()
        let fixtures = try Self.fixtures(key) { $0.requestObject.isRequired = true }
        try await TestServer.run(fixtures) { server in
            let client = [("client_id", "regular-web-app"), ("client_secret", Client.regularWebAppSecret)]
            let good = try await server.post("/oauth/par", form: client + [("request", key.token(Self.claims(server)))])
            #expect(good.status == .created)
            let reference = try good.json()["request_uri"]?.string ?? ""
            let browser = TestBrowser(server)
            let page = try await browser.get(
                "/authorize?client_id=regular-web-app&request_uri=\(reference.formEncoded)")
            #expect(try await browser.logIn(page, password: User.adaPassword).query("state") == "inside")
            let foreign = try key.token(Self.claims(server, ["client_id": "third-party-app"]))
            let bad = try await server.post("/oauth/par", form: client + [("request", foreign)])
            #expect(bad.status == .badRequest)
            #expect(try bad.json()["error"] == "invalid_request_object")
            let plain = try await server.post(
                "/oauth/par", form: client + [("response_type", "code"), ("redirect_uri", Client.callback)])
            #expect(plain.status == .badRequest)
        }
    }

    @Test("RFC 9101 §10.4.1: strangers' clients make the server ask one host so often and no more")
    func strangersReferences() async throws {
        let (key, web) = (try ForeignKey.rsa(), SimulatedWeb())
        let uri = "https://app.example.com/request.jwt"
        let fixtures = { (isFirstParty: Bool) in
            try Self.fixtures(key) {
                $0.requestObject.uris = [uri]
                $0.isFirstParty = isFirstParty
            }
        }
        for isFirstParty in [true, false] {
            try await TestServer.run(fixtures(isFirstParty), outbound: web) { server in
                web.put(try key.token(Self.claims(server)), at: uri, type: "application/jwt")
                #expect(try await Self.ask(server, ["request_uri": uri]).query("error") != "temporarily_unavailable")
                try await server.services.stores.database.write {
                    try $0.execute(
                        """
                        INSERT INTO rate_limit VALUES ('request objects app.example.com', 3600, 4000000000000)
                        ON CONFLICT (subject) DO UPDATE SET attempts = 3600
                        """)
                }
                let asked = web.requests.count
                let error = try await Self.ask(server, ["request_uri": uri]).query("error")
                #expect((error == "temporarily_unavailable") == !isFirstParty)
                #expect(web.requests.count == asked + (isFirstParty ? 1 : 0))
            }
        }
    }
}
