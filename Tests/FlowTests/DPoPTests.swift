import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("DPoP (RFC 9449)")
struct DPoPTests {
    private static let api: [String: String?] = ["audience": "appointments:api", "scope": "openid appointments"]

    private static func withNonces() -> Fixtures {
        var fixtures = Fixtures()
        fixtures.settings.requiresDPoPNonce = true
        return fixtures
    }

    @Test("RFC 9449 §5 and §6.1: tokens obtained with a proof are bound to its key, signed and opaque ones")
    func bound() async throws {
        try await TestServer.run { server in
            let (party, key) = (RelyingParty.regularWebApp(server), ClientKey(server))
            for parameters in [Self.api, ["scope": "openid email"]] as [[String: String?]] {
                let answer = try await party.redeem(party.code(nil, parameters), headers: key.headers()).json()
                #expect(answer["token_type"] == "DPoP")
                let token = answer["access_token"]?.string ?? ""
                #expect(try await key.userInfo(token).json()["sub"]?.string == User.ada.id)
                if token.contains(".") {
                    #expect(token.claims["cnf"] == ["jkt": .string(try key.thumbprint)])
                }
            }
        }
    }

    @Test("RFC 9449 §7.1, §7.2: a bound token is no bearer token, and a bearer token is not bound")
    func schemes() async throws {
        try await TestServer.run { server in
            let (party, key) = (RelyingParty.regularWebApp(server), ClientKey(server))
            for parameters in [Self.api, ["scope": "openid email"]] as [[String: String?]] {
                let bound = try await party.redeem(party.code(nil, parameters), headers: key.headers()).json()
                let token = bound["access_token"]?.string ?? ""
                let downgraded = try await server.get("/userinfo", headers: [.authorization: "Bearer \(token)"])
                #expect(downgraded.status == .unauthorized)
                let challenges = downgraded.headers[values: .wwwAuthenticate]
                #expect(challenges.contains { $0.hasPrefix("Bearer ") && $0.contains("invalid_token") })
                #expect(challenges.contains { $0.hasPrefix("DPoP ") && $0.contains("ES256") })
                let proof = try key.proof("GET", "userinfo", accessToken: token)
                let both = try await server.get(
                    "/userinfo", headers: [.authorization: "Bearer \(token)", .dpop: proof])
                #expect(both.status == .unauthorized)
                let posted = try await server.post("/userinfo", form: [("access_token", token)])
                #expect(posted.status == .unauthorized)

                let bearer = try await party.tokens(parameters)["access_token"]?.string ?? ""
                let upgraded = try await key.userInfo(bearer)
                #expect(upgraded.status == .unauthorized)
                #expect(upgraded.headers[.wwwAuthenticate]?.hasPrefix("DPoP ") == true)
                #expect(upgraded.headers[.wwwAuthenticate]?.contains("invalid_token") == true)
            }
            let nothing = try await server.get("/userinfo").headers[values: .wwwAuthenticate]
            #expect(nothing.count == 2 && nothing.allSatisfy { !$0.contains("error") })
        }
    }

    @Test("RFC 9449 §7.1: userinfo wants a proof of the token's own key for this token and request, once")
    func userInfoProofs() async throws {
        try await TestServer.run { server in
            let (party, key) = (RelyingParty.regularWebApp(server), ClientKey(server))
            let token =
                try await party.redeem(party.code(nil, Self.api), headers: key.headers())
                .json()["access_token"]?.string ?? ""
            let proof = try key.proof("GET", "userinfo", accessToken: token)
            let thief = ClientKey(server)
            let refused: [(String, String)] = [
                (try thief.proof("GET", "userinfo", accessToken: token), "invalid_token"),
                (try key.proof("GET", "userinfo"), "invalid_dpop_proof"),
                (try key.proof("GET", "userinfo", accessToken: "another"), "invalid_dpop_proof"),
                (try key.proof("POST", "userinfo", accessToken: token), "invalid_dpop_proof"),
                (try key.proof("GET", "oauth/token", accessToken: token), "invalid_dpop_proof"),
                ("", "invalid_dpop_proof"),
            ]
            for (proof, error) in refused {
                let answer = try await key.userInfo(token, proof)
                #expect(answer.status == .unauthorized)
                #expect(answer.headers[.wwwAuthenticate]?.contains("error=\"\(error)\"") == true, "\(error)")
            }
            let without = try await server.get("/userinfo", headers: [.authorization: "dpop \(token)"])
            #expect(without.headers[.wwwAuthenticate]?.contains("invalid_dpop_proof") == true)
            #expect(try await key.userInfo(token, proof).status == .ok)
            let replayed = try await key.userInfo(token, proof)
            #expect(replayed.status == .unauthorized)
            #expect(replayed.headers[.wwwAuthenticate]?.contains("used before") == true)
        }
    }

