import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

/// Nobody becomes somebody else by an e-mail address: the attacks of "Pre-hijacked accounts" (Sudhodanan and Paverd, 2022), and
/// linking with proof of both accounts.
@Suite("Linked and pre-hijacked accounts")
struct AccountLinkingTests {
    private static let audience = "https://login.example.com/api/v2/"

    /// Somebody who may link accounts to their own, signed in with the stand-in provider or as Ada.
    private static func person(_ browser: TestBrowser, _ connection: String?) async throws -> ManagementClient {
        let party = RelyingParty.regularWebApp(browser.server)
        let asking: [String: String?] = [
            "audience": audience, "scope": "openid email update:current_user_identities", "connection": connection,
        ]
        let answer =
            connection == nil
            ? try await party.authorize(browser, asking)
            : try await UpstreamLoginTests.arrive(
                browser, UpstreamLoginTests.depart(browser, asking), "user=7&email=ada@example.com")
        let tokens = try await party.redeem(answer.query("code") ?? "").json()
        return ManagementClient(browser.server, token: tokens["access_token"]?.string ?? "")
    }

    private static func idToken(
        _ browser: TestBrowser, _ query: String, party: RelyingParty? = nil
    ) async throws -> String {
        let party = party ?? RelyingParty.regularWebApp(browser.server)
        let departure = try await browser.get(party.authorizationURL(["connection": "stand-in"]))
        let answer = try await UpstreamLoginTests.arrive(browser, departure, query)
        return try await party.redeem(answer.query("code") ?? "").json()["id_token"]?.string ?? ""
    }

    @Test("Two accounts that both are their owner's become one user, who signs in with either")
    func link() async throws {
        try await TestServer.run(UpstreamLoginTests.fixtures("stand-in")) { server in
            let ada = try await Self.person(TestBrowser(server), nil)
            let proof = try await Self.idToken(TestBrowser(server), "user=7&email=other@example.com")
            let path = "users/\(User.ada.id.formEncoded)/identities"
            let linked = try await ada.send(.post, path, ["link_with": .string(proof)])
            #expect(linked.status == .created)
            #expect(linked.text.contains(#""provider":"stand-in""#))
            let claims = try await UpstreamLoginTests.claims(TestBrowser(server), "user=7&email=new@example.com")
            #expect(claims["sub"] == .string(User.ada.id))
            // What the provider says now is the identity's, not the user's.
            #expect(claims["email"] == "ada@example.com")
            let management = try await ManagementClient(server)
            let user = try await management.get("users/\(User.ada.id.formEncoded)")
            #expect(user["identities"]?.array?.last?.object?["profileData"]?.object?["email"] == "new@example.com")
            let removed = try await management.send(.delete, path + "/stand-in/7")
            #expect(removed.status == .ok)
            #expect(try await UpstreamLoginTests.claims(TestBrowser(server), "user=7")["sub"] == "stand-in|7")
        }
    }

    @Test("security.md 28: an ID token of another application proves nothing here")
    func foreignProof() async throws {
        var fixtures = UpstreamLoginTests.fixtures("stand-in")
        fixtures.connections[1].enabledClients = ["regular-web-app", "single-page-app"]
        try await TestServer.run(fixtures) { server in
            let ada = try await Self.person(TestBrowser(server), nil)
            let proof = try await Self.idToken(
                TestBrowser(server), "user=victim", party: RelyingParty.singlePageApp(server))
            #expect(!proof.isEmpty)
            let answer = try await ada.send(
                .post, "users/\(User.ada.id.formEncoded)/identities", ["link_with": .string(proof)])
            #expect(answer.status == .badRequest)
            #expect(answer.text.contains("another application"))
        }
    }

    @Test("An ID token that has ended proves nothing any more")
    func expiredProof() async throws {
        try await TestServer.run(UpstreamLoginTests.fixtures("stand-in")) { server in
            let proof = try await Self.idToken(TestBrowser(server), "user=7")
            server.clock.advance(by: 36_001)
            let ada = try await Self.person(TestBrowser(server), nil)
            let answer = try await ada.send(
                .post, "users/\(User.ada.id.formEncoded)/identities", ["link_with": .string(proof)])
            #expect(answer.status == .badRequest)
        }
    }

