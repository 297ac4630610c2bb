import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Dynamic client registration")
struct RegistrationTests {
    @Test("Auth0: registration is off until the tenant turns it on, and the answer names the setting")
    func off() async throws {
        try await TestServer.run { server in
            let answer = try await DynamicClient.send(DynamicClient.metadata(), to: server)
            #expect(answer.status == .notFound)
            #expect(try answer.json()["error"] == "endpoint_disabled")
            #expect(
                try answer.json()["error_description"]?.string?.contains("flags.enable_dynamic_client_registration")
                    == true)
            let discovery = try await server.get("/.well-known/openid-configuration").json()
            #expect(discovery["registration_endpoint"] == nil)
            #expect(try await server.services.stores.clients.list().count == 4)
        }
    }

    @Test(
        "RFC 7591 §3.2.1: the answer is 201 with everything that is registered; what proves the client is kept as digests"
    )
    func register() async throws {
        try await TestServer.run(.openRegistration) { server in
            let sent: JSONObject = [
                "redirect_uris": ["https://app.example.com/cb?a=1", "https://app.example.com/cb2"],
                "response_types": ["code", "code id_token"], "grant_types": ["authorization_code", "implicit"],
                "application_type": "web", "contacts": ["ops@example.com"], "client_name": "Photos",
                "client_name#de": "Bilder", "logo_uri": "https://app.example.com/logo.png",
                "client_uri": "https://app.example.com/", "policy_uri": "https://app.example.com/policy",
                "tos_uri": "https://app.example.com/terms", "token_endpoint_auth_method": "client_secret_post",
                "id_token_signed_response_alg": "RS256", "default_max_age": 3600, "require_auth_time": true,
                "default_acr_values": ["urn:a"], "initiate_login_uri": "https://app.example.com/login",
                "post_logout_redirect_uris": ["https://app.example.com/bye"], "software_id": "photos",
                "software_version": "2.1", "something_unknown": ["is": "ignored"],
            ]
            let answer = try await DynamicClient.send(sent, to: server)
            #expect(answer.status == .created)
            #expect(answer.headers[.cacheControl] == "no-store")
            let members = try answer.json()
            for (name, value) in sent where name != "something_unknown" { #expect(members[name] == value, "\(name)") }
            #expect(members["something_unknown"] == nil)
            let clientID = try #require(members["client_id"]?.string)
            #expect(members["client_secret_expires_at"] == 0)
            #expect(members["client_id_issued_at"]?.integer == Int(server.clock.now.timeIntervalSince1970))
            #expect(members["registration_client_uri"]?.string == "https://login.example.com/oidc/register/\(clientID)")
            let stored = try #require(try await server.services.stores.clients.find(clientID))
            let secret = try #require(members["client_secret"]?.string)
            #expect(stored.secretDigest == Secret(secret).digest)
            #expect(stored.sealedSecret == nil)
            #expect(!stored.client.isFirstParty)
            let token = try #require(members["registration_access_token"]?.string)
            let found = try await server.services.stores.clientRegistrations.find(
                accessTokenDigest: Secret(token).digest)
            #expect(found?.clientID == clientID)
        }
    }

    @Test("RFC 7591 §2: what is left out has its standard value; a public client has no secret")
    func standards() async throws {
        try await TestServer.run(.openRegistration) { server in
            let web = try await DynamicClient(server, ["client_name": nil]).registration
            #expect(web["token_endpoint_auth_method"] == "client_secret_basic")
            #expect(web["grant_types"] == ["authorization_code"])
            #expect(web["response_types"] == ["code"])
            #expect(web["application_type"] == "web")
            #expect(web["subject_type"] == "public")
            #expect(web["id_token_signed_response_alg"] == "RS256")
            #expect(web["client_name"] == web["client_id"])
            let spa = try await DynamicClient(server, ["token_endpoint_auth_method": "none"]).registration
            #expect(spa["client_secret"] == nil && spa["client_secret_expires_at"] == nil)
            let machine = try await DynamicClient(
                server, ["grant_types": ["client_credentials"], "redirect_uris": nil]
            ).registration
            #expect(machine["response_types"] == [])
            let implied = try await DynamicClient(server, ["response_types": ["code id_token"]]).registration
            #expect(implied["grant_types"] == ["authorization_code", "implicit"])
        }
    }

    @Test(
        "OIDC Registration §3.1 (oidcc-server): a registered client signs a user in, through a domain connection, with consent"
    )
    func signIn() async throws {
        try await TestServer.run(.openRegistration) { server in
            let client = try await DynamicClient(server)
            let browser = TestBrowser(server)
            let asked = try await client.party.authorize(browser)
            #expect(asked.location?.hasPrefix("/u/consent") == true)
            let answer = try await browser.follow(browser.submit(asked, [("action", "accept")]))
            let code = try #require(answer.query("code"))
            let secret = client.registration["client_secret"]?.string ?? ""
            let basic = Data("\(client.clientID):\(secret)".utf8).base64EncodedString()
            let tokens = try await client.party.token(
                [
                    "grant_type": "authorization_code", "code": code, "redirect_uri": Client.callback,
                    "client_id": nil, "client_secret": nil,
                ], headers: [.authorization: "Basic \(basic)"]
            ).json()
            #expect(tokens["id_token"]?.string?.claims["aud"] == .string(client.clientID))
        }
    }

    @Test("Auth0: without a domain connection nobody can sign in to a third-party application")
    func noDomainConnection() async throws {
        var fixtures = Fixtures.openRegistration
        fixtures.connections = [.database]
        try await TestServer.run(fixtures) { server in
            let answer = try await DynamicClient(server).party.authorize(TestBrowser(server))
            #expect(answer.query("error_description") == "no connections enabled for the client")
        }
    }

    @Test(
        "Redirect URIs that could send a code to somebody else are invalid_redirect_uri, with their path",
        arguments: [
            "https://app.example.com/cb#fragment", "javascript:alert(1)", "data:text/html,x",
            "http://app.example.com/cb",
            "https://*.example.com/cb", "https://app.example.com/*", "app.example.com", "https://",
            "https://user@app.example.com",
            "http://localhost/cb", "com.example.app:/cb", "https://app.example.com/c b", "//app.example.com",
            "vbscript:x",
            "https://app.example.com\\@evil.example", "HTTPS://app.example.com/cb", "",
        ])
    func redirectURIs(_ uri: String) async throws {
        try await TestServer.run(.openRegistration) { server in
            let answer = try await DynamicClient.send(
                DynamicClient.metadata(["redirect_uris": ["https://app.example.com/cb", .string(uri)]]), to: server)
            #expect(answer.status == .badRequest)
            #expect(try answer.json()["error"] == "invalid_redirect_uri")
            #expect(try answer.json()["error_description"]?.string?.hasPrefix("redirect_uris[1]: ") == true)
            #expect(try await server.services.stores.clients.list().count == 4)
        }
    }

    @Test("OIDC Registration §2: a native application has loopback addresses, its own schemes and https, nothing else")
    func native() async throws {
        try await TestServer.run(.openRegistration) { server in
            for (uri, isAllowed) in [
                ("http://localhost/cb", true), ("http://127.0.0.1:4711/cb", true), ("http://[::1]/cb", true),
                ("com.example.app:/cb", true), ("cursor://a.b/cb", true), ("https://app.example.com/cb", true),
                ("http://app.example.com/cb", false), ("http://localhost.evil.example/cb", false),
                ("http://127.0.0.1.evil.example/cb", false), ("intent://x", false), ("javascript:x", false),
            ] {
                let answer = try await DynamicClient.send(
                    DynamicClient.metadata([
                        "redirect_uris": [.string(uri)], "application_type": "native",
                        "token_endpoint_auth_method": "none",
                    ]), to: server)
                #expect((answer.status == .created) == isAllowed, "\(uri)")
            }
            // A client of RFC 7591 has no application_type to send.
            let tool = try await DynamicClient(
                server, ["redirect_uris": ["http://localhost:3000/cb"], "token_endpoint_auth_method": "none"])
            #expect(tool.registration["application_type"] == "native")
        }
    }

    @Test(
        "RFC 7591 §3.2.2: a member with a wrong value is invalid_client_metadata, with its path",
        arguments: [
            ("grant_types", ["password"]), ("grant_types", "authorization_code"), ("grant_types", ["implicit"]),
            ("response_types", ["code banana"]), ("response_types", []), ("response_types", [1]),
            ("token_endpoint_auth_method", "magic"), ("application_type", "banana"),
            ("id_token_signed_response_alg", "none"), ("id_token_signed_response_alg", "ES256"),
            ("initiate_login_uri", "http://app.example.com/login"),
            ("logo_uri", "javascript:alert(1)"), ("logo_uri", "data:image/png;base64,AA"), ("client_uri", "app"),
            ("policy_uri", "http://app.example.com/"), ("tos_uri", 5), ("client_name", "a<b>"), ("client_name", ""),
            ("client_name", "\u{202E}gpj.exe"), ("client_name", "a\u{2028}refused"),
            ("jwks_uri", "gopher://localhost:6379/x"),
            ("request_uris", ["ldap://localhost/x"]), ("default_max_age", -1), ("default_max_age", "60"),
            ("require_auth_time", "true"), ("contacts", "ops@example.com"), ("default_acr_values", "urn:a"),
            ("post_logout_redirect_uris", ["javascript:x"]), ("client_name#d e", "x"), ("logo_uri#de", "javascript:x"),
            ("subject_type", "banana"),
        ] as [(String, JSONValue)])
    func metadata(_ name: String, _ value: JSONValue) async throws {
        try await TestServer.run(.openRegistration) { server in
            let answer = try await DynamicClient.send(DynamicClient.metadata([name: value]), to: server)
            #expect(answer.status == .badRequest)
            #expect(try answer.json()["error"] == "invalid_client_metadata")
            let description = try #require(try answer.json()["error_description"]?.string)
            // Grant and response types are wrong together.
            let paths = name.hasSuffix("_types") ? ["grant_types", "response_types"] : [name]
            #expect(paths.contains { description.hasPrefix($0) }, "\(description)")
        }
    }

    @Test("RFC 7591 §2.3: software statements are refused by name, not ignored")
    func softwareStatement() async throws {
        try await TestServer.run(.openRegistration) { server in
            let answer = try await DynamicClient.send(
                DynamicClient.metadata(["software_statement": "eyJ.e30."]), to: server)
            #expect(try answer.json()["error"] == "unapproved_software_statement")
        }
    }

    @Test("OIDC Core §10.1: HS256 needs a secret, which alone is then kept readable")
    func symmetric() async throws {
        try await TestServer.run(.openRegistration) { server in
            let client = try await DynamicClient(server, ["id_token_signed_response_alg": "HS256"])
            let sealed = try #require(try await server.services.stores.clients.find(client.clientID)?.sealedSecret)
            #expect(try server.services.secret.box.open(sealed) == client.registration["client_secret"]?.string)
            let refused = try await DynamicClient.send(
                DynamicClient.metadata([
                    "id_token_signed_response_alg": "HS256", "token_endpoint_auth_method": "none",
                ]), to: server)
            #expect(try refused.json()["error"] == "invalid_client_metadata")
        }
    }

    @Test("One address registers a hundred clients an hour, however many attempts run at once")
    func rateLimit() async throws {
        try await TestServer.run(.openRegistration) { server in
            let statuses = try await withThrowingTaskGroup { group in
                for _ in 0..<130 {
                    group.addTask { try await DynamicClient.send(["redirect_uris": []], to: server).status }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.count { $0 == .badRequest } == RegistrationEndpoint.mostPerAddress)
            #expect(statuses.count { $0 == .tooManyRequests } == 130 - RegistrationEndpoint.mostPerAddress)
            server.clock.advance(by: RegistrationEndpoint.window)
            #expect(try await DynamicClient.send(DynamicClient.metadata(), to: server).status == .created)
        }
    }

    @Test("A body that is no JSON object, of another type or too large is refused before anything is made of it")
    func bodies() async throws {
        try await TestServer.run(.openRegistration) { server in
            for body in ["", "[]", "null", "{", #"{"redirect_uris": {"a": 1}}"#, String(repeating: "[", count: 5000)] {
                #expect(try await server.post("/oidc/register", json: body).status == .badRequest)
            }
            let large = try JSON.text(
                DynamicClient.metadata(["client_name#de": .string(String(repeating: "a", count: 40_000))]))
            #expect(try await server.post("/oidc/register", json: large).status == .badRequest)
            let form = try await server.post("/oidc/register", form: [("redirect_uris", Client.callback)])
            #expect(form.status == .badRequest)
            #expect(try form.json()["error"] == "invalid_client_metadata")
        }
    }
}
