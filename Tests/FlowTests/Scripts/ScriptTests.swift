import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Scripting
import Storage
import TestSupport
import Testing

@Suite("Where rules and actions cannot run they keep everybody out")
struct ScriptTests {
    private static let none = NoScriptEngine(reason: "there is no sandbox")

    /// Binds a deployed action to a trigger.
    static func bind(_ name: String, to trigger: ActionTrigger, _ server: TestServer) async throws {
        let management = try await ManagementClient(server)
        let made = try await management.post(
            "actions/actions",
            ["name": .string(name), "supported_triggers": [["id": .string(trigger.rawValue)]], "deploy": true])
        #expect(made["id"] != nil)
        let bound = try await management.patch(
            "actions/triggers/\(trigger.rawValue)/bindings",
            ["bindings": [["ref": ["type": "action_name", "value": .string(name)]]]])
        #expect(bound["bindings"]?.array?.count == 1)
    }

    private static func addRule(_ server: TestServer, isEnabled: Bool = true) async throws -> String {
        let rule = try await ManagementClient(server).post(
            "rules", ["name": "Keep out", "script": "x", "enabled": .bool(isEnabled)])
        return try #require(rule["id"]?.string)
    }

    private static func description(_ answer: AuthorizationAnswer) -> String {
        (answer["error_description"] ?? "").replacing("+", with: " ")
    }

    @Test(
        "A login that a rule has a say in ends with server_error, in the mode of its response",
        arguments: [
            ["response_type": "code"], ["response_type": "code id_token", "nonce": "n"],
            ["response_type": "id_token token", "nonce": "n"],
            ["response_type": "code", "response_mode": "form_post"],
        ])
    func logins(_ changes: [String: String]) async throws {
        var fixtures = Fixtures()
        fixtures.change("regular-web-app") { $0.grantTypes.insert(.implicit) }
        try await TestServer.run(fixtures, scripts: Self.none) { server in
            _ = try await Self.addRule(server)
            let browser = TestBrowser(server)
            let party = RelyingParty.regularWebApp(server)
            let optional = changes.mapValues { Optional($0) }
            let response = try await party.authorize(browser, optional)
            let answer = AuthorizationAnswer(response)
            #expect(answer["error"] == "server_error" && answer["state"] == "xyzABC123")
            #expect(answer["code"] == nil && answer["id_token"] == nil && answer["access_token"] == nil)
            #expect(Self.description(answer).contains("rule Keep out"))
            #expect(Self.description(answer).contains("could not run"))
            #expect((response.location?.contains("#") == true) == (changes["response_type"] != "code"))

            // The session is there, and silent authentication is refused as well.
            let silent = AuthorizationAnswer(
                try await browser.get(party.authorizationURL(optional.merging(["prompt": "none"]) { $1 })))
            #expect(silent["error"] == "server_error")
            let events = try await server.logEvents()
            for type in ["f", "fsa"] {
                let event = try #require(events.last { $0.type == type })
                #expect(event.details["scripts"] == ["rule Keep out"])
            }
        }
    }

    @Test("In production nobody but the log hears a script's name")
    func production() async throws {
        try await TestServer.run(isDevelopment: false, scripts: Self.none) { server in
            _ = try await Self.addRule(server)
            let answer = AuthorizationAnswer(
                try await RelyingParty.regularWebApp(server).authorize(TestBrowser(server)))
            #expect(answer["error"] == "server_error")
            #expect(!Self.description(answer).contains("Keep out"))
        }
    }

    @Test("A rule that is disabled and an action that is not bound hold nobody up, from the next request on")
    func disabled() async throws {
        try await TestServer.run(scripts: Self.none) { server in
            let management = try await ManagementClient(server)
            let id = try await Self.addRule(server)
            let (party, browser) = (RelyingParty.regularWebApp(server), TestBrowser(server))
            #expect(AuthorizationAnswer(try await party.authorize(browser))["error"] == "server_error")
            _ = try await management.patch("rules/\(id)", ["enabled": false])
            #expect(try await party.authorize(browser).query("code") != nil)
            try await Self.bind("Roles", to: .postLogin, server)
            let held = AuthorizationAnswer(try await party.authorize(browser))
            #expect(Self.description(held).contains("action Roles (post-login)"))
            _ = try await management.patch("actions/triggers/post-login/bindings", ["bindings": []])
            #expect(try await party.authorize(browser).query("code") != nil)
            try await Self.bind("Sign-up", to: .preUserRegistration, server)
            #expect(try await party.authorize(browser).query("code") != nil)
        }
    }