    @Test("security.md 30, classic-federated merge: an account with somebody's address is not theirs, verified or not")
    func merge() async throws {
        try await TestServer.run(UpstreamLoginTests.fixtures("stand-in")) { server in
            for query in ["user=7&email=ada@example.com", "user=8&email=ada@example.com&email_verified=true"] {
                let claims = try await UpstreamLoginTests.claims(TestBrowser(server), query)
                #expect(claims["sub"]?.string?.hasPrefix("stand-in|") == true)
            }
            #expect(try await server.services.stores.users.find(User.ada.id)?.loginsCount == 0)
        }
    }

    @Test(
        "security.md 30, non-verifying provider: whoever signs up with a victim's address leaves it free for its owner")
    func nonVerifyingProvider() async throws {
        try await TestServer.run(UpstreamLoginTests.fixtures("stand-in")) { server in
            _ = try await UpstreamLoginTests.claims(TestBrowser(server), "user=evil&email=victim@example.com")
            let browser = TestBrowser(server)
            let start = try await UpstreamLoginTests.depart(browser, ["screen_hint": "signup"])
            let answer = try await browser.follow(
                browser.submit(start, [("email", "victim@example.com"), ("password", "Own-Passw0rd-1906")]))
            let code = try #require(answer.query("code"))
            let claims = try await RelyingParty.regularWebApp(server).redeem(code).json()["id_token"]?.string?.claims
            #expect(claims?["sub"]?.string?.hasPrefix("auth0|") == true)
            let attacker = try await UpstreamLoginTests.claims(
                TestBrowser(server), "user=evil&email=victim@example.com")
            #expect(attacker["sub"] == "stand-in|evil")
        }
    }

    @Test("security.md 30, trojan identifier: nothing is linked to an account whose address is not proved")
    func trojanIdentifier() async throws {
        var fixtures = UpstreamLoginTests.fixtures("stand-in")
        fixtures.users[0].0.isEmailVerified = false
        try await TestServer.run(fixtures) { server in
            let attacker = try await Self.person(TestBrowser(server), nil)
            let own = try await Self.idToken(TestBrowser(server), "user=evil")
            let answer = try await attacker.send(
                .post, "users/\(User.ada.id.formEncoded)/identities", ["link_with": .string(own)])
            #expect(answer.status == .forbidden)
            #expect(try await UpstreamLoginTests.claims(TestBrowser(server), "user=evil")["sub"] == "stand-in|evil")
        }
    }

    @Test("security.md 30, unexpired session: a new password ends the sessions that were there before")
    func unexpiredSession() async throws {
        try await TestServer.run(UpstreamLoginTests.fixtures("stand-in")) { server in
            let attacker = TestBrowser(server)
            _ = try await RelyingParty.regularWebApp(server).authorize(attacker)
            let management = try await ManagementClient(server)
            let changed = try await management.send(
                .patch, "users/\(User.ada.id.formEncoded)", ["password": "Analytical-Engine-1844"])
            #expect(changed.status == .ok)
            let silent = try await UpstreamLoginTests.depart(attacker, ["prompt": "none"])
            #expect(silent.query("error") == "login_required")
        }
    }

    @Test("security.md 29, 30, changed address: what a provider says of an address moves nobody into another account")
    func changedAddress() async throws {
        try await TestServer.run(UpstreamLoginTests.fixtures("stand-in")) { server in
            _ = try await UpstreamLoginTests.claims(TestBrowser(server), "user=7&email=mine@example.com")
            let claims = try await UpstreamLoginTests.claims(
                TestBrowser(server), "user=7&email=grace@example.com&email_verified=true")
            #expect(claims["sub"] == "stand-in|7")
            let found = try await server.services.stores.users.find(
                connection: "Username-Password-Authentication", identifier: "grace@example.com")
            #expect(found?.user.id == User.grace.id)
        }
    }
}
