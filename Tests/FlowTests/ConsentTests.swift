import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Consent")
struct ConsentTests {
    /// Fixtures whose API asks first-party applications too.
    static var asking: Fixtures {
        var fixtures = Fixtures()
        fixtures.changeAPI { $0.skipsConsentForVerifiableFirstPartyClients = false }
        return fixtures
    }

    static let wanted: [String: String?] = ["audience": "appointments:api", "scope": "openid appointments read:notes"]

    @Test("Auth0: asked until allowed; then not again; a new scope asks again")
    func storedAndWidened() async throws {
        try await TestServer.run(Self.asking) { server in
            let browser = TestBrowser(server)
            let party = RelyingParty.regularWebApp(server)
            let asked = try await party.authorize(browser, Self.wanted)
            #expect(asked.location?.hasPrefix("/u/consent?state=") == true)
            let page = try await browser.get(asked.location ?? "").text
            #expect(page.contains("See your appointments"))
            #expect(page.contains("read your notes"))
            let answer = try await browser.follow(browser.submit(asked, [("action", "accept")]))
            #expect(answer.query("code") != nil)
            #expect(try await browser.get(party.authorizationURL(Self.wanted)).query("code") != nil)
            let wider: [String: String?] = [
                "audience": "appointments:api", "scope": "openid contacts", "prompt": "none",
            ]
            #expect(try await browser.get(party.authorizationURL(wider)).query("error") == "consent_required")
        }
    }

    @Test("A first-party application needs no consent to the profile, nor to an API that says so; a third party does")
    func parties() async throws {
        try await TestServer.run { server in
            #expect(
                try await RelyingParty.regularWebApp(server).authorize(TestBrowser(server), Self.wanted).query("code")
                    != nil)
            let third = try await RelyingParty.thirdParty(server).authorize(TestBrowser(server))
            #expect(third.location?.hasPrefix("/u/consent") == true)
        }
    }

    @Test("OIDC Core §3.1.2.1: prompt=consent asks again although everything was allowed")
    func promptConsent() async throws {
        try await TestServer.run { server in
            let browser = TestBrowser(server)
            let party = RelyingParty.regularWebApp(server)
            let asked = try await party.authorize(browser, ["prompt": "consent"])
            #expect(asked.location?.hasPrefix("/u/consent") == true)
            let answer = try await browser.follow(browser.submit(asked, [("action", "accept")]))
            #expect(answer.query("code") != nil)
            let again = try await browser.get(party.authorizationURL(["prompt": "consent"]))
            #expect(again.location?.hasPrefix("/u/consent") == true)
        }
    }

    @Test("RFC 6749 §4.1.2.1: declining is access_denied with the state, and the session stays")
    func declined() async throws {
        try await TestServer.run(Self.asking) { server in
            let browser = TestBrowser(server)
            let party = RelyingParty.regularWebApp(server)
            let asked = try await party.authorize(browser, Self.wanted)
            let answer = try await browser.follow(browser.submit(asked, [("action", "deny")]))
            #expect(answer.query("error") == "access_denied")
            #expect(answer.query("error_description") == "User did not authorize the request")
            #expect(answer.query("state") == "xyzABC123")
            #expect(try await browser.get(party.authorizationURL(["prompt": "none"])).query("code") != nil)
        }
    }

    @Test("Consent without the page's own token, or with another transaction's, allows nothing")
    func forged() async throws {
        try await TestServer.run(Self.asking) { server in
            let browser = TestBrowser(server)
            let party = RelyingParty.regularWebApp(server)
            let asked = try await party.authorize(browser, Self.wanted)
            let page = asked.location ?? ""
            for token in ["", "wrong"] {
                let answer = try await browser.post(page, [("_csrf", token), ("action", "accept")])
                #expect(answer.status == .ok)
                #expect(answer.location == nil)
            }
            let other = try await browser.get(party.authorizationURL(Self.wanted))
            let fields = TestBrowser.hiddenFields(try await browser.get(other.location ?? "").text)
            #expect(try await browser.post(page, fields + [("action", "accept")]).location == nil)
            let silent = try await browser.get(party.authorizationURL(Self.wanted.merging(["prompt": "none"]) { $1 }))
            #expect(silent.query("error") == "consent_required")
        }
    }

    @Test("Auth0: with role-based access control only the user's permissions are granted")
    func roleBasedAccess() async throws {
        var fixtures = Fixtures()
        fixtures.changeAPI { api in
            api.enforcesPolicies = true
            api.tokenDialect = .accessTokenAuthz
        }
        try await TestServer.run(fixtures) { server in
            let role = try Role(
                document: Document(
                    [
                        "name": "Reader",
                        "permissions": [
                            ["resource_server_identifier": "appointments:api", "permission_name": "read:notes"]
                        ],
                    ], path: "role"), standardID: "rol_1")
            try await server.services.stores.database.write { transaction in
                try RoleStore.save(role, in: transaction)
                try RoleStore.assign(roleID: "rol_1", to: User.ada.id, in: transaction)
            }
            let tokens = try await RelyingParty.regularWebApp(server).tokens(Self.wanted)
            #expect(tokens["scope"] == "openid read:notes")
            #expect(tokens["access_token"]?.string?.claims["permissions"] == ["read:notes"])
        }
    }
}
