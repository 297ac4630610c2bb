import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Actions at post-login and credentials-exchange")
struct ActionTests {
    private static func login(_ server: TestServer, _ changes: [String: String?] = [:]) async throws -> TestResponse {
        try await RelyingParty.regularWebApp(server).authorize(TestBrowser(server), changes)
    }

    private static func idToken(_ server: TestServer, _ changes: [String: String?] = [:]) async throws -> JSONObject {
        let tokens = try await RelyingParty.regularWebApp(server).tokens(changes)
        return try #require(tokens["id_token"]?.string).claims
    }

    @Test("An action sees the event with user, application, connection, request, session, transaction and tenant")
    func event() async throws {
        var fixtures = Fixtures()
        fixtures.change("regular-web-app") { $0.other["client_metadata"] = ["tier": "1"] }
        try await ScriptedTenant.run(fixtures) { server in
            try await server.bind("api.idToken.setCustomClaim('https://x/event', event);", secrets: ["KEY": "hidden"])
            let claims = try await Self.idToken(
                server, ["audience": "appointments:api", "scope": "openid appointments", "ui_locales": "de en"])
            let event = try #require(claims["https://x/event"]?.object)
            func member(_ path: String...) -> JSONValue? {
                path.reduce(JSONValue.object(event)) { $0?.object?[$1] }
            }
            #expect(member("user", "user_id") == "auth0|aaaaaaaaaaaaaaaaaaaaaaaa")
            #expect(member("user", "app_metadata") == [:] && member("user", "identities")?.array?.count == 1)
            #expect(member("client", "client_id") == "regular-web-app" && member("client", "metadata", "tier") == "1")
            #expect(member("connection", "strategy") == "auth0" && member("connection", "id") == "con_0123456789abcdef")
            #expect(member("resource_server", "identifier") == "appointments:api")
            #expect(member("request", "method") == "GET" && member("request", "hostname") == "login.example.com")
            #expect(member("request", "query", "audience") == "appointments:api")
            #expect(member("transaction", "protocol") == "oidc-basic-profile")
            #expect(member("transaction", "requested_scopes") == ["openid", "appointments"])
            #expect(member("transaction", "redirect_uri") == .string(Client.callback))
            #expect(member("transaction", "response_type") == ["code"] && member("transaction", "state") == "xyzABC123")
            #expect(member("transaction", "ui_locales") == ["de", "en"])
            #expect(member("session", "id") == claims["sid"])
            #expect(member("stats", "logins_count") == 1 && member("tenant", "id") == "login")
            #expect(member("authentication", "methods")?.array?.first?.object?["name"] == "pwd")
            #expect(member("secrets", "KEY") == "hidden")
        }
    }

