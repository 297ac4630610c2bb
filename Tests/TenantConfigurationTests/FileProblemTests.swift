import OAuth
import Storage
import TenantConfiguration
import Testing

@Suite("Problems of a tenant file")
struct FileProblemTests {
    @Test("A misspelt field is named with its line and the field that was meant, at any depth")
    func misspelt() async throws {
        try await Tenant.run { tenant in
            let problems = try await tenant.problems(
                """
                tenant:
                  friendly_nam: Shop
                resourceServers:
                  - name: Orders
                    identifier: orders
                    token_lifetim: 60
                    scopes:
                      - value: read
                        descripton: Read
                clients:
                  - name: Web
                    client_secret: web-secret-0123456789
                    allowed_logout_url: []
                    refresh_token:
                      rotation_typ: rotating
                databases:
                  - name: Users
                    enabled_client: []
                roles:
                  - name: Clerk
                    permisions: []
                """)
            let expected = [
                "tenant.yaml:2: tenant.friendly_nam: *; did you mean friendly_name?",
                "tenant.yaml:9: resourceServers[0].scopes[0].descripton: *; did you mean description?",
                "tenant.yaml:6: resourceServers[0].token_lifetim: *; did you mean token_lifetime?",
                "tenant.yaml:15: clients[0].refresh_token.rotation_typ: *; did you mean rotation_type?",
                "tenant.yaml:13: clients[0].allowed_logout_url: *; did you mean allowed_logout_urls?",
                "tenant.yaml:18: databases[0].enabled_client: *; did you mean enabled_clients?",
                "tenant.yaml:21: roles[0].permisions: *; did you mean permissions?",
            ]
            let meaning = "is no field that Portico knows here; remove it or check its spelling"
            #expect(problems == expected.map { $0.replacing("*", with: meaning) })
        }
    }

    @Test("A field that is like none gets no far-fetched suggestion")
    func unlike() async throws {
        try await Tenant.run { tenant in
            let problems = try await tenant.problems(
                "clients:\n  - name: A\n    app_type: spa\n    zebra: 1\nzebra: []\n")
            #expect(problems == ["tenant.yaml:5: zebra: is no kind of resource"])
            let field = try await tenant.problems("clients:\n  - name: A\n    app_type: spa\n    zebra: 1\n")
            #expect(field.count == 1 && field.first?.contains("did you mean") == false)
        }
    }

    @Test("A misspelt kind of resource is named with its line and the kind that was meant")
    func misspeltKind() async throws {
        try await Tenant.run { tenant in
            let problems = try await tenant.problems("client: []\n\nresourceserver: []\nclients: 7\nroles: [3]\n")
            #expect(
                problems == [
                    "tenant.yaml:1: client: is no kind of resource; did you mean clients?",
                    "tenant.yaml:4: clients: must be a list",
                    "tenant.yaml:3: resourceserver: is no kind of resource; did you mean resourceServers?",
                    "tenant.yaml:5: roles[0]: must be a mapping",
                ])
        }
    }

    @Test("Every problem of every resource is told at once, each once, at its own line")
    func allAtOnce() async throws {
        try await Tenant.run { tenant in
            let problems = try await tenant.problems(
                """
                clients:
                  - name: 123
                    app_type: webb
                    callbacks:
                      - https://a.example.com/#x
                      - https://b.example.com/
                      - nowhere
                    jwt_configuration:
                      alg: none
                      lifetime_in_seconds: 0
                  - app_type: spa
                    is_first_party: yes
                resourceServers:
                  - identifier: has space
                    signing_alg: HS512
                    scopes:
                      - description: no value
                      - value: "a b"
                """)
            let places = problems.map { String($0.prefix { $0 != " " }) + $0.drop { $0 != " " }.prefix { $0 != ":" } }
            #expect(
                places == [
                    "tenant.yaml:14: resourceServers[0].identifier",
                    "tenant.yaml:17: resourceServers[0].scopes[0].value",
                    "tenant.yaml:18: resourceServers[0].scopes[1].value",
                    "tenant.yaml:15: resourceServers[0].signing_alg",
                    "tenant.yaml:2: clients[0].name", "tenant.yaml:3: clients[0].app_type",
                    "tenant.yaml:5: clients[0].callbacks[0]", "tenant.yaml:7: clients[0].callbacks[2]",
                    "tenant.yaml:10: clients[0].jwt_configuration.lifetime_in_seconds",
                    "tenant.yaml:9: clients[0].jwt_configuration.alg", "tenant.yaml:11: clients[1].name",
                    "tenant.yaml:12: clients[1].is_first_party",
                ])
            #expect(problems[4].hasSuffix("must be a text; put it in quotes"))
        }
    }

    @Test("A wrong value of an enumeration is named, not taken for its default")
    func enumerations() async throws {
        try await Tenant.run { tenant in
            let problems = try await tenant.problems(
                """
                tenant:
                  session_cookie: {mode: forever}
                clients:
                  - name: A
                    app_type: spa
                    refresh_token: {rotation_type: rotatin, expiration_type: never}
                """)
            #expect(problems.count == 3)
            #expect(problems[0].contains("tenant.session_cookie.mode: 'forever' is none of persistent, non-persistent"))
            #expect(problems[1].contains("rotation_type: 'rotatin' is none of rotating, non-rotating"))
            #expect(problems[2].contains("expiration_type: 'never' is none of expiring, non-expiring"))
        }
    }

    @Test("A YAML mistake is named with its line")
    func syntax() async throws {
        try await Tenant.run { tenant in
            let problems = try await tenant.problems("clients:\n  - name: A\n    callbacks: [\"a\"\nroles: []\n")
            #expect(
                problems == [
                    "tenant.yaml:4: not valid YAML: did not find expected ',' or ']' while parsing a flow sequence, "
                        + "which starts in line 3"
                ])
            let control = try await tenant.problems("tenant:\n  friendly_name: a\u{1}b\n")
            #expect(control == ["tenant.yaml:2: not valid YAML: control characters are not allowed"])
            let zero = try await tenant.problems("roles:\n  - name: A\n    description: \"a\\0b\"\n")
            #expect(zero == ["tenant.yaml:3: roles[0].description: must not hold the character NUL"])
            let documents = try await tenant.problems("a: 1\n---\nb: 2\n")
            #expect(
                documents == [
                    "tenant.yaml:2: not valid YAML: but found another document "
                        + "expected a single document in the stream, which starts in line 1"
                ])
            let list = try await tenant.problems("tenant:\n  ? [a, b]\n  : 1\n")
            #expect(list == ["tenant.yaml:2: tenant: a name must be a text"])
        }
    }

    @Test("YAML 1.2's words: True is true; yes and 007 are what they look like")
    func scalars() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(
                """
                databases:
                  - name: Users
                    options:
                      {a: True, b: FALSE, c: yes, d: 1.0, e: 0x1F, f: nan(1), g: ~, h: .5, i: -3, j: 1e3, k: 2026-01-01}
                """)
            let options = try await tenant.stores.connections.find(name: "Users")?.options
            #expect(
                options == [
                    "a": true, "b": false, "c": "yes", "d": 1, "e": "0x1F", "f": "nan(1)", "g": nil, "h": 0.5, "i": -3,
                    "j": 1000, "k": "2026-01-01",
                ])
        }
    }
}
