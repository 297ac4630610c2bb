import AuthorizationServer
import Foundation
import OAuth
import Storage
import StorageTesting
import TenantConfiguration
import Testing

@Suite("Secrets of a tenant file")
struct SecretTests {
    private static let secret = "a-very-secret-secret-0123456789"
    private static let signing = "a-signing-secret-0123456789"

    @Test("No secret of the file stands in its plan, in the outcome, in an export, or in the clear in the database")
    func nowhere() async throws {
        try await Tenant.run { tenant in
            let yaml = """
                clients:
                  - {name: Post, client_secret: ##SECRET##}
                  - {name: Signer, client_secret: ##SECRET##, jwt_configuration: {alg: HS256}}
                resourceServers:
                  - {identifier: api, signing_alg: HS256, signing_secret: ##SIGNING##}
                connections:
                  - name: github
                    strategy: github
                    options: {client_id: visible, client_secret: ##SECRET##, scope: [email]}
                databases:
                  - name: Users
                    options: {configuration: {token: ##SECRET##}, customScripts: {login: function}}
                """
            let environment = ["SECRET": Self.secret, "SIGNING": Self.signing]
            let plan = try await tenant.plan(yaml, environment)
            let outcome = try await plan.apply(to: tenant.stores, at: Tenant.now)
            let export = try await tenant.export()
            let database = try await tenant.stores.database.storedBytes()
            #expect(database.range(of: Data("visible".utf8)) != nil)
            for secret in [Self.secret, Self.signing] {
                #expect(!plan.text.contains(secret))
                #expect(!outcome.text.contains(secret))
                #expect(!export.contains(secret))
                #expect(database.range(of: Data(secret.utf8)) == nil)
            }
            #expect(plan.text.contains("options.configuration: (set)"))
            #expect(plan.text.contains("client_secret: (set)") && plan.text.contains("signing_secret: (set)"))
            #expect(
                plan.notApplied.filter { $0.contains("not kept") } == [
                    "tenant.yaml:9: connections[0].options.client_secret: not kept; "
                        + "it is a secret that this version does not use"
                ])
            #expect(try await tenant.plan(yaml, environment).isEmpty)
            #expect(try await tenant.stores.connections.find(name: "github")?.options["scope"] == ["email"])
        }
    }

    @Test("Settings of other providers lose their secrets in any spelling, shape and depth, and keep their switches")
    func spellings() {
        let (kept, paths) = ForeignSecrets.removed(
            from: [
                "client_id": "a", "Client_Secret": "x", "CLIENTSECRET": 7, "api-key": ["x"], "privateKey": ["pem": "x"],
                "apps": [["name": "b", "appSecret": "x"], [["password": "x"]]], "Configuration": ["url": "x"],
                "authentication_methods": ["password": ["enabled": true, "api_behavior": "required"]],
                "password": true, "secret": [], "methods": ["password": ["value": "x"]],
            ], path: "options")
        let expected: JSONObject = [
            "client_id": "a", "apps": [["name": "b"], [[:]]], "password": true, "secret": [], "methods": [:],
            "authentication_methods": ["password": ["enabled": true, "api_behavior": "required"]],
        ]
        #expect(kept == expected)
        #expect(
            Set(paths) == [
                "options.Client_Secret", "options.CLIENTSECRET", "options.api-key", "options.privateKey",
                "options.apps[0].appSecret", "options.apps[1][0].password", "options.Configuration",
                "options.methods.password",
            ])
    }

    @Test("A client's secret is kept as its digest, and sealed only where HS256 signs with it")
    func digest() async throws {
        try await Tenant.run { tenant in
            func yaml(_ algorithm: String) -> String {
                "clients: [{name: A, client_secret: \(Self.secret), jwt_configuration: {alg: \(algorithm)}}]"
            }
            try await tenant.apply(yaml("RS256"))
            var client = try #require(try await tenant.client("A"))
            #expect(client.secretDigest == Secret(Self.secret).digest)
            #expect(client.sealedSecret == nil)

            try await tenant.apply(yaml("HS256"))
            client = try #require(try await tenant.client("A"))
            #expect(client.sealedSecret.flatMap { try? Tenant.box.open($0) } == Self.secret)

            try await tenant.apply(yaml("RS256"))
            client = try #require(try await tenant.client("A"))
            #expect(client.sealedSecret == nil)
            #expect(client.secretDigest == Secret(Self.secret).digest)
        }
    }

    @Test("An API's signing secret is sealed where it uses HS256, and goes with HS256")
    func signingSecret() async throws {
        try await Tenant.run { tenant in
            func yaml(_ algorithm: String, _ secret: String = Self.signing) -> String {
                "resourceServers: [{identifier: api, signing_alg: \(algorithm), signing_secret: \(secret)}]"
            }
            try await tenant.apply(yaml("RS256"))
            #expect(try await tenant.resourceServers().first?.sealedSigningSecret == nil)
            #expect(try await tenant.plan(yaml("RS256")).isEmpty)
            try await tenant.apply(yaml("HS256"))
            let sealed = try await tenant.resourceServers().first?.sealedSigningSecret
            #expect(sealed.flatMap { try? Tenant.box.open($0) } == Self.signing)
            #expect(try await tenant.plan(yaml("HS256")).isEmpty)
            let changed = try await tenant.plan(yaml("HS256", "another-signing-secret"))
            #expect(changed.differences(of: "api") == ["signing_secret: (changed)"])
            try await tenant.apply(yaml("RS256"))
            #expect(try await tenant.resourceServers().first?.sealedSigningSecret == nil)
        }
    }

    @Test("A secret is made for an application that has none, and told once")
    func generated() async throws {
        try await Tenant.run { tenant in
            let yaml = """
                clients: [{name: A}, {name: B, app_type: spa}, {name: C, client_secret: \(Self.secret)}]
                resourceServers: [{identifier: api, signing_alg: HS256}]
                """
            let plan = try await tenant.plan(yaml)
            let secrets = plan.changes.compactMap(\.generatedSecret)
            #expect(secrets.count == 2)
            #expect(!secrets.contains { plan.text.contains($0) || $0.utf8.count < 43 })
            let outcome = try await plan.apply(to: tenant.stores, at: Tenant.now)
            #expect(
                outcome.text.split(separator: "\n").dropFirst() == [
                    "signing_secret of api, shown this once: \(secrets[0])",
                    "client_secret of A, shown this once: \(secrets[1])",
                ])
            #expect(try await tenant.client("A")?.secretDigest == Secret(secrets[1]).digest)
            #expect(try await tenant.client("B")?.secretDigest == nil)
            #expect(try await tenant.plan(yaml).isEmpty)
        }
    }

    @Test("An application that becomes confidential gets a secret too")
    func becomesConfidential() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply("clients: [{name: A, app_type: spa}]")
            let yaml = "clients: [{name: A, app_type: regular_web, token_endpoint_auth_method: client_secret_post}]"
            let outcome = try await tenant.apply(yaml)
            let secret = try #require(outcome.changes.first?.generatedSecret)
            #expect(try await tenant.client("A")?.secretDigest == Secret(secret).digest)
            #expect(try await tenant.plan(yaml).isEmpty)
        }
    }

    @Test("A changed secret is a change without its value; the same one is none; one left out stays")
    func rotation() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply("clients: [{name: A, client_secret: \(Self.secret)}]")
            #expect(try await tenant.plan("clients: [{name: A, client_secret: \(Self.secret)}]").isEmpty)
            #expect(try await tenant.plan("clients: [{name: A}]").isEmpty)
            let plan = try await tenant.plan("clients: [{name: A, client_secret: \(Self.signing)}]")
            #expect(plan.differences(of: "A") == ["client_secret: (changed)"])
            _ = try await plan.apply(to: tenant.stores, at: Tenant.now)
            #expect(try await tenant.client("A")?.secretDigest == Secret(Self.signing).digest)
        }
    }

    @Test("A secret that is short, no text, or missing for HS256 is refused with what to do")
    func refused() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply("clients: [{name: Old}]")
            let problems = try await tenant.problems(
                """
                resourceServers:
                  - {identifier: a, signing_alg: HS256, signing_secret: short}
                  - {identifier: b, signing_alg: HS256, signing_secret: 12345678901234567890}
                clients:
                  - {name: A, client_secret: short}
                  - {name: B, client_secret: 12345678901234567890}
                  - {name: Old, jwt_configuration: {alg: HS256}}
                """)
            #expect(
                problems == [
                    "tenant.yaml:2: resourceServers[0].signing_secret: is shorter than 16 characters; "
                        + "make one with: openssl rand -base64 48",
                    "tenant.yaml:3: resourceServers[1].signing_secret: must be a text; put it in quotes",
                    "tenant.yaml:5: clients[0].client_secret: is shorter than 16 characters; "
                        + "make one with: openssl rand -base64 48",
                    "tenant.yaml:6: clients[1].client_secret: must be a text; put it in quotes",
                    "tenant.yaml:7: clients[2].client_secret: is needed here because HS256 signs tokens with it; "
                        + "give it, or use RS256",
                ])
            // Digits from the environment lose none of them.
            try await tenant.apply(
                "clients: [{name: D, client_secret: ##DIGITS##}]", ["DIGITS": "01234567890123456789"])
            #expect(try await tenant.client("D")?.secretDigest == Secret("01234567890123456789").digest)
        }
    }
}