    @Test("Scopes are added and removed, in the order of the actions; what is removed does not come back by refreshing")
    func scopes() async throws {
        try await ScriptedTenant.run { server in
            try await server.bind([
                (
                    name: "One",
                    code: "exports.onExecutePostLogin = async (event, api) => { "
                        + "api.accessToken.addScope('extra').accessToken.removeScope('contacts'); };"
                ),
                (
                    name: "Two",
                    code: "exports.onExecutePostLogin = async (event, api) => { api.accessToken.removeScope('extra');"
                        + " api.accessToken.addScope('last'); };"
                ),
            ])
            let party = RelyingParty.regularWebApp(server)
            let tokens = try await party.tokens([
                "audience": "appointments:api", "scope": "openid appointments contacts offline_access",
            ])
            #expect(tokens["scope"] == "openid appointments offline_access last")
            _ = try await ManagementClient(server).patch("actions/triggers/post-login/bindings", ["bindings": []])
            let refreshed = try await party.refresh(try #require(tokens["refresh_token"]?.string)).json()
            #expect(refreshed["scope"] == "openid appointments offline_access")
        }
    }

    @Test("Who denies is the last one to run, and the application reads the reason; metadata set before is kept")
    func denial() async throws {
        try await ScriptedTenant.run(isDevelopment: false) { server in
            try await server.bind([
                (
                    name: "One",
                    code: "exports.onExecutePostLogin = async (event, api) => { "
                        + "api.user.setAppMetadata('tries', 1); api.access.deny('Members only'); };"
                ),
                (name: "Two", code: "exports.onExecutePostLogin = async () => { throw new Error('reached'); };"),
            ])
            let refusal = server.refusal(try await Self.login(server))
            #expect(refusal.error == "access_denied" && refusal.description == "Members only")
            let user = try await server.services.stores.users.find("auth0|aaaaaaaaaaaaaaaaaaaaaaaa")
            #expect(user?.appMetadata == ["tries": 1])
        }
    }

    @Test("Metadata is merged once at the end, null takes away, and the actions that follow see it")
    func metadata() async throws {
        var fixtures = Fixtures()
        fixtures.users[0].0.appMetadata = ["old": true, "kept": "yes"]
        try await ScriptedTenant.run(fixtures) { server in
            try await server.bind([
                (
                    name: "One",
                    code: "exports.onExecutePostLogin = async (event, api) => { api.user.setAppMetadata('old', null);"
                        + " api.user.setAppMetadata('n', 1); api.user.setAppMetadata('n', { m: 2 });"
                        + " api.user.setUserMetadata('color', 'blue'); api.transaction.setMetadata('note', 'passed'); };"
                ),
                (
                    name: "Two",
                    code: "exports.onExecutePostLogin = async (event, api) => { "
                        + "api.idToken.setCustomClaim('seen', [event.user.app_metadata, event.transaction.metadata]); };"
                ),
            ])
            let claims = try await Self.idToken(server)
            #expect(claims["seen"] == [["kept": "yes", "n": ["m": 2]], ["note": "passed"]])
            let user = try await server.services.stores.users.find("auth0|aaaaaaaaaaaaaaaaaaaaaaaa")
            #expect(user?.appMetadata == ["kept": "yes", "n": ["m": 2]] && user?.userMetadata == ["color": "blue"])
        }
    }

    @Test("What an action puts aside is there at its next run, and at no other trigger")
    func cache() async throws {
        try await ScriptedTenant.run { server in
            try await server.bind(
                """
                const found = api.cache.get('n');
                api.idToken.setCustomClaim('found', found ? found.value : 'nothing');
                api.idToken.setCustomClaim('kept', api.cache.set('n', '1', { ttl: 60000 }).type);
                api.idToken.setCustomClaim('large', api.cache.set('big', 'x'.repeat(5000)).code);
                """)
            let first = try await Self.idToken(server)
            #expect(first["found"] == "nothing" && first["kept"] == "success" && first["large"] == "ItemSizeExceeded")
            #expect(try await Self.idToken(server)["found"] == "1")
        }
    }

    @Test("What this server has nothing for fails the login by name, also where the action catches the error")
    func missing() async throws {
        for call in [
            "api.prompt.render('ap_1')", "api.groups.hasGroupMembership(['a'])",
            "api.samlResponse.setAttribute('a', 'b')",
        ] {
            try await ScriptedTenant.run { server in
                try await server.bind("try { \(call); } catch (error) {}")
                let refusal = server.refusal(try await Self.login(server))
                let name = call.prefix { $0 != "(" }
                #expect(refusal.error == "access_denied" && refusal.description.contains(name))
            }
        }
    }

    @Test(
        "An action without the trigger's handler, with a module that there is not or that does not parse lets nobody in"
    )
    func broken() async throws {
        for (code, cause) in [
            ("exports.onExecute = async () => {};", "exports.onExecutePostLogin is not a function"),
            ("const x = require('left-pad');", "Cannot find module 'left-pad'"), ("}{", "SyntaxError"),
            ("exports.onExecutePostLogin = async () => { await Promise.reject(new RangeError('no')); };", "RangeError"),
        ] {
            try await ScriptedTenant.run { server in
                try await server.bind([(name: "Broken", code: code)])
                let refusal = server.refusal(try await Self.login(server))
                #expect(refusal.error == "access_denied" && refusal.description.contains(cause), "\(refusal)")
            }
        }
    }

    @Test("credentials-exchange: a machine's token gets claims, or is denied with the code that the action names")
    func machines() async throws {
        try await ScriptedTenant.run { server in
            let management = try await ManagementClient(server)
            let machine = RelyingParty.machine(server)
            let parameters = ["grant_type": "client_credentials", "audience": "appointments:api"]
            let code = """
                exports.onExecuteCredentialsExchange = async (event, api) => {
                  if (event.client.client_id !== 'machine') return;
                  if (event.request.body.scope === 'read:notes') api.access.deny('invalid_scope', 'Not these');
                  api.accessToken.setCustomClaim('https://x/seen', [event.resource_server.identifier,
                    event.accessToken.scope, event.request.body.client_secret === undefined]);
                };
                """
            let made = try await management.post(
                "actions/actions",
                [
                    "name": "Machines", "code": .string(code), "deploy": true,
                    "supported_triggers": [["id": "credentials-exchange"]],
                ])
            #expect(made["id"] != nil)
            _ = try await management.patch(
                "actions/triggers/credentials-exchange/bindings",
                ["bindings": [["ref": ["type": "action_name", "value": "Machines"]]]])
            let token = try await machine.token(parameters.mapValues { Optional($0) }).json()
            let claims = try #require(token["access_token"]?.string).claims
            #expect(claims["https://x/seen"] == ["appointments:api", ["appointments", "read:notes"], true])
            let denied = try await machine.token(
                parameters.mapValues { Optional($0) }.merging(["scope": "read:notes"]) { $1 })
            #expect(try denied.json()["error"] == "invalid_scope")
            #expect(try denied.json()["error_description"] == "Not these")
            #expect(try await server.logTypes().contains("feccft"))
        }
    }

    @Test("fetch goes out through the server's guarded client: what that refuses the script is told")
    func fetch() async throws {
        let web = SimulatedWeb()
        web.put(#"{"roles":["clerk"]}"#, at: "https://roles.example.com/of?user=ada")
        try await ScriptedTenant.run(outbound: web) { server in
            try await server.bind(
                """
                const answer = await fetch('https://roles.example.com/of?user=ada', { method: 'POST',
                  headers: { authorization: 'Bearer key', host: 'evil' }, body: 'x' });
                api.idToken.setCustomClaim('answer', [answer.status, await answer.json()]);
                try { await fetch('https://nowhere.example.com/'); }
                catch (error) { api.idToken.setCustomClaim('failure', String(error.message)); }
                """)
            let claims = try await Self.idToken(server)
            #expect(claims["answer"] == [200, ["roles": ["clerk"]]])
            #expect(claims["failure"]?.string?.contains("no such host") == true)
            let request = try #require(web.requests.first)
            guard case .custom("POST", let body) = request.method else { throw CancellationError() }
            #expect(body == Data("x".utf8))
            #expect(request.headers.contains { $0.name.lowercased() == "authorization" && $0.value == "Bearer key" })
            #expect(!request.headers.contains { $0.name.lowercased() == "host" })
        }
    }
}
