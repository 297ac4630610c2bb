import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Texts that no database keeps are the client's error, never the server's")
struct HostileTextTests {
    /// A NUL character ends a text for some and is forbidden for others; a long one fits no index.
    static let texts = ["a\0b", "\0", String(repeating: "long-", count: 20_000)]

    @Test("In authorization requests", arguments: texts)
    func authorization(text: String) async throws {
        try await TestServer.run { server in
            let party = RelyingParty.singlePageApp(server)
            for name in [
                "client_id", "redirect_uri", "scope", "state", "nonce", "audience", "login_hint", "prompt",
                "connection",
                "organization", "code_challenge", "response_mode", "anything",
            ] {
                let answer = try await party.authorize(TestBrowser(server), [name: text])
                #expect(answer.status.code < 500, "\(name): \(answer.status)")
            }
        }
    }

    @Test("In token requests", arguments: texts)
    func token(text: String) async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            for name in ["client_id", "client_secret", "code", "redirect_uri", "code_verifier", "grant_type"] {
                let answer = try await party.redeem("code", [name: text])
                #expect((400..<500).contains(answer.status.code), "\(name): \(answer.status)")
            }
            for name in ["refresh_token", "scope", "client_id"] {
                let answer = try await party.refresh("token", [name: text])
                #expect((400..<500).contains(answer.status.code), "\(name): \(answer.status)")
            }
            let revoked = try await server.post(
                "/oauth/revoke",
                form: [("client_id", party.clientID), ("client_secret", Client.regularWebAppSecret), ("token", text)])
            #expect(revoked.status.code < 500)
            let claims = try await server.get("/userinfo", headers: [.authorization: "Bearer \(text.formEncoded)"])
            #expect(claims.status.code < 500)
        }
    }

    @Test("In forms", arguments: texts)
    func forms(text: String) async throws {
        try await TestServer.run { server in
            let browser = TestBrowser(server)
            let started = try await browser.get(RelyingParty.regularWebApp(server).authorizationURL())
            for fields in [
                [("username", text), ("password", "wrong")], [("username", "ada@example.com"), ("password", text)],
            ] {
                let answer = try await browser.submit(started, fields)
                #expect((400..<500).contains(answer.status.code), "\(fields.map(\.0)): \(answer.status)")
            }
            let page = started.location?.replacing("/u/login", with: "/u/signup") ?? ""
            for email in [text, "\(text)@example.com", "a@\(text).com"] {
                let html = try await browser.get(page).text
                let answer = try await browser.post(
                    page,
                    TestBrowser.hiddenFields(html) + [("email", email), ("password", "Analytical-Engine-1843")])
                #expect((400..<500).contains(answer.status.code), "\(answer.status)")
            }
        }
    }
}
