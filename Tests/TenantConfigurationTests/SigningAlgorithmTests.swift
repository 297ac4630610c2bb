import AuthorizationServer
import OAuth
import Storage
import TenantConfiguration
import Testing

@Suite("Signing algorithms in a tenant file")
struct SigningAlgorithmTests {
    @Test("An algorithm whose keys the tenant does not publish is refused, and the setting is named")
    func refused() async throws {
        try await Tenant.run { tenant in
            let problems = try await tenant.problems(
                """
                tenant: {signing_algorithms: [RS256, EdDSA]}
                resourceServers:
                  - {identifier: orders, signing_alg: ES256}
                clients:
                  - {name: Web, jwt_configuration: {alg: PS256}}
                  - {name: Fine, jwt_configuration: {alg: EdDSA}}
                """)
            #expect(
                problems == [
                    "tenant.yaml:3: resourceServers[0].signing_alg: the tenant publishes no keys for ES256; set "
                        + "tenant.signing_algorithms: [RS256, ES256, EdDSA], or use RS256",
                    "tenant.yaml:5: clients[0].jwt_configuration.alg: the tenant publishes no keys for PS256; set "
                        + "tenant.signing_algorithms: [RS256, PS256, EdDSA], or use RS256",
                ])
        }
    }

    @Test("Asking for an algorithm makes its keys in the same transaction, once")
    func keys() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(
                """
                tenant: {signing_algorithms: [RS256, ES256]}
                resourceServers: [{identifier: orders, signing_alg: ES256}]
                """)
            let keys = try await tenant.stores.signingKeys.list()
            #expect(keys.map(\.kind) == [.p256, .p256] && Set(keys.map(\.state)) == [.current, .next])
            for key in keys {
                #expect(try SigningKeyPair(pem: Tenant.box.open(key.sealedPrivateKey)).kind == .p256)
            }
            try await tenant.apply("tenant: {signing_algorithms: [EdDSA, ES256, RS256]}")
            let more = try await tenant.stores.signingKeys.list()
            #expect(more.count == 4 && keys.allSatisfy(more.contains))
            let settings = try await tenant.stores.tenant.settings()
            #expect(settings.signingAlgorithms.values == [.rs256, .es256, .edDSA])
        }
    }

    @Test("An algorithm that something signs with cannot be taken away")
    func removed() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply(
                """
                tenant: {signing_algorithms: [RS256, ES256, EdDSA]}
                resourceServers: [{identifier: orders, signing_alg: ES256}]
                clients:
                  - {name: Web, client_id: web, app_type: spa, jwt_configuration: {alg: EdDSA}}
                  - {name: Wide, client_id: wide, app_type: spa, userinfo_signed_response_alg: ES256}
                """)
            #expect(
                try await tenant.problems("tenant: {signing_algorithms: [RS256]}") == [
                    "tenant.yaml:1: tenant.signing_algorithms: must have ES256 for as long as the API orders signs with it",
                    "tenant.yaml:1: tenant.signing_algorithms: must have EdDSA for as long as the application Web signs "
                        + "with it",
                    "tenant.yaml:1: tenant.signing_algorithms: must have ES256 for as long as the application Wide signs "
                        + "with it",
                ])
            try await tenant.apply(
                """
                tenant: {signing_algorithms: [RS256]}
                resourceServers: [{identifier: orders, signing_alg: RS256}]
                clients:
                  - {client_id: web, name: Web, jwt_configuration: {alg: RS256}}
                  - {client_id: wide, name: Wide, userinfo_signed_response_alg: RS256}
                """)
        }
    }

    @Test(
        "The setting is a list of algorithms with keys, RS256 among them",
        arguments: [
            ("[ES256]", "signing_algorithms: must have RS256, which every client may count on"),
            ("[RS256, HS256]", "signing_algorithms[1]: 'HS256' is none of RS256, PS256, ES256, EdDSA"),
            ("[RS256, none]", "signing_algorithms[1]: 'none' is none of RS256, PS256, ES256, EdDSA"),
            ("ES256", "signing_algorithms: must be a list of texts"),
        ])
    func malformed(value: String, problem: String) async throws {
        try await Tenant.run { tenant in
            let problems = try await tenant.problems("tenant: {signing_algorithms: \(value)}")
            #expect(problems == ["tenant.yaml:1: tenant.\(problem)"])
        }
    }
}
