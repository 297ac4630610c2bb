import AuthorizationServer
import Crypto
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("id_token_hint of a logout")
struct IDTokenHintTests {
    private static func refuses(
        _ token: String, _ browser: TestBrowser, _ comment: Comment, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let answer = try await browser.get(
            TestServer.logoutURL(["id_token_hint": token, "post_logout_redirect_uri": "https://app.example.com/"]))
        #expect(answer.status == .badRequest, comment, sourceLocation: sourceLocation)
        #expect(answer.location == nil, comment, sourceLocation: sourceLocation)
        #expect(answer.text.contains("Invalid id_token_hint"), comment, sourceLocation: sourceLocation)
        #expect(try await browser.isLoggedIn(), comment, sourceLocation: sourceLocation)
    }

    private static func encode(_ json: String) -> String { Base64URL.encode(Array(json.utf8)) }

    private static func hmac(_ message: String, _ secret: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(
            for: Array(message.utf8), using: SymmetricKey(data: Array(secret.utf8)))
        return message + "." + Base64URL.encode(Array(code))
    }

    @Test(
        "oidcc-rp-initiated-logout-bad-id-token-hint, -modified-id-token-hint §2: a token that is not ours is refused")
    func notOurs() async throws {
        try await TestServer.run { server in
            let browser = TestBrowser(server)
            let token = try await browser.idToken(.regularWebApp(server))
            let parts = token.split(separator: ".").map(String.init)
            let none = Self.encode(#"{"alg":"none","typ":"JWT"}"#)
            try await Self.refuses("\(none).\(parts[1]).", browser, "alg none without a signature")
            try await Self.refuses("\(none).\(parts[1]).\(parts[2])", browser, "alg none with one")
            try await Self.refuses("\(parts[0]).\(parts[1])x.\(parts[2])", browser, "altered claims")
            try await Self.refuses("nonsense", browser, "no token")
            let hs256 = Self.encode(#"{"alg":"HS256","typ":"JWT"}"#)
            try await Self.refuses(
                Self.hmac("\(hs256).\(parts[1])", Client.regularWebAppSecret), browser,
                "the client's secret, although its tokens are signed with RS256")
            let key = try await server.get("/.well-known/jwks.json").json()["keys"]?.array?.first?.object ?? [:]
            try await Self.refuses(
                Self.hmac("\(hs256).\(parts[1])", key["n"]?.string ?? ""), browser, "the public key as a secret")
        }
    }

    @Test("RFC 8725 §3.12: neither an access token nor one of an application that is gone passes for an ID token")
    func otherTokens() async throws {
        try await TestServer.run { server in
            let browser = TestBrowser(server)
            let party = RelyingParty.regularWebApp(server)
            let code = try await party.code(browser, ["audience": "appointments:api"])
            let access = try await party.redeem(code).json()["access_token"]?.string ?? ""
            #expect(access.claims["sub"]?.string == User.ada.id)
            try await Self.refuses(access, browser, "an access token")
            let gone = try await browser.idToken(.singlePageApp(server))
            try await server.services.stores.database.write { try ClientStore.delete("single-page-app", in: $0) }
            try await server.services.configuration.refresh()
            try await Self.refuses(gone, browser, "an application that is gone")
        }
    }

    @Test("A key that was rotated away still proves what it signed")
    func previousKey() async throws {
        try await TestServer.run { server in
            let browser = TestBrowser(server)
            let token = try await browser.idToken(.regularWebApp(server))
            _ = try await server.services.signingKeys.rotate(at: server.clock.now)
            try await server.services.configuration.refresh()
            let answer = try await browser.get(
                TestServer.logoutURL(["id_token_hint": token, "post_logout_redirect_uri": "https://app.example.com/"]))
            #expect(answer.location == "https://app.example.com/")
            #expect(try await !browser.isLoggedIn())
        }
    }

    @Test("An HS256 token is proved by its own application's secret, and by no other's")
    func sharedSecret() async throws {
        var fixtures = Fixtures()
        fixtures.change("regular-web-app") { $0.idTokenAlgorithm = .hs256 }
        try await TestServer.run(fixtures) { server in
            let browser = TestBrowser(server)
            let token = try await browser.idToken(.regularWebApp(server))
            #expect(token.tokenHeader["alg"] == "HS256")
            let message = token.split(separator: ".").prefix(2).joined(separator: ".")
            try await Self.refuses(Self.hmac(message, Client.thirdPartySecret), browser, "another secret")
            #expect(Self.hmac(message, Client.regularWebAppSecret) == token)
            let answer = try await browser.get(
                TestServer.logoutURL(["id_token_hint": token, "post_logout_redirect_uri": "https://app.example.com/"]))
            #expect(answer.location == "https://app.example.com/")
            #expect(try await !browser.isLoggedIn())
        }
    }
}
