import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

/// Signed access tokens whose authorization was taken back, or whose holder is not who they were made for.
@Suite("Access tokens that were taken back, or are another's")
struct RevokedAuthorizationTests {
    private static let wanted: [String: String?] = [
        "audience": "appointments:api", "scope": "openid email appointments offline_access",
    ]

    private static func isActive(_ token: String?, _ server: TestServer) async throws -> Bool {
        try await RelyingParty.appointmentsAPI(server).introspect(token ?? "")["active"] == true
    }

    private static func userInfo(_ token: String?, _ server: TestServer) async throws -> HTTPResponse.Status {
        try await server.get("/userinfo", headers: [.authorization: "Bearer \(token ?? "")"]).status
    }

    @Test(
        "RFC 7009 §2.1, RFC 7662 §2.2: with a refresh token go the signed access tokens of its authorization, and no others",
        arguments: ResourceServer.TokenDialect.allCases)
    func revokedRefreshToken(_ dialect: ResourceServer.TokenDialect) async throws {
        var fixtures = Fixtures.withAPIClient()
        fixtures.changeAPI { $0.tokenDialect = dialect }
        try await TestServer.run(fixtures) { server in
            let party = RelyingParty.regularWebApp(server)
            let (tokens, others) = (try await party.tokens(Self.wanted), try await party.tokens(Self.wanted))
            let refreshed = try await party.refresh(tokens["refresh_token"]?.string ?? "").json()
            let own = [tokens["access_token"]?.string, refreshed["access_token"]?.string]
            for token in own {
                #expect(try await Self.isActive(token, server))
                #expect(try await Self.userInfo(token, server) == .ok)
            }
            let newest = (refreshed["refresh_token"] ?? tokens["refresh_token"])?.string
            #expect(try await party.post("/oauth/revoke", ["token": newest]).status == .ok)
            for token in own {
                #expect(try await !Self.isActive(token, server))
                #expect(try await Self.userInfo(token, server) == .unauthorized)
            }
            #expect(try await Self.isActive(others["access_token"]?.string, server))
            #expect(try await Self.userInfo(others["access_token"]?.string, server) == .ok)
        }
    }

    @Test(
        "RFC 6749 §4.1.2, RFC 9700 §4.14.2: a code or a refresh token that is used twice takes the access tokens along")
    func replays() async throws {
        var fixtures = Fixtures.withAPIClient()
        fixtures.change("regular-web-app") { $0.refreshToken = .rotating }
        try await TestServer.run(fixtures) { server in
            let party = RelyingParty.regularWebApp(server)
            let code = try await party.code(nil, Self.wanted)
            let first = try await party.redeem(code).json()
            #expect(try await Self.isActive(first["access_token"]?.string, server))
            _ = try await party.redeem(code)
            #expect(try await !Self.isActive(first["access_token"]?.string, server))

            let second = try await party.tokens(Self.wanted)
            let refreshed = try await party.refresh(second["refresh_token"]?.string ?? "").json()
            #expect(try await Self.isActive(refreshed["access_token"]?.string, server))
            _ = try await party.refresh(second["refresh_token"]?.string ?? "")
            #expect(try await !Self.isActive(refreshed["access_token"]?.string, server))
        }
    }

    @Test("OIDC Core §3.3: what a hybrid response carried goes with its code")
    func hybrid() async throws {
        var fixtures = Fixtures.withAPIClient()
        fixtures.change("regular-web-app") { $0.grantTypes.insert(.implicit) }
        try await TestServer.run(fixtures) { server in
            let party = RelyingParty.regularWebApp(server)
            let answer = try await party.authorize(
                TestBrowser(server), Self.wanted.merging(["response_type": "code token"]) { $1 })
            let token = answer.fragment("access_token")
            #expect(try await Self.isActive(token, server))
            for _ in 0..<2 { _ = try await party.redeem(answer.fragment("code") ?? "") }
            #expect(try await !Self.isActive(token, server))
        }
    }