    @Test(
        "The token endpoint refuses refresh tokens and passwords, which lose nothing by it, and a code that was given before is good"
    )
    func tokenEndpoint() async throws {
        var fixtures = PasswordGrantTests.fixtures()
        fixtures.clients.append((.television, nil))
        fixtures.connections[0].enabledClients.insert("television")
        try await TestServer.run(fixtures, scripts: Self.none) { server in
            let (party, television) = (RelyingParty.singlePageApp(server), RelyingParty.television(server))
            let tokens = try await party.tokens(["scope": "openid offline_access", "audience": "appointments:api"])
            let refresh = try #require(tokens["refresh_token"]?.string)
            let code = try await party.code()
            let (deviceCode, userCode) = try await DeviceFlowTests.begin(television)
            let (laterCode, laterUserCode) = try await DeviceFlowTests.begin(television)
            _ = try await DeviceFlowTests.letIn(TestBrowser(server), userCode)

            let id = try await Self.addRule(server)
            let refused = try await party.refresh(refresh)
            #expect(refused.status == .internalServerError)
            #expect(try refused.json()["error"] == "server_error")
            #expect(try refused.json()["hint"]?.string?.contains("rule Keep out") == true)
            let password = try await PasswordGrantTests.logIn(.regularWebApp(server))
            #expect(password.status == .internalServerError)
            // Whoever was let in before is, as at Auth0: scripts run as the user signs in.
            #expect(try await party.redeem(code).status == .ok)
            #expect(try await DeviceFlowTests.poll(television, deviceCode).status == .ok)
            let device = try await DeviceFlowTests.letIn(TestBrowser(server), laterUserCode)
            #expect(device.location?.contains("error=server_error") == true)
            #expect(try await DeviceFlowTests.poll(television, laterCode).status != .ok)
            // Machines have other scripts.
            let machine = try await RelyingParty.machine(server).token(
                ["grant_type": "client_credentials", "audience": "appointments:api"])
            #expect(machine.status == .ok)

            _ = try await ManagementClient(server).patch("rules/\(id)", ["enabled": false])
            #expect(try await party.refresh(refresh).status == .ok)
            let types = try await server.logTypes()
            #expect(types.contains("fertft") && types.contains("fepft") && types.contains("fdeac"))
        }
    }

    @Test("Client credentials and token exchange have their own triggers")
    func otherGrants() async throws {
        try await TestServer.run(TokenExchangeTests.fixtures(), scripts: Self.none) { server in
            let token = try await TokenExchangeTests.userToken(server)
            let api = RelyingParty.appointmentsAPI(server)
            func exchange() async throws -> TestResponse {
                try await TokenExchangeTests.exchange(api, token, ["audience": "rooms:api"])
            }
            func machine() async throws -> TestResponse {
                try await RelyingParty.machine(server).token(
                    ["grant_type": "client_credentials", "audience": "appointments:api"])
            }
            #expect(try await exchange().status == .ok)
            try await Self.bind("For machines", to: .credentialsExchange, server)
            let refused = try await machine()
            #expect(refused.status == .internalServerError)
            #expect(try refused.json()["hint"]?.string?.contains("For machines (credentials-exchange)") == true)
            #expect(try await exchange().status == .ok)
        }
        try await TestServer.run(TokenExchangeTests.fixtures(), scripts: Self.none) { server in
            let token = try await TokenExchangeTests.userToken(server)
            _ = try await Self.addRule(server)
            let refused = try await TokenExchangeTests.exchange(
                .appointmentsAPI(server), token, ["audience": "rooms:api"])
            #expect(refused.status == .internalServerError)
        }
    }

    @Test("Nobody signs up past an action that may refuse them")
    func signup() async throws {
        try await TestServer.run(scripts: Self.none) { server in
            try await Self.bind("Staff alone", to: .preUserRegistration, server)
            let browser = TestBrowser(server)
            let started = try await browser.get(
                RelyingParty.regularWebApp(server).authorizationURL(["screen_hint": "signup"]))
            let answer = try await browser.submit(
                started, [("email", "new@example.com"), ("password", "Difference-Engine-1822"), ("action", "default")])
            #expect(answer.status.code >= 400 && answer.text.contains("Staff alone"))
            let found = try await server.services.stores.users.find(
                connection: Connection.database.name, identifier: "new@example.com")
            #expect(found == nil)
            let event = try #require(try await server.logEvents().last { $0.type == "fs" })
            #expect(event.details["scripts"] == ["action Staff alone (pre-user-registration)"])
        }
    }
}
