import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Certificate-bound access tokens (RFC 8705 §3)")
struct CertificateBoundTokenTests {
    private static let api: [String: String?] = [
        "audience": "appointments:api", "scope": "openid appointments offline_access",
    ]
    private static let userInfo: [String: String?] = ["scope": "openid email offline_access"]

    private static func binding(_ clients: String...) -> Fixtures {
        var fixtures = Fixtures()
        for client in clients { fixtures.change(client) { $0.keys.mutualTLS.bindsAccessTokens = true } }
        return fixtures
    }

    private static func userInfo(
        _ server: TestServer, _ token: JSONValue?, _ headers: HTTPFields = [:]
    ) async throws -> TestResponse {
        var headers = headers
        headers[.authorization] = "Bearer \(token?.string ?? "")"
        return try await server.get("/userinfo", headers: headers)
    }

    private static func cnf(_ certificate: TestCertificate) -> JSONValue {
        ["x5t#S256": .string(certificate.thumbprint)]
    }

    @Test(
        "RFC 8705 §3, §3.1, §3.2: signed and opaque tokens are bound, userinfo wants the certificate, and all show cnf")
    func bound() async throws {
        try await TestServer.run(Self.binding("regular-web-app"), proxy: TestProxy()) { server in
            let (party, own, other) = (RelyingParty.regularWebApp(server), try TestCertificate(), try TestCertificate())
            for parameters in [Self.api, Self.userInfo] {
                // Any certificate will do to bind tokens to, whoever has signed it.
                let tokens = try await party.redeem(
                    party.code(nil, parameters), headers: own.headers(verdict: "NONE")
                ).json()
                #expect(tokens["token_type"] == "Bearer")
                let token = tokens["access_token"]
                if let text = token?.string, text.contains(".") { #expect(text.claims["cnf"] == Self.cnf(own)) }
                #expect(try await party.introspect(token?.string ?? "")["cnf"] == Self.cnf(own))
                #expect(try await party.introspect(token?.string ?? "")["token_type"] == "Bearer")

                #expect(try await Self.userInfo(server, token, own.headers(verdict: nil)).status == .ok)
                for headers in [[:], other.headers()] as [HTTPFields] {
                    let answer = try await Self.userInfo(server, token, headers)
                    #expect(answer.status == .unauthorized)
                    #expect(answer.headers[.wwwAuthenticate]?.contains("invalid_token") == true)
                }
                let form = [("access_token", token?.string ?? "")]
                #expect(try await server.post("/userinfo", form: form).status == .unauthorized)
                #expect(try await server.post("/userinfo", form: form, headers: own.headers()).status == .ok)
            }
        }
    }

    @Test("RFC 8705 §3.4: who asks for bound tokens gets no others, from the token endpoint or the front channel")
    func required() async throws {
        var fixtures = Self.binding("regular-web-app")
        fixtures.change("regular-web-app") { $0.grantTypes.insert(.implicit) }
        try await TestServer.run(fixtures, proxy: TestProxy()) { server in
            let party = RelyingParty.regularWebApp(server)
            let code = try await party.code(nil, Self.api)
            for headers in [[:], try ClientKey(server).headers()] as [HTTPFields] {
                let refused = try await party.redeem(code, headers: headers)
                #expect(refused.status == .badRequest)
                #expect(
                    try refused.json()["error_description"] == "The application requires a client certificate")
            }
            // The refusal has not cost the code.
            #expect(try await party.redeem(code, headers: TestCertificate().headers()).status == .ok)
            let front = try await TestBrowser(server).get(
                party.authorizationURL(["response_type": "token", "nonce": "n"]))
            #expect(front.fragment("error") == "invalid_request")
        }
    }

    @Test("RFC 8705 §4: a public client's refresh token works with its certificate alone; a wrong one does not cost it")
    func publicRefresh() async throws {
        try await TestServer.run(Self.binding("single-page-app"), proxy: TestProxy()) { server in
            let (party, own) = (RelyingParty.singlePageApp(server), try TestCertificate())
            // The pair of RFC 7636 appendix B.
            let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
            let challenge: [String: String?] = [
                "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256",
            ]
            for parameters in [Self.api, Self.userInfo] {
                let tokens = try await party.redeem(
                    party.code(nil, parameters.merging(challenge) { $1 }), ["code_verifier": verifier],
                    headers: own.headers(verdict: nil)
                ).json()
                let refresh = tokens["refresh_token"]?.string ?? ""
                let wrong = try await party.refresh(refresh, headers: TestCertificate().headers())
                #expect(try wrong.json()["error"] == "invalid_grant")
                #expect(try await party.refresh(refresh).status == .badRequest)
                let next = try await party.refresh(refresh, headers: own.headers()).json()
                #expect(try await Self.userInfo(server, next["access_token"], own.headers()).status == .ok)
                #expect(try await Self.userInfo(server, next["access_token"]).status == .unauthorized)
            }
        }
    }

