import AuthorizationServer
import Crypto
import Foundation
import HTTPTypes
import HummingbirdTesting
import JWTKit
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Signing algorithms by setting")
struct SigningAlgorithmTests {
    private struct Claims: JWTPayload {
        let sub: SubjectClaim
        func verify(using algorithm: some JWTAlgorithm) {}
    }

    private static let all = SigningAlgorithms(SigningAlgorithm.allCases)

    private func fixtures(_ algorithm: SigningAlgorithm) -> Fixtures {
        var fixtures = Fixtures()
        fixtures.settings.signingAlgorithms = Self.all
        fixtures.changeAPI { $0.signingAlgorithm = algorithm }
        fixtures.change("regular-web-app") { $0.idTokenAlgorithm = algorithm }
        return fixtures
    }

    @Test(
        "RFC 7515: access and ID tokens verify with the published key of their kid, in somebody else's library",
        arguments: [SigningAlgorithm.rs256, .ps256, .es256, .edDSA])
    func tokens(_ algorithm: SigningAlgorithm) async throws {
        try await TestServer.run(fixtures(algorithm)) { server in
            let set = try JSONDecoder().decode(
                JWKS.self, from: Data(try await server.get("/.well-known/jwks.json").text.utf8))
            let tokens = try await RelyingParty.regularWebApp(server)
                .tokens(["audience": "appointments:api", "scope": "openid appointments"])
            for name in ["access_token", "id_token"] {
                let token = tokens[name]?.string ?? ""
                #expect(token.tokenHeader["alg"]?.string == algorithm.rawValue)
                let kid = try #require(token.tokenHeader["kid"]?.string)
                let jwk = try #require(set.find(identifier: kid)?.first)
                let keys = JWTKeyCollection()
                switch algorithm {
                case .rs256, .ps256:
                    let key = try Insecure.RSA.PublicKey(
                        modulus: jwk.modulus ?? "", exponent: jwk.exponent ?? "")
                    if algorithm == .ps256 {
                        await keys.add(pss: key, digestAlgorithm: .sha256)
                    } else {
                        await keys.add(rsa: key, digestAlgorithm: .sha256)
                    }
                default: try await keys.add(jwk: jwk)
                }
                #expect(try await keys.verify(token, as: Claims.self).sub.value == User.ada.id)
            }
            let profile = try await server.get(
                "/userinfo", headers: [.authorization: "Bearer \(tokens["access_token"]?.string ?? "")"])
            #expect(profile.status == .ok)
        }
    }

    @Test("OIDC Discovery §3: what ID tokens can be signed with, RS256 always among it")
    func discovery() async throws {
        try await TestServer.run { server in
            let document = try await server.get("/.well-known/openid-configuration").json()
            #expect(document["id_token_signing_alg_values_supported"] == ["RS256", "HS256"])
            var settings = TenantSettings()
            settings.signingAlgorithms = SigningAlgorithms([.es256])
            let changed = settings
            try await server.services.stores.database.write { try TenantStore.update(changed, in: $0) }
            try await server.services.signingKeys.makeFirst(at: server.clock.now)
            try await server.services.configuration.refresh()
            let after = try await server.get("/.well-known/openid-configuration").json()
            #expect(after["id_token_signing_alg_values_supported"] == ["RS256", "ES256", "HS256"])
            let keys = try await server.get("/.well-known/jwks.json").json()["keys"]?.array ?? []
            #expect(keys.map { $0.object?["kty"] } == ["RSA", "RSA", "EC", "EC"])
        }
    }

    @Test("RFC 8725 §3.1: userinfo refuses a token whose header names another algorithm than its key's")
    func confusion() async throws {
        try await TestServer.run(fixtures(.es256)) { server in
            let token =
                try await RelyingParty.regularWebApp(server)
                .tokens(["audience": "appointments:api"])["access_token"]?.string ?? ""
            let parts = token.split(separator: ".").map(String.init)
            for header in [
                #"{"alg":"EdDSA","kid":"P-256-key-current"}"#, #"{"alg":"RS256","kid":"P-256-key-current"}"#,
                #"{"alg":"ES256","kid":"key-current"}"#, #"{"alg":"ES256","kid":"P-256-key-next"}"#,
                #"{"alg":"HS256","kid":"P-256-key-current"}"#, #"{"alg":"none","kid":"P-256-key-current"}"#,
            ] {
                let hostile = "\(Base64URL.encode(Array(header.utf8))).\(parts[1]).\(parts[2])"
                let answer = try await server.get("/userinfo", headers: [.authorization: "Bearer \(hostile)"])
                #expect(answer.status == .unauthorized, "\(header)")
            }
        }
    }
}
