import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import TestSupport
import Testing

/// The plan `oidcc-config-certification-test-plan`.
@Suite("Conformance: Config OP")
struct ConfigPlanTests {
    @Test("oidcc-discovery-endpoint-verification (OIDC Discovery §3, §4; RFC 8414 §2)")
    func discovery() async throws {
        try await TestServer.run(.openRegistration) { server in
            let response = try await server.get("/.well-known/openid-configuration")
            #expect(response.status == .ok)
            #expect(response.headers[.contentType]?.hasPrefix("application/json") == true)
            let metadata = try response.json()
            #expect(metadata["issuer"]?.string == TestServer.issuer)

            func texts(_ name: String) -> [String] { metadata[name]?.array?.compactMap(\.string) ?? [] }
            for (name, value) in metadata {
                if let list = value.array {
                    #expect(!list.isEmpty && list.count == texts(name).count, "\(name)")
                    #expect(Set(list).count == list.count, "\(name)")
                }
                if name.hasSuffix("_endpoint") || name.hasSuffix("_uri") {
                    let url = URLComponents(string: value.string ?? "")
                    #expect(
                        url?.scheme == "https" && url?.host == "login.example.com" && url?.fragment == nil, "\(name)")
                }
                if name.hasSuffix("_supported"), value.array == nil { #expect(value.bool != nil, "\(name)") }
            }
            for name in ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"] {
                #expect(metadata[name]?.string?.hasPrefix(TestServer.issuer) == true, "\(name)")
            }
            let types = texts("response_types_supported").map { Set($0.split(separator: " ").map(String.init)) }
            for type in ["code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"] {
                #expect(types.contains(Set(type.split(separator: " ").map(String.init))), "\(type)")
            }
            #expect(Set(texts("subject_types_supported")).isSubset(of: ["public", "pairwise"]))
            #expect(texts("subject_types_supported").contains("public"))
            #expect(texts("id_token_signing_alg_values_supported").contains("RS256"))
            #expect(Set(texts("grant_types_supported")).isSuperset(of: ["authorization_code", "implicit"]))
            #expect(texts("scopes_supported").contains("openid"))
            for scope in texts("scopes_supported") {
                let parsed = try Scope(parsing: scope)
                #expect(parsed.values == [scope])
            }
            let expected = ConformanceClient.scopeClaims.values.reduce(into: Set<String>()) { $0.formUnion($1) }
            #expect(Set(texts("claims_supported")).isSuperset(of: expected))
            #expect(texts("code_challenge_methods_supported").contains("S256"))
            #expect(texts("response_modes_supported").contains("form_post"))
        }
    }

    @Test("oidcc-discovery-endpoint-verification: the key set (OIDC Discovery §3, RFC 7517 §4, §5)")
    func keys() async throws {
        try await TestServer.run { server in
            let response = try await server.get("/.well-known/jwks.json")
            #expect(response.status == .ok)
            #expect(response.headers[.contentType]?.hasPrefix("application/json") == true)
            let keys = try response.json()["keys"]?.array?.compactMap(\.object) ?? []
            #expect(!keys.isEmpty)
            #expect(Set(keys.compactMap { $0["kid"]?.string }).count == keys.count)
            for key in keys {
                #expect(key["kty"] == "RSA" && key["use"] == "sig" && key["alg"] == "RS256")
                #expect((Base64URL.decode(key["n"]?.string ?? "")?.count ?? 0) >= 256)
                #expect(Base64URL.decode(key["e"]?.string ?? "") == [1, 0, 1])
                for secret in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] { #expect(key[secret] == nil) }
            }
        }
    }
}