    @Test("RFC 8705 §4: a public client that stops asking for bound tokens keeps the binding of its refresh tokens")
    func bindingStays() async throws {
        try await TestServer.run(Self.binding("single-page-app"), proxy: TestProxy()) { server in
            let (party, own) = (RelyingParty.singlePageApp(server), try TestCertificate())
            let challenge: [String: String?] = [
                "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256",
            ]
            let tokens = try await party.redeem(
                party.code(nil, Self.api.merging(challenge) { $1 }),
                ["code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"], headers: own.headers()
            ).json()
            try await server.services.stores.database.write { transaction in
                try ClientStore.save(
                    .singlePageApp, secretDigest: nil, sealedSecret: nil, at: Date(), in: transaction)
            }
            try await server.services.configuration.refresh()
            let refresh = tokens["refresh_token"]?.string ?? ""
            #expect(try await party.refresh(refresh).json()["error"] == "invalid_grant")
            #expect(try await party.refresh(refresh, headers: own.headers()).status == .ok)
        }
    }

    @Test("RFC 8705 §6.3: a confidential client may change its certificate, and its refresh token lives on")
    func renewal() async throws {
        try await TestServer.run(Self.binding("regular-web-app"), proxy: TestProxy()) { server in
            let (party, old, new) = (RelyingParty.regularWebApp(server), try TestCertificate(), try TestCertificate())
            let tokens = try await party.redeem(party.code(nil, Self.userInfo), headers: old.headers()).json()
            let next = try await party.refresh(tokens["refresh_token"]?.string ?? "", headers: new.headers()).json()
            #expect(try await Self.userInfo(server, next["access_token"], new.headers()).status == .ok)
            #expect(try await Self.userInfo(server, next["access_token"], old.headers()).status == .unauthorized)
        }
    }