    @Test("RFC 8693 §2.2: what an access token was exchanged for is taken back with it")
    func exchanged() async throws {
        try await TestServer.run(TokenExchangeTests.fixtures()) { server in
            let party = RelyingParty.regularWebApp(server)
            let tokens = try await party.tokens(Self.wanted)
            let sent = tokens["access_token"]?.string ?? ""
            let rooms = RelyingParty(server: server, clientID: "rooms-api", secret: "rooms-api-secret")
            let next = try await TokenExchangeTests.exchange(.appointmentsAPI(server), sent).json()
            let token = next["access_token"]?.string ?? ""
            #expect(try await rooms.introspect(token)["active"] == true)
            _ = try await party.post("/oauth/revoke", ["token": tokens["refresh_token"]?.string])
            #expect(try await rooms.introspect(token)["active"] == false)
            let again = try await TokenExchangeTests.exchange(.appointmentsAPI(server), sent)
            #expect(try again.json()["error"] == "invalid_request")
        }
    }

    @Test("RFC 9449 §7: a token that is bound to a key is exchanged by nobody who does not prove the key")
    func boundSubjectToken() async throws {
        try await TestServer.run(TokenExchangeTests.fixtures()) { server in
            let (party, key) = (RelyingParty.regularWebApp(server), ClientKey(server))
            let code = try await party.code(nil, Self.wanted)
            let sent = try await party.redeem(code, headers: key.headers()).json()["access_token"]?.string ?? ""
            #expect(sent.claims["cnf"] != nil)
            let api = RelyingParty.appointmentsAPI(server)
            let request: [String: String?] = [
                "grant_type": GrantType.tokenExchange.rawValue, "subject_token": sent,
                "subject_token_type": TokenExchangeTests.accessTokenType, "audience": "rooms:api",
            ]
            for headers in [[:], try ClientKey(server).headers()] as [HTTPFields] {
                let refused = try await api.token(request, headers: headers)
                #expect(refused.status == .badRequest)
                #expect(try refused.json()["error"] == "invalid_request")
            }
            let proved = try await api.token(request, headers: key.headers()).json()
            #expect(proved["token_type"] == "DPoP")
            #expect(proved["access_token"]?.string?.claims["cnf"] == sent.claims["cnf"])
        }
    }

    @Test("RFC 8693 §5: an API that can sign its own access tokens exchanges none, or it could act for everybody")
    func forgedSubjectToken() async throws {
        let secret = "a signing secret that the API knows as well as the server"
        var fixtures = TokenExchangeTests.fixtures { $0.changeAPI { $0.signingAlgorithm = .hs256 } }
        fixtures.settings.signingAlgorithms = SigningAlgorithms([.rs256, .hs256])
        fixtures.resourceServers[0].signingSecret = secret
        try await TestServer.run(fixtures) { server in
            let now = Int64(server.clock.now.timeIntervalSince1970)
            let forged = try ForeignKey.secret(secret).token([
                "iss": .string(TestServer.issuer), "aud": "appointments:api", "azp": "regular-web-app",
                "sub": .string(User.grace.id), "scope": "appointments", "iat": .integer(now), "exp": .integer(now + 60),
            ])
            // For itself the API may believe it.
            #expect(try await Self.isActive(forged, server))
            let answer = try await TokenExchangeTests.exchange(.appointmentsAPI(server), forged)
            #expect(answer.status == .badRequest)
            #expect(try answer.json()["error"] == "invalid_request")
        }
    }

    @Test("RFC 6749 §3.2: a JSON body with a parameter twice is refused, however it is spelt")
    func duplicateParameters() async throws {
        try await TestServer.run { server in
            for name in ["client_id", #"client\u005fid"#] {
                let answer = try await server.post(
                    "/oauth/token",
                    json: """
                        {"grant_type":"client_credentials","client_id":"machine","\(name)":"regular-web-app",
                        "client_secret":"\(Client.machineSecret)","audience":"appointments:api"}
                        """)
                #expect(answer.status == .badRequest)
                #expect(try answer.json()["error_description"] == "Duplicate parameter: client_id")
            }
        }
    }
}
