import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Management API: connections to other providers, and their users' identities")
struct ManagementProvidersTests {
    private static let gitHub: JSONValue = [
        "name": "github", "strategy": "github", "enabled_clients": ["regular-web-app"],
        "options": ["client_id": "portico", "client_secret": "upstream-secret", "scope": ["user:email"], "gist": true],
    ]

    private static func secrets(_ server: TestServer) async throws -> JSONObject? {
        try await server.services.stores.connections.sealedSecrets(of: "github").map {
            try JSON.decode(JSONObject.self, from: server.services.secret.box.open($0))
        }
    }

    @Test("A connection to GitHub is made with its secret sealed: no answer shows it, unknown options stay")
    func create() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let made = try await management.send(.post, "connections", Self.gitHub)
            #expect(made.status == .created)
            let options = try made.json()["options"]?.object ?? [:]
            #expect(options["client_id"] == "portico")
            #expect(options["gist"] == true)
            #expect(options["client_secret"] == nil)
            #expect(try await Self.secrets(server) == ["client_secret": "upstream-secret"])
            let list = try await management.send(.get, "connections?strategy=github").text
            #expect(list.contains("portico") && !list.contains("upstream-secret"))
            let departure = try await UpstreamLoginTests.depart(TestBrowser(server), ["connection": "github"])
            #expect(departure.query("client_id") == "portico")
        }
    }

    @Test("Options with which nobody could sign in are refused by name, and strategies that there are not")
    func refusals() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let bad: [(JSONValue, String)] = [
                (["name": "a", "strategy": "github", "options": [:]], "options.client_id"),
                (["name": "a", "strategy": "oidc", "options": ["client_id": "x"]], "options.discovery_url"),
                (
                    [
                        "name": "a", "strategy": "oidc",
                        "options": ["client_id": "x", "issuer": "https://x", "type": "x"],
                    ],
                    "options.type"
                ),
                (
                    [
                        "name": "a", "strategy": "oauth2",
                        "options": [
                            "client_id": "x", "authorizationURL": "javascript:alert(1)",
                            "tokenURL": "https://x.example",
                        ],
                    ], "options.authorizationURL"
                ),
                (
                    [
                        "name": "a", "strategy": "github",
                        "options": ["client_id": "x", "upstream_params": ["state": ["value": "mine"]]],
                    ], "options.upstream_params.state"
                ),
                (["name": "a", "strategy": "nonsense", "options": [:]], "strategy"),
            ]
            for (body, path) in bad {
                let answer = try await management.send(.post, "connections", body)
                #expect(answer.status == .badRequest)
                #expect(answer.text.contains(path), "\(answer.text)")
            }
            let twitter = try await management.send(.post, "connections", ["name": "tw", "strategy": "twitter"])
            #expect(twitter.status.code == 501)
        }
    }

    @Test("A secret stays when a change does not name it, and goes when somebody else would be sent it")
    func secretOfChanges() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let path = "connections/\(try await management.post("connections", Self.gitHub)["id"]?.string ?? "")"
            let kept: JSONValue = ["options": ["client_id": "portico", "scope": ["repo"]]]
            #expect(try await management.send(.patch, path, kept).status == .ok)
            #expect(try await Self.secrets(server) == ["client_secret": "upstream-secret"])
            let new: JSONValue = ["options": ["client_id": "portico", "client_secret": "another"]]
            #expect(try await management.send(.patch, path, new).status == .ok)
            #expect(try await Self.secrets(server) == ["client_secret": "another"])
            let moved: JSONValue = ["options": ["client_id": "portico", "base_url": "https://evil.example.com"]]
            #expect(try await management.send(.patch, path, moved).status == .ok)
            #expect(try await Self.secrets(server) == nil)
        }
    }

    @Test("No log event of a change has a secret")
    func audit() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            _ = try await management.post("connections", Self.gitHub)
            #expect(try await server.logTypes().contains("sapi"))
            let logs = try await management.send(.get, "logs").text
            #expect(!logs.contains("upstream-secret"))
        }
    }

    @Test("The provider's tokens are shown to who has read:user_idp_tokens, and to nobody else")
    func tokens() async throws {
        try await TestServer.run(UpstreamLoginTests.fixtures("stand-in")) { server in
            _ = try await UpstreamLoginTests.claims(TestBrowser(server), "user=7&name=Ada")
            let path = "users/stand-in%7C7"
            let plain = try await ManagementClient(server, scope: ["read:users"]).send(.get, path)
            #expect(plain.status == .ok)
            #expect(!plain.text.contains("upstream-token"))
            let all = try await ManagementClient(server, scope: ["read:users", "read:user_idp_tokens"]).get(path)
            let identity = all["identities"]?.array?.first?.object ?? [:]
            #expect(identity["access_token"] == "upstream-token-of-7")
            #expect(identity["provider"] == "stand-in")
            #expect(identity["connection"] == "stand-in")
            let list = try await ManagementClient(server).send(.get, "users").text
            #expect(!list.contains("upstream-token"))
        }
    }
}
