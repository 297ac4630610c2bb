import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("A connection's fetchUserProfile says who has signed in")
struct ProfileScriptTests {
    private static let me = "https://custom.example.com/me"

    private static func fixtures(_ script: String, _ options: JSONObject = [:]) -> Fixtures {
        var fixtures = SocialConnectionTests.fixtures(
            "oauth2",
            [
                "authorizationURL": "https://custom.example.com/authorize",
                "tokenURL": "https://custom.example.com/token", "scripts": ["fetchUserProfile": .string(script)],
            ].merging(options) { $1 })
        fixtures.connections[1].name = "custom"
        fixtures.connectionSecrets = ["custom": ["client_secret": "upstream-secret"]]
        return fixtures
    }

    private static func run(
        _ script: String, _ options: JSONObject = [:], isDevelopment: Bool = true,
        _ body: @Sendable (TestServer, SimulatedWeb) async throws -> Void
    ) async throws {
        let web = SimulatedWeb()
        let token = ["{}", #"{"sub":"from-the-id-token"}"#, "x"].map { Base64URL.encode(Data($0.utf8)) }
        try web.publish(
            [
                "access_token": "abc", "refresh_token": "def", "scope": "read", "account": ["plan": "gold"],
                "id_token": .string(token.joined(separator: ".")),
            ], at: "https://custom.example.com/token")
        try web.publish(["data": ["uid": 42, "mail": "Kim@Example.com"]], at: me)
        try await ScriptedTenant.run(fixtures(script, options), isDevelopment: isDevelopment, outbound: web) { server in
            try await body(server, web)
        }
    }

    private static func arrive(_ server: TestServer) async throws -> TestResponse {
        let browser = TestBrowser(server)
        let departure = try await UpstreamLoginTests.depart(browser, ["connection": "custom"])
        return try await UpstreamLoginTests.arrive(browser, departure, "code=1")
    }

    private static func user(_ id: String, _ server: TestServer) async throws -> User? {
        try await server.services.stores.users.find("oauth2|custom|\(id)")
    }

    /// Whether the connection has no users.
    private static func isStrange(_ server: TestServer) async throws -> Bool {
        try await server.services.stores.users.list(limit: 100).allSatisfy { $0.connection != "custom" }
    }

    @Test("Auth0: the script asks the provider with the access token, and its profile is the user's")
    func template() async throws {
        let script = """
            function(accessToken, ctx, cb) {
              request.get({
                url: 'https://custom.example.com/me',
                headers: { 'Authorization': 'Bearer ' + accessToken }
              }, (err, resp, body) => {
                if (err) return cb(err);
                if (resp.statusCode !== 200) return cb(new Error(body));
                const { data } = JSON.parse(body);
                cb(null, {
                  user_id: data.uid, email: data.mail, email_verified: true, name: 'Kim', plan: ctx.account.plan,
                  app_metadata: { admin: true }, identities: [], blocked: true, logins_count: 7,
                });
              });
            }
            """
        try await Self.run(script) { server, web in
            let answer = try await Self.arrive(server)
            let tokens = try await RelyingParty.regularWebApp(server).redeem(answer.query("code") ?? "").json()
            let claims = tokens["id_token"]?.string?.claims ?? [:]
            #expect(claims["sub"] == "oauth2|custom|42" && claims["name"] == "Kim")
            let asked = try #require(web.requests.last { $0.url == Self.me })
            #expect(asked.headers.contains { $0.name.lowercased() == "authorization" && $0.value == "Bearer abc" })
            let user = try #require(try await Self.user("42", server))
            #expect(user.email == "kim@example.com" && user.isEmailVerified && user.profile["plan"] == "gold")
            #expect(user.appMetadata.isEmpty && !user.isBlocked && user.loginsCount == 1)
            let event = try #require(try await server.logEvents().last { $0.type == "scripts_executed" })
            #expect(event.connection == "custom")
            let run = event.details["scripts"]?.array?.first?.object
            #expect(run?["name"] == "fetchUserProfile of the connection custom")
        }
    }

    @Test(
        "ctx is the token endpoint's answer; of a profile's user_id, sub and id the first counts",
        arguments: [
            (
                "function (accessToken, ctx, cb) { cb(null, { id: jwt.decode(ctx.id_token).sub }); }",
                "from-the-id-token"
            ),
            ("async function fetchUserProfile(token, ctx, cb) { cb(null, { sub: ctx.refresh_token, id: 1 }); }", "def"),
            ("(accessToken, ctx, cb) => cb(null, { user_id: ctx.access_token === accessToken })", nil),
            ("(accessToken, ctx, cb) => cb(null, { user_id: 'first', sub: 'second' })", "first"),
        ] as [(String, String?)])
    func context(script: String, id: String?) async throws {
        try await Self.run(script) { server, _ in
            let answer = try await Self.arrive(server)
            #expect((answer.query("code") != nil) == (id != nil))
            if let id { #expect(try await Self.user(id, server) != nil) }
        }
    }

    @Test(
        "A script that fails lets nobody in; the log names script and line",
        arguments: [
            ("function (accessToken, ctx, cb) {\n  throw new Error('secret of the script');\n}", "line 2: Error"),
            ("function (accessToken, ctx, cb) {\n\n  cb(new Error('secret of the script'));\n}", "line 3: Error"),
            ("function (accessToken, ctx, cb) { cb(null, 'nobody'); }", "must be an object"),
            ("function (accessToken, ctx, cb) { cb(null, [{ id: 1 }]); }", "must be an object"),
            ("function (accessToken, ctx, cb) { }", "never ended"),
            ("function (accessToken, ctx, cb {", "SyntaxError"),
            ("42", "fetchUserProfile is a function"),
            ("async (accessToken, ctx, cb) => { await request.nothing(); }", "TypeError"),
            (
                "(accessToken, ctx, cb) => { Array.isArray = () => false; Object.prototype.then = 1; cb(null, []); }",
                "must be an object"
            ),
        ])
    func failing(script: String, cause: String) async throws {
        try await Self.run(script, isDevelopment: false) { server, _ in
            let refusal = server.refusal(try await Self.arrive(server))
            #expect(refusal.error == "server_error" && !refusal.description.contains("secret"))
            let events = try await server.logEvents()
            let failed = try #require(events.last { $0.type == "actions_execution_failed" })
            #expect(failed.description?.hasPrefix("fetchUserProfile of the connection custom: ") == true)
            #expect(failed.description?.contains(cause) == true, "\(failed.description ?? "")")
            #expect(events.contains { $0.type == "f" && $0.description?.contains(cause) == true })
            let isStrange = try await Self.isStrange(server)
            #expect(isStrange)
        }
    }

    @Test(
        "A profile that is no user's lets nobody in: no id, one that is none, and one that the script only seems to give"
    )
    func noUser() async throws {
        for profile in ["{}", "{ user_id: 'a b' }", "{ user_id: {} }", "{ user_id: '' }", "{ __proto__: { id: 1 } }"] {
            try await Self.run("(accessToken, ctx, cb) => cb(null, \(profile))") { server, _ in
                let error = try await Self.arrive(server).query("error")
                #expect(error == "server_error" || error == "access_denied")
                let isStrange = try await Self.isStrange(server)
                #expect(isStrange)
            }
        }
    }

    @Test("An UnauthorizedError is the script's word that somebody may not come in, and the application is told it")
    func denial() async throws {
        try await Self.run("(token, ctx, cb) => cb(new UnauthorizedError('Not from here'))", isDevelopment: false) {
            server, _ in
            let refusal = server.refusal(try await Self.arrive(server))
            #expect(refusal.error == "access_denied" && refusal.description == "Not from here")
        }
    }

    @Test("A script has no say in other users, and none in what portico_profile says already")
    func boundaries() async throws {
        try await Self.run("(token, ctx, cb) => cb(null, { id: typeof auth0 + typeof configuration })") { server, _ in
            let answer = try await Self.arrive(server)
            #expect(answer.query("code") != nil)
            #expect(try await Self.user("undefinedundefined", server) != nil)
        }
        let options: JSONObject = ["portico_profile": ["url": .string(Self.me), "map": ["user_id": "data.uid"]]]
        try await Self.run("(token, ctx, cb) => cb(null, { id: 'script' })", options) { server, _ in
            let answer = try await Self.arrive(server)
            #expect(answer.query("code") != nil)
            #expect(try await Self.user("42", server) != nil)
        }
    }

    @Test("The Management API refuses a script that is no text, or longer than Auth0's 51200 bytes")
    func limits() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            func make(_ script: JSONValue) async throws -> JSONObject {
                try await management.post(
                    "connections",
                    [
                        "name": "custom", "strategy": "oauth2",
                        "options": [
                            "authorizationURL": "https://custom.example.com/authorize", "client_id": "portico",
                            "tokenURL": "https://custom.example.com/token", "scripts": ["fetchUserProfile": script],
                        ],
                    ])
            }
            for script in [.integer(1), .string(String(repeating: "/", count: 51_201))] as [JSONValue] {
                let answer = try await make(script)
                #expect(answer["message"]?.string?.contains("fetchUserProfile") == true, "\(answer)")
            }
            #expect(try await make(.string(String(repeating: "/", count: 51_200)))["id"] != nil)
        }
    }
}
