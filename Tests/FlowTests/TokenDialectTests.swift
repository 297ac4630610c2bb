import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Access tokens in every dialect")
struct TokenDialectTests {
    private typealias Dialect = ResourceServer.TokenDialect

    private static func fixtures(_ dialect: Dialect, _ change: (inout ResourceServer) -> Void = { _ in }) -> Fixtures {
        var fixtures = Fixtures()
        fixtures.changeAPI {
            $0.tokenDialect = dialect
            change(&$0)
        }
        return fixtures
    }

    private static func userToken(_ server: TestServer) async throws -> String {
        try await RelyingParty.regularWebApp(server)
            .tokens(["audience": "appointments:api", "scope": "openid appointments"])["access_token"]?.string ?? ""
    }

    private static func machineToken(_ server: TestServer) async throws -> String {
        try await RelyingParty.machine(server)
            .token(["grant_type": "client_credentials", "audience": "appointments:api"])
            .json()["access_token"]?.string ?? ""
    }

    private static let common: Set<String> = ["iss", "sub", "aud", "iat", "exp", "scope"]

    @Test(
        "Auth0's dialects: azp and gty, permissions where the API enforces them; a jti where a user can take the token back",
        arguments: [ResourceServer.TokenDialect.accessToken, .accessTokenAuthz])
    func auth0(_ dialect: ResourceServer.TokenDialect) async throws {
        try await TestServer.run(Self.fixtures(dialect)) { server in
            let token = try await Self.userToken(server)
            #expect(token.tokenHeader == ["alg": "RS256", "typ": "JWT", "kid": "key-current"])
            #expect(Set(token.claims.keys) == Self.common.union(["azp", "jti"]))
            #expect(token.claims["azp"] == "regular-web-app" && token.claims["sub"]?.string == User.ada.id)
            #expect(token.claims["aud"] == ["appointments:api", "https://login.example.com/userinfo"])
            #expect(token.claims["exp"]?.integer == (token.claims["iat"]?.integer ?? 0) + 86_400)
            let own = try await Self.machineToken(server)
            #expect(Set(own.claims.keys) == Self.common.union(["azp", "gty"]))
            #expect(own.claims["gty"] == "client-credentials" && own.claims["sub"] == "machine@clients")
            #expect(own.claims["aud"] == "appointments:api")
        }
    }

    @Test(
        "RFC 9068 §2: typ at+jwt, client_id and jti, auth_time of a user's login, and nothing of Auth0's",
        arguments: [ResourceServer.TokenDialect.rfc9068Profile, .rfc9068ProfileAuthz])
    func rfc9068(_ dialect: ResourceServer.TokenDialect) async throws {
        try await TestServer.run(Self.fixtures(dialect)) { server in
            let signedInAt = Int(server.clock.now.timeIntervalSince1970)
            let party = RelyingParty.regularWebApp(server)
            let tokens = try await party.tokens([
                "audience": "appointments:api", "scope": "openid appointments offline_access",
            ])
            let token = tokens["access_token"]?.string ?? ""
            #expect(token.tokenHeader == ["alg": "RS256", "typ": "at+jwt", "kid": "key-current"])
            #expect(Set(token.claims.keys) == Self.common.union(["client_id", "jti", "auth_time"]))
            #expect(token.claims["client_id"] == "regular-web-app")
            #expect(token.claims["auth_time"]?.integer == signedInAt)
            // §2.2: how the user signed in stays, however often the token is refreshed.
            server.clock.advance(by: 1000)
            let refreshed =
                try await party.refresh(tokens["refresh_token"]?.string ?? "")
                .json()["access_token"]?.string ?? ""
            #expect(Set(refreshed.claims.keys) == Set(token.claims.keys))
            #expect(refreshed.claims["auth_time"]?.integer == signedInAt)
            #expect(refreshed.claims["jti"] != token.claims["jti"])
            let own = try await Self.machineToken(server)
            #expect(own.tokenHeader["typ"] == "at+jwt")
            #expect(Set(own.claims.keys) == Self.common.union(["client_id", "jti"]))
        }
    }

    @Test("RFC 9068 §2.1: typ is at+jwt whatever the token is signed with")
    func algorithms() async throws {
        for algorithm in SigningAlgorithm.allCases {
            var fixtures = Self.fixtures(.rfc9068Profile) { $0.signingAlgorithm = algorithm }
            fixtures.settings.signingAlgorithms = SigningAlgorithms(SigningAlgorithm.allCases)
            fixtures.resourceServers[0].signingSecret = "a signing secret of the API"
            try await TestServer.run(fixtures) { server in
                let header = try await Self.userToken(server).tokenHeader
                #expect(header["typ"] == "at+jwt" && header["alg"]?.string == algorithm.rawValue)
            }
        }
    }

    @Test(
        "Auth0: permissions are in the *_authz dialects of an API that enforces them, none as an empty list",
        arguments: ResourceServer.TokenDialect.allCases)
    func permissions(_ dialect: ResourceServer.TokenDialect) async throws {
        for enforces in [false, true] {
            try await TestServer.run(Self.fixtures(dialect) { $0.enforcesPolicies = enforces }) { server in
                let isListed = enforces && dialect.hasPermissions
                #expect(try await Self.userToken(server).claims["permissions"] == (isListed ? [] : nil))
                let own = try await Self.machineToken(server).claims["permissions"]
                #expect(own == (isListed ? ["appointments", "read:notes"] : nil))
            }
        }
    }

    @Test("Auth0: gty tells a refreshed token; RFC 9068 has no such claim")
    func grantName() async throws {
        for dialect in Dialect.allCases {
            try await TestServer.run(Self.fixtures(dialect)) { server in
                let party = RelyingParty.regularWebApp(server)
                let tokens = try await party.tokens(["audience": "appointments:api", "scope": "offline_access"])
                let refreshed = try await party.refresh(tokens["refresh_token"]?.string ?? "").json()
                let claims = refreshed["access_token"]?.string?.claims ?? [:]
                #expect(claims["gty"] == (dialect.isRFC9068 ? nil : "refresh_token"))
            }
        }
    }

    @Test("RFC 9068 §4: an access token of any dialect is accepted at userinfo, an ID token is not")
    func accepted() async throws {
        for dialect in Dialect.allCases {
            try await TestServer.run(Self.fixtures(dialect)) { server in
                let tokens = try await RelyingParty.regularWebApp(server)
                    .tokens(["audience": "appointments:api", "scope": "openid appointments"])
                for (name, isAccepted) in [("access_token", true), ("id_token", false)] {
                    let answer = try await server.get(
                        "/userinfo", headers: [.authorization: "Bearer \(tokens[name]?.string ?? "")"])
                    #expect((answer.status == .ok) == isAccepted, "\(name)")
                }
            }
        }
    }
}