    @Test("RFC 9449 §5 and §11.1: a proof that is wrong, used or doubled is invalid_dpop_proof, and costs no code")
    func tokenProofs() async throws {
        try await TestServer.run { server in
            let (party, key) = (RelyingParty.regularWebApp(server), ClientKey(server))
            let (code, used) = (try await party.code(), try key.proof())
            #expect(
                try await party.token(["grant_type": "client_credentials"], headers: [.dpop: used])
                    .json()["error"] == "invalid_target")
            var doubled = try key.headers()
            doubled.append(HTTPField(name: .dpop, value: try key.proof()))
            for headers in [
                [.dpop: used], doubled, [.dpop: "x"], [.dpop: try key.proof("GET")],
                [.dpop: try key.proof(claims: ["iat": 1])], [.dpop: try key.proof(header: ["typ": "JWT"])],
            ] as [HTTPFields] {
                let answer = try await party.redeem(code, headers: headers)
                #expect(answer.status == .badRequest)
                #expect(try answer.json()["error"] == "invalid_dpop_proof")
            }
            #expect(try await party.redeem(code, headers: key.headers()).status == .ok)
        }
    }

    @Test("Of twenty requests at once with one proof, one is answered")
    func race() async throws {
        try await TestServer.run { server in
            let (machine, headers) = (RelyingParty.machine(server), try ClientKey(server).headers())
            let wins = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        try await machine.token(
                            ["grant_type": "client_credentials", "audience": "appointments:api"], headers: headers
                        ).status == .ok
                    }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(wins == 1)
        }
    }

    @Test("RFC 9449 §8 and §9: where the tenant requires a nonce, the answer brings it, and it is good on any node")
    func nonce() async throws {
        try await TestServer.run(Self.withNonces()) { server in
            let (party, key) = (RelyingParty.regularWebApp(server), ClientKey(server))
            let code = try await party.code(nil, Self.api)
            let first = try await party.redeem(code, headers: key.headers())
            #expect(first.status == .badRequest)
            #expect(try first.json()["error"] == "use_dpop_nonce")
            let nonce = try #require(first.headers[.dpopNonce])
            let second = try await party.redeem(code, headers: key.headers(nonce: nonce))
            #expect(second.status == .ok && second.headers[.dpopNonce] != nil)
            let token = try second.json()["access_token"]?.string ?? ""

            let stale = try await key.userInfo(token)
            #expect(stale.status == .unauthorized)
            #expect(stale.headers[.wwwAuthenticate]?.contains("use_dpop_nonce") == true)
            #expect(stale.headers[.dpopNonce] != nil)
            let proof = try key.proof("GET", "userinfo", accessToken: token, nonce: nonce)
            #expect(try await key.userInfo(token, proof).status == .ok)
            server.clock.advance(by: 600)
            let old = try key.proof("GET", "userinfo", accessToken: token, nonce: nonce)
            #expect(try await key.userInfo(token, old).headers[.wwwAuthenticate]?.contains("use_dpop_nonce") == true)
        }
    }

    @Test("RFC 9449 §5: a public client's refresh token works with its key alone, and a wrong key does not cost it")
    func publicRefresh() async throws {
        try await TestServer.run { server in
            let (party, key) = (RelyingParty.singlePageApp(server), ClientKey(server))
            // The pair of RFC 7636 appendix B.
            let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
            let parameters: [String: String?] = [
                "scope": "openid offline_access", "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
                "code_challenge_method": "S256",
            ]
            let tokens = try await party.redeem(
                party.code(nil, parameters), ["code_verifier": verifier], headers: key.headers()
            ).json()
            let refresh = tokens["refresh_token"]?.string ?? ""
            for headers in [[:], try ClientKey(server).headers()] as [HTTPFields] {
                let answer = try await party.refresh(refresh, headers: headers)
                #expect(answer.status == .badRequest)
                #expect(try answer.json()["error"] == "invalid_grant")
            }
            let next = try await party.refresh(refresh, headers: key.headers()).json()
            #expect(next["token_type"] == "DPoP")
            #expect(try await key.userInfo(next["access_token"]?.string ?? "").status == .ok)
            let unproved = try await party.refresh(next["refresh_token"]?.string ?? "")
            #expect(try unproved.json()["error"] == "invalid_grant")
        }
    }

    @Test("RFC 9449 §5: a confidential client may change its key, and a public client's first proof binds its tokens")
    func otherRefreshes() async throws {
        try await TestServer.run { server in
            let (party, key) = (RelyingParty.regularWebApp(server), ClientKey(server))
            let code = try await party.code(nil, ["scope": "openid offline_access"])
            let tokens = try await party.redeem(code, headers: key.headers()).json()
            let (refresh, newKey) = (tokens["refresh_token"]?.string ?? "", ClientKey(server))
            let next = try await party.refresh(refresh, headers: newKey.headers()).json()
            #expect(try await newKey.userInfo(next["access_token"]?.string ?? "").status == .ok)
            #expect(try await party.refresh(refresh).json()["token_type"] == "Bearer")

            let spa = RelyingParty.singlePageApp(server)
            let bearer = try await spa.tokens(["scope": "openid offline_access"])
            let first = try await spa.refresh(bearer["refresh_token"]?.string ?? "", headers: key.headers()).json()
            let second = first["refresh_token"]?.string ?? ""
            #expect(try await spa.refresh(second).json()["error"] == "invalid_grant")
            #expect(try await spa.refresh(second, headers: key.headers()).status == .ok)
        }
    }

    @Test("RFC 9449 §10: dpop_jkt binds the code to the key")
    func codeBinding() async throws {
        try await TestServer.run { server in
            let (party, key) = (RelyingParty.regularWebApp(server), ClientKey(server))
            let request: [String: String?] = ["dpop_jkt": try key.thumbprint]
            for headers in [[:], try ClientKey(server).headers()] as [HTTPFields] {
                let answer = try await party.redeem(party.code(nil, request), headers: headers)
                #expect(try answer.json()["error"] == "invalid_grant")
            }
            #expect(try await party.redeem(party.code(nil, request), headers: key.headers()).status == .ok)
            let malformed = try await TestBrowser(server).get(party.authorizationURL(["dpop_jkt": "short"]))
            #expect(malformed.query("error") == "invalid_request")
        }
    }

    @Test("RFC 9449 §10.1: a proof with a pushed request binds its code; it must be the key that dpop_jkt names")
    func pushedBinding() async throws {
        try await TestServer.run { server in
            let (party, key) = (RelyingParty.regularWebApp(server), ClientKey(server))
            func push(_ proof: String, _ changes: [(String, String)] = []) async throws -> TestResponse {
                try await server.post(
                    "/oauth/par",
                    form: [
                        ("client_id", party.clientID), ("client_secret", party.secret ?? ""), ("response_type", "code"),
                        ("redirect_uri", Client.callback), ("scope", "openid"),
                    ] + changes, headers: [.dpop: proof])
            }
            let other = try ClientKey(server).thumbprint
            let mismatch = try await push(key.proof("POST", "oauth/par"), [("dpop_jkt", other)])
            #expect(try mismatch.json()["error"] == "invalid_dpop_proof")
            #expect(try await push(key.proof()).json()["error"] == "invalid_dpop_proof")
            let pushed = try await push(key.proof("POST", "oauth/par"), [("dpop_jkt", key.thumbprint)])
            #expect(pushed.status == .created)
            for (headers, isGood) in [([:], false), (try key.headers(), true)] as [(HTTPFields, Bool)] {
                let uri = try await push(key.proof("POST", "oauth/par")).json()["request_uri"]?.string ?? ""
                let browser = TestBrowser(server)
                let start = try await browser.get(
                    "/authorize?client_id=\(party.clientID)&request_uri=\(uri.formEncoded)")
                let code = try await browser.logIn(start, password: User.adaPassword).query("code") ?? ""
                #expect((try await party.redeem(code, headers: headers).status == .ok) == isGood)
            }
        }
    }

    @Test(
        "Auth0's require_proof_of_possession: the application gets no token without a proof, nor from the front channel"
    )
    func requiredByClient() async throws {
        var fixtures = Fixtures()
        fixtures.change("regular-web-app") {
            $0.requiresProofOfPossession = true
            $0.grantTypes.insert(.implicit)
        }
        try await TestServer.run(fixtures) { server in
            let party = RelyingParty.regularWebApp(server)
            let code = try await party.code()
            let refused = try await party.redeem(code)
            #expect(refused.status == .badRequest)
            #expect(try refused.json()["error_description"] == "The application requires a DPoP proof")
            #expect(try await party.redeem(code, headers: ClientKey(server).headers()).status == .ok)
            let front = try await TestBrowser(server).get(
                party.authorizationURL(["response_type": "token", "nonce": "n"]))
            #expect(front.fragment("error") == "invalid_request")
        }
    }

    @Test("Auth0's proof_of_possession: the API's tokens are bound, for all clients or for public ones")
    func requiredByAPI() async throws {
        for requiredFor in ProofOfPossessionSettings.Clients.allCases {
            var fixtures = Fixtures()
            fixtures.changeAPI {
                $0.proofOfPossession.isRequired = true
                $0.proofOfPossession.requiredFor = requiredFor
            }
            fixtures.change("regular-web-app") { $0.grantTypes.insert(.implicit) }
            try await TestServer.run(fixtures) { server in
                let (party, key) = (RelyingParty.regularWebApp(server), ClientKey(server))
                let isRequired = requiredFor == .all
                let parameters: [String: String?] = [
                    "audience": "appointments:api", "scope": "openid appointments offline_access",
                ]
                let answer = try await party.redeem(party.code(nil, parameters))
                #expect((answer.status == .ok) != isRequired)
                let front = try await party.authorize(
                    TestBrowser(server), ["response_type": "token", "audience": "appointments:api"])
                #expect((front.fragment("error") == "invalid_request") == isRequired)
                let machine = try await RelyingParty.machine(server)
                    .token(["grant_type": "client_credentials", "audience": "appointments:api"])
                #expect((machine.status == .ok) != isRequired)
                #expect(try await RelyingParty.singlePageApp(server).tokens(parameters)["error"] == "invalid_request")

                // A refresh without a proof is refused before it costs the token.
                let tokens = try await party.redeem(party.code(nil, parameters), headers: key.headers()).json()
                let refresh = tokens["refresh_token"]?.string ?? ""
                #expect((try await party.refresh(refresh).status == .ok) != isRequired)
                #expect(try await party.refresh(refresh, headers: key.headers()).json()["token_type"] == "DPoP")
                // What needs no API needs no proof.
                #expect(try await party.tokens()["token_type"] == "Bearer")
            }
        }
    }

    @Test("RFC 7662 §2.2, RFC 9449 §6.2: introspection shows the key, of signed and opaque tokens")
    func introspection() async throws {
        try await TestServer.run { server in
            let (party, key) = (RelyingParty.regularWebApp(server), ClientKey(server))
            for parameters in [Self.api, ["scope": "openid email"]] as [[String: String?]] {
                let token =
                    try await party.redeem(party.code(nil, parameters), headers: key.headers())
                    .json()["access_token"]?.string ?? ""
                let answer = try await party.introspect(token)
                #expect(answer["token_type"] == "DPoP")
                #expect(answer["cnf"] == ["jkt": .string(try key.thumbprint)])
            }
        }
    }

    @Test("RFC 9449 §5.2: a client that registers with dpop_bound_access_tokens gets no others")
    func registered() async throws {
        try await TestServer.run(.openRegistration) { server in
            let client = try await DynamicClient(
                server, ["dpop_bound_access_tokens": true, "grant_types": ["authorization_code"]])
            #expect(client.registration["dpop_bound_access_tokens"] == true)
            let stored = try await server.services.stores.clients.list().map(\.client)
            #expect(stored.filter(\.openID.bindsTokensToKeys).count == 1)
            let other = try await DynamicClient(server)
            #expect(other.registration["dpop_bound_access_tokens"] == nil)
        }
    }

    @Test("RFC 9449 §5.1: discovery lists the algorithms of proofs; browsers' scripts may send and read the headers")
    func discovery() async throws {
        try await TestServer.run { server in
            let document = try await server.get("/.well-known/openid-configuration").json()
            let algorithms = document["dpop_signing_alg_values_supported"]?.array ?? []
            #expect(algorithms.contains("ES256") && !algorithms.contains("HS256") && !algorithms.contains("none"))
            let origin: HTTPFields = [.origin: "https://app.example.com"]
            let preflight = try await server.client.execute(uri: "/oauth/token", method: .options, headers: origin)
            #expect(preflight.headers[.accessControlAllowHeaders]?.contains("DPoP") == true)
            let answer = try await server.post("/oauth/token", form: [], headers: origin)
            let exposed = answer.headers[.accessControlExposeHeaders] ?? ""
            #expect(exposed.contains("DPoP-Nonce") && exposed.contains("WWW-Authenticate"))
        }
    }
}
