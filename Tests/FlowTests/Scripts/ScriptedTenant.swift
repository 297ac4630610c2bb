import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Scripting
import Storage
import TestSupport
import Testing

/// A tenant whose scripts run, in the real sandbox.
enum ScriptedTenant {
    /// Workers that no hostile script of another test keeps busy, with time for a machine that is.
    private static let pool: ScriptPool = {
        var settings = TestWorkers.settings(size: 4)
        settings.limits = ScriptLimits(cpu: .seconds(10), wall: .seconds(20))
        return ScriptPool(settings)
    }()

    /// Starts a server with an engine.
    /// - Parameter places: where addresses are; such a server believes what its proxy says of them. nil for a server without.
    static func run(
        _ fixtures: Fixtures = Fixtures(), isDevelopment: Bool = true, outbound: (any OutboundHTTP)? = nil,
        places: (any AddressPlaces)? = nil, _ body: @Sendable (TestServer) async throws -> Void
    ) async throws {
        try await TestServer.run(
            fixtures, isDevelopment: isDevelopment, outbound: outbound, proxy: places.map { _ in TestProxy() },
            scripts: pool, places: places ?? NoAddressPlaces(), body)
    }

    /// The usual tenant, with every grant that scripts have a say in.
    static var everyGrant: Fixtures {
        var fixtures = PasswordGrantTests.fixtures()
        fixtures.clients.append((.television, nil))
        fixtures.connections[0].enabledClients.insert("television")
        fixtures.change("regular-web-app") { $0.grantTypes.formUnion([.implicit, .refreshToken]) }
        return fixtures
    }
}

extension TestServer {
    /// Adds a rule behind the others.
    @discardableResult
    func addRule(_ script: String, name: String = "Rule", isEnabled: Bool = true) async throws -> String {
        let rule = try await ManagementClient(self).post(
            "rules", ["name": .string(name), "script": .string(script), "enabled": .bool(isEnabled)])
        return try #require(rule["id"]?.string)
    }

    /// Deploys actions and binds them, in this order and in place of those that are bound there.
    func bind(
        _ actions: [(name: String, code: String)], to trigger: ActionTrigger = .postLogin, secrets: JSONObject = [:]
    ) async throws {
        let management = try await ManagementClient(self)
        for (name, code) in actions {
            let made = try await management.post(
                "actions/actions",
                [
                    "name": .string(name), "code": .string(code), "deploy": true,
                    "supported_triggers": [["id": .string(trigger.rawValue)]],
                    "secrets": .array(secrets.map { ["name": .string($0.key), "value": $0.value] }),
                ])
            #expect(made["id"] != nil)
        }
        let bindings = actions.map { action -> JSONValue in
            ["ref": ["type": "action_name", "value": .string(action.name)]]
        }
        let bound = try await management.patch(
            "actions/triggers/\(trigger.rawValue)/bindings", ["bindings": .array(bindings)])
        #expect(bound["bindings"]?.array?.count == actions.count)
    }

    /// Binds an action whose handler has this body, with `event` and `api`.
    func bind(_ body: String, to trigger: ActionTrigger = .postLogin, secrets: JSONObject = [:]) async throws {
        let words = trigger.rawValue.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }
        try await bind(
            [(name: "Action", code: "exports.onExecute\(words.joined()) = async (event, api) => {\n\(body)\n};")],
            to: trigger, secrets: secrets)
    }

    /// What the application reads of an error.
    func refusal(_ response: TestResponse) -> (error: String?, description: String) {
        let answer = AuthorizationAnswer(response)
        return (answer["error"], (answer["error_description"] ?? "").replacing("+", with: " "))
    }
}