    @Test("Auth0's proof_of_possession with mechanism mtls: the API's tokens are bound where there is a certificate")
    func mechanism() async throws {
        for isRequired in [false, true] {
            var fixtures = Fixtures()
            fixtures.changeAPI {
                $0.proofOfPossession.mechanism = .mtls
                $0.proofOfPossession.isRequired = isRequired
            }
            try await TestServer.run(fixtures, proxy: TestProxy()) { server in
                let (party, own) = (RelyingParty.regularWebApp(server), try TestCertificate())
                let code = try await party.code(nil, Self.api)
                let bearer = try await party.redeem(code)
                #expect((bearer.status == .ok) != isRequired)
                if isRequired {
                    #expect(
                        try bearer.json()["error_description"]
                            == "The API appointments:api requires a client certificate")
                    // A key is no certificate.
                    #expect(try await party.redeem(code, headers: ClientKey(server).headers()).status == .badRequest)
                }
                let bound = try await party.redeem(party.code(nil, Self.api), headers: own.headers()).json()
                #expect(bound["access_token"]?.string?.claims["cnf"] == Self.cnf(own))
                // What is for no API is no affair of the API's.
                let opaque = try await party.redeem(party.code(nil, Self.userInfo), headers: own.headers()).json()
                #expect(try await Self.userInfo(server, opaque["access_token"]).status == .ok)
                let refreshed = try await party.refresh(bound["refresh_token"]?.string ?? "", headers: own.headers())
                #expect(try refreshed.json()["access_token"]?.string?.claims["cnf"] == Self.cnf(own))
            }
        }
    }

    @Test("Auth0's require_proof_of_possession: a client that proves itself with a certificate gets tokens bound to it")
    func requireProofOfPossession() async throws {
        var fixtures = Fixtures()
        fixtures.change("machine") {
            $0.tokenEndpointAuthMethod = .tlsClientAuth
            $0.keys.mutualTLS.expectedName = .init(.subject, "CN=machine,O=Clinic,C=DE")
            $0.requiresProofOfPossession = true
        }
        fixtures.change("regular-web-app") { $0.requiresProofOfPossession = true }
        try await TestServer.run(fixtures, proxy: TestProxy()) { server in
            let own = try TestCertificate()
            let answer = try await RelyingParty(server: server, clientID: "machine", secret: nil).token(
                ["grant_type": "client_credentials", "audience": "appointments:api"], headers: own.headers())
            #expect(try answer.json()["access_token"]?.string?.claims["cnf"] == Self.cnf(own))
            // A client with a secret shows a certificate that nothing is bound to.
            let party = RelyingParty.regularWebApp(server)
            let refused = try await party.redeem(party.code(nil, Self.api), headers: own.headers())
            #expect(try refused.json()["error_description"] == "The application requires a DPoP proof")
        }
    }

    @Test("RFC 9449 §5.2: where tokens are bound to keys, a certificate does not replace the proof")
    func certificateIsNoProof() async throws {
        var fixtures = Fixtures()
        fixtures.change("machine") {
            $0.tokenEndpointAuthMethod = .tlsClientAuth
            $0.keys.mutualTLS.expectedName = .init(.subject, "CN=machine,O=Clinic,C=DE")
            $0.openID.bindsTokensToKeys = true
        }
        try await TestServer.run(fixtures, proxy: TestProxy()) { server in
            let party = RelyingParty(server: server, clientID: "machine", secret: nil)
            let request = ["grant_type": "client_credentials", "audience": "appointments:api"]
            var headers = try TestCertificate().headers()
            let refused = try await party.token(request, headers: headers)
            #expect(refused.status == .badRequest)
            #expect(try refused.json()["error_description"] == "The application requires a DPoP proof")
            headers.append(contentsOf: try ClientKey(server).headers())
            let answer = try await party.token(request, headers: headers)
            #expect(try answer.json()["token_type"] == "DPoP")
        }
    }

    @Test("RFC 8705 §3.1, RFC 9449 §6.1: a token that is bound to a key and a certificate needs both")
    func both() async throws {
        try await TestServer.run(Self.binding("regular-web-app"), proxy: TestProxy()) { server in
            let (party, own, key) = (RelyingParty.regularWebApp(server), try TestCertificate(), ClientKey(server))
            var headers = try key.headers()
            headers.append(contentsOf: own.headers())
            let tokens = try await party.redeem(party.code(nil, Self.userInfo), headers: headers).json()
            #expect(tokens["token_type"] == "DPoP")
            let token = tokens["access_token"]?.string ?? ""
            #expect(
                try await party.introspect(token)["cnf"]
                    == ["jkt": .string(try key.thumbprint), "x5t#S256": .string(own.thumbprint)])
            #expect(try await key.userInfo(token).status == .unauthorized)
            #expect(try await Self.userInfo(server, .string(token), own.headers()).status == .unauthorized)
            var proved: HTTPFields = [
                .authorization: "DPoP \(token)", .dpop: try key.proof("GET", "userinfo", accessToken: token),
            ]
            proved.append(contentsOf: own.headers())
            #expect(try await server.get("/userinfo", headers: proved).status == .ok)
        }
    }

    @Test("RFC 9449 §4.3, RFC 8705 §5: a proof is for the address that the client asks, the issuer's or the alias")
    func proofAtAlias() async throws {
        var proxy = TestProxy()
        proxy.host = "https://mtls.example.com"
        try await TestServer.run(proxy: proxy) { server in
            let (party, key) = (RelyingParty.regularWebApp(server), ClientKey(server))
            for (host, isGood) in [
                ("https://mtls.example.com/", true), (TestServer.issuer, true), ("https://m.example.com/", false),
            ] {
                let proof = try key.proof(claims: ["htu": .string("\(host)oauth/token")])
                let answer = try await party.redeem(party.code(), headers: [.dpop: proof])
                #expect((answer.status == .ok) == isGood, "\(host)")
            }
        }
    }

    @Test("RFC 8693, RFC 8705 §3: what is exchanged for a bound token is bound to the certificate of who exchanges it")
    func exchange() async throws {
        var fixtures = Fixtures.withAPIClient()
        fixtures.change("regular-web-app") { $0.keys.mutualTLS.bindsAccessTokens = true }
        fixtures.change("appointments-api") {
            $0.grantTypes = [.tokenExchange]
            $0.tokenExchange.allowsOnBehalfOf = true
        }
        try await TestServer.run(fixtures, proxy: TestProxy()) { server in
            let (own, service) = (try TestCertificate(), try TestCertificate([("CN", "service")]))
            let party = RelyingParty.regularWebApp(server)
            let token = try await party.redeem(party.code(nil, Self.api), headers: own.headers()).json()["access_token"]
            func exchange(_ headers: HTTPFields) async throws -> TestResponse {
                try await RelyingParty.appointmentsAPI(server).token(
                    [
                        "grant_type": GrantType.tokenExchange.rawValue, "subject_token": token?.string,
                        "subject_token_type": TokenExchangeGrant.accessTokenType, "audience": "appointments:api",
                    ], headers: headers)
            }
            let unbound = try await exchange([:])
            #expect(unbound.status == .badRequest)
            #expect(try unbound.json()["error"] == "invalid_request")
            let bound = try await exchange(service.headers()).json()
            #expect(bound["access_token"]?.string?.claims["cnf"] == Self.cnf(service))
            let key = ClientKey(server)
            let proved = try await exchange(key.headers()).json()
            #expect(proved["access_token"]?.string?.claims["cnf"] == ["jkt": .string(try key.thumbprint)])
        }
    }

    @Test("RFC 8705 §3: a certificate from an untrusted peer binds nothing and opens nothing")
    func untrustedPeer() async throws {
        var proxy = TestProxy()
        proxy.isTrusted = false
        let own = try TestCertificate()
        try await TestServer.run(Self.binding("regular-web-app"), proxy: proxy) { server in
            let party = RelyingParty.regularWebApp(server)
            let refused = try await party.redeem(party.code(nil, Self.api), headers: own.headers())
            #expect(try refused.json()["error_description"] == "The application requires a client certificate")
            let row = AccessToken(
                digest: Secret("stolen").digest, authorizationID: "a", clientID: "regular-web-app",
                userID: User.ada.id, scope: Scope(["openid"]), expiresAt: server.clock.now.addingTimeInterval(60),
                confirmation: Confirmation(certificateThumbprint: own.thumbprint))
            try await server.services.stores.database.write { try AccessTokenStore.insert(row, in: $0) }
            #expect(try await Self.userInfo(server, "stolen", own.headers()).status == .unauthorized)
        }
    }
}
