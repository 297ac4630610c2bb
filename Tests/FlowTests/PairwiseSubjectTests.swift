import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Pairwise subjects and their sectors")
struct PairwiseSubjectTests {
    private static let sector = "https://sector.example.com/uris.json"

    /// Two applications of the tenant's own with pairwise subjects.
    private static func fixtures(api: Bool = true) -> Fixtures {
        var fixtures = Fixtures.openRegistration
        for name in ["regular-web-app", "single-page-app"] {
            fixtures.change(name) { $0.openID.subjectType = .pairwise }
        }
        fixtures.change("single-page-app") { $0.openID.sectorIdentifierURI = "https://other.example.com/uris.json" }
        return fixtures
    }

    @Test("OIDC Core §8.1: one sub in ID token, userinfo, access token and introspection, another in another sector")
    func everywhere() async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let party = RelyingParty.regularWebApp(server)
            let first = try await party.tokens(["scope": "openid identities"])
            let sub = try #require(first["id_token"]?.string?.claims["sub"]?.string)
            #expect(sub != User.ada.id && sub.utf8.count <= 255)
            #expect(!(Base64URL.decode(sub).map { String(decoding: $0, as: UTF8.self) } ?? "").contains("auth0"))
            // The user's id stands nowhere else either.
            #expect(first["id_token"]?.string?.claims["identities"] == nil)
            let second = try await party.tokens(["audience": "appointments:api", "scope": "openid appointments"])
            #expect(second["id_token"]?.string?.claims["sub"]?.string == sub)
            #expect(second["access_token"]?.string?.claims["sub"]?.string == sub)
            for tokens in [first, second] {
                let token = tokens["access_token"]?.string ?? ""
                let claims = try await server.get("/userinfo", headers: [.authorization: "Bearer \(token)"]).json()
                #expect(claims["sub"]?.string == sub)
                #expect(claims["identities"] == nil)
                let description = try await server.post(
                    "/oauth/introspect",
                    form: [
                        ("token", token), ("client_id", party.clientID), ("client_secret", party.secret ?? ""),
                    ]
                ).json()
                #expect(description["active"] == true)
                #expect(description["sub"]?.string == sub)
            }
            let other = RelyingParty.singlePageApp(server)
            let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
            let code = try await other.code(
                nil,
                [
                    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256",
                ])
            let token = try await other.redeem(code, ["code_verifier": verifier]).json()["id_token"]?.string ?? ""
            #expect(token.claims["sub"]?.string?.isEmpty == false)
            #expect(token.claims["sub"]?.string != sub && token.claims["sub"]?.string != User.ada.id)
        }
    }

    @Test("OIDC Core §8.1: a sub of another sector, altered or made up leads to nobody")
    func foreign() throws {
        let subjects = ServerSecret("a secret for tests that has more than thirty-two characters").subjects
        var client = Client(clientID: "a", name: "A")
        client.openID.subjectType = .pairwise
        client.callbacks = [try RegisteredURI("https://a.example.com/cb")]
        var other = client
        other.callbacks = [try RegisteredURI("https://b.example.com/cb")]
        let sub = try subjects.sub(of: .ada, for: client)
        #expect(try subjects.sub(of: .ada, for: client) == sub)
        #expect(subjects.userID(of: sub, for: client) == User.ada.id)
        #expect(subjects.userID(of: sub, for: other) == nil)
        #expect(try subjects.sub(of: .ada, for: other) != sub)
        #expect(try subjects.sub(of: .grace, for: client) != sub)
        #expect(subjects.userID(of: User.ada.id, for: client) == nil)
        #expect(subjects.userID(of: String(sub.dropLast()) + "A", for: client) == nil)
        // Of one host, whichever client asks: a sector (§8.1).
        var sibling = client
        sibling.clientID = "b"
        sibling.callbacks = [try RegisteredURI("https://A.example.com/other")]
        #expect(try subjects.sub(of: .ada, for: sibling) == sub)
        let another = ServerSecret("another secret for tests that has more than thirty-two characters").subjects
        #expect(try another.sub(of: .ada, for: client) != sub)
        var long = User.ada
        long.id = "auth0|" + String(repeating: "x", count: 249)
        #expect(try subjects.sub(of: long, for: client).utf8.count <= 255)
        client.openID.subjectType = .public
        #expect(try subjects.sub(of: .ada, for: client) == User.ada.id)
    }

    @Test("oidcc-registration-sector-uri, -sector-bad: the sector's list must have every redirect URI")
    func sectorList() async throws {
        let web = SimulatedWeb()
        try await TestServer.run(.openRegistration, outbound: web) { server in
            let metadata = DynamicClient.metadata([
                "subject_type": "pairwise", "sector_identifier_uri": .string(Self.sector),
                "redirect_uris": ["https://a.example.com/cb", "https://b.example.com/cb"],
            ])
            for (list, status) in [
                (["https://a.example.com/cb", "https://b.example.com/cb", "https://c.example.com/"], 200),
                (["https://example.com/op"], 200), (["https://a.example.com/cb"], 200), ([1], 200), ("text", 200),
                (["https://a.example.com/cb", "https://b.example.com/cb"], 404),
            ] as [(JSONValue, Int)] {
                try web.publish(list, at: Self.sector, status: status)
                let answer = try await DynamicClient.send(metadata, to: server)
                if list.array?.count == 3 {
                    #expect(answer.status == .created)
                    #expect(try answer.json()["subject_type"] == "pairwise")
                    #expect(try answer.json()["sector_identifier_uri"]?.string == Self.sector)
                } else {
                    #expect(answer.status == .badRequest)
                    #expect(try answer.json()["error"] == "invalid_client_metadata")
                    #expect(try answer.json()["error_description"]?.string?.hasPrefix("sector_identifier_uri") == true)
                }
            }
            try web.publish(nil, at: Self.sector)
            #expect(try await DynamicClient.send(metadata, to: server).status == .badRequest)
        }
    }

    @Test("Security: a sector's address inside the network is not asked, and the answer does not tell what is there")
    func serverSideRequest() async throws {
        try await TestServer.run(.openRegistration) { server in
            var descriptions: Set<String> = []
            for uri in ["https://10.0.0.1/x", "https://169.254.169.254/latest", "https://[fd00::1]/x"] {
                let answer = try await DynamicClient.send(
                    DynamicClient.metadata(["sector_identifier_uri": .string(uri)]), to: server)
                #expect(answer.status == .badRequest)
                descriptions.insert(try answer.json()["error_description"]?.string ?? "")
            }
            #expect(descriptions.count == 1)
        }
    }

    @Test("OIDC Core §8.1: without a list the redirect URIs of a pairwise client have one host, and are used")
    func oneHost() async throws {
        try await TestServer.run(.openRegistration) { server in
            for (changes, isAllowed) in [
                (["redirect_uris": ["https://a.example.com/cb", "https://a.example.com/cb2"]], true),
                (["redirect_uris": ["https://a.example.com/cb", "https://b.example.com/cb"]], false),
                (["redirect_uris": ["com.example.app:/cb"], "application_type": "native"], false),
                (["grant_types": ["client_credentials"], "redirect_uris": nil], false),
                (["grant_types": ["authorization_code", "client_credentials"]], false),
            ] as [([String: JSONValue?], Bool)] {
                let answer = try await DynamicClient.send(
                    DynamicClient.metadata(changes.merging(["subject_type": "pairwise"]) { $1 }), to: server)
                #expect((answer.status == .created) == isAllowed, "\(changes)")
            }
        }
    }

    @Test("oidcc-userinfo-rs256: userinfo is a signed JWT with iss and aud where that is registered")
    func signedUserInfo() async throws {
        var fixtures = Fixtures.openRegistration
        fixtures.change("regular-web-app") { $0.openID.userInfoAlgorithm = .rs256 }
        try await TestServer.run(fixtures) { server in
            let discovery = try await server.get("/.well-known/openid-configuration").json()
            #expect(discovery["userinfo_signing_alg_values_supported"]?.array?.contains("RS256") == true)
            #expect(discovery["subject_types_supported"] == ["public", "pairwise"])
            let token = try await RelyingParty.regularWebApp(server).tokens(["nonce": "n-1"])["access_token"]?.string
            let answer = try await server.get("/userinfo", headers: [.authorization: "Bearer \(token ?? "")"])
            #expect(answer.headers[.contentType] == "application/jwt")
            let keys = try await server.services.configuration.keyRing()
            let claims = try #require(JSONWebToken.verify(answer.text, keys: keys))
            #expect(answer.text.tokenHeader["alg"] == "RS256")
            #expect(claims["iss"]?.string == TestServer.issuer)
            #expect(claims["aud"] == "regular-web-app")
            #expect(claims["sub"]?.string == User.ada.id)
            #expect(claims["email"] == "ada@example.com")
            #expect(claims["nonce"] == nil)
            // It can be taken neither for an ID token nor for an access token.
            #expect(claims["exp"] == nil)
            let again = try await server.get("/userinfo", headers: [.authorization: "Bearer \(answer.text)"])
            #expect(again.status == .unauthorized)
        }
    }
}
