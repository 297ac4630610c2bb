import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

/// The modules of the plans Basic, Implicit and Hybrid, and of Form Post with each, about signing in a second time, and about
/// what must be refused.
@Suite("Conformance: sessions, codes and refusals")
struct CoreSessionTests {
    typealias Profile = ConformanceProfile

    // MARK: prompt, max_age, id_token_hint

    @Test("oidcc-prompt-login (OIDC Core §3.1.2.1, §15.1)", arguments: Profile.all)
    func promptLogin(_ profile: Profile) async throws {
        try await ConformanceClient.run(profile) { client in
            let browser = TestBrowser(client.server)
            let first = try await client.signIn(browser: browser)
            client.server.clock.advance(by: 1)
            let second = try await client.signIn(["prompt": "login"], browser: browser)
            #expect(second.sawLogin)
            if let before = first.claims["auth_time"]?.integer, let after = second.claims["auth_time"]?.integer {
                #expect(after > before)
            }
            #expect(second.claims["auth_time"]?.integer == Int(client.server.clock.now.timeIntervalSince1970))
        }
    }

    @Test("oidcc-prompt-none-not-logged-in (OIDC Core §3.1.2.6, §15.1)", arguments: Profile.all)
    func promptNoneNotLoggedIn(_ profile: Profile) async throws {
        try await ConformanceClient.run(profile) { client in
            // A long state must come back whole.
            let state = (Secret.random().text + Secret.random().text + Secret.random().text).prefix(128)
            let request = client.request(["prompt": "none", "state": String(state)])
            let (response, sawLogin) = try await client.send(request, TestBrowser(client.server))
            #expect(!sawLogin)
            let error = client.refusal(response, to: request) ?? ""
            let needPages = [
                "interaction_required", "login_required", "account_selection_required", "consent_required",
            ]
            #expect(needPages.contains(error))
        }
    }

    /// Signs in, and once more with other parameters: no page, the same user, the same login.
    private static func again(
        _ profile: Profile, first: [String: String?] = [:], showsTime: Bool = false,
        second: @escaping @Sendable (ConformanceClient.SignIn) -> [String: String?]
    ) async throws {
        try await ConformanceClient.run(profile) { client in
            let browser = TestBrowser(client.server)
            let before = try await client.signIn(first, browser: browser)
            client.server.clock.advance(by: 1)
            let after = try await client.signIn(second(before), browser: browser)
            #expect(before.sawLogin && !after.sawLogin)
            #expect(before.claims["sub"] == after.claims["sub"])
            if showsTime { #expect(before.claims["auth_time"] != nil && after.claims["auth_time"] != nil) }
            if let time = before.claims["auth_time"], let later = after.claims["auth_time"] { #expect(time == later) }
        }
    }

    @Test("oidcc-prompt-none-logged-in (OIDC Core §3.1.2.1, §15.1)", arguments: Profile.all)
    func promptNoneLoggedIn(_ profile: Profile) async throws {
        try await Self.again(profile) { _ in ["prompt": "none"] }
    }

    @Test("oidcc-id-token-hint (OIDC Core §3.1.2.1, §3.1.2.2)", arguments: Profile.all)
    func idTokenHint(_ profile: Profile) async throws {
        try await Self.again(profile) { ["prompt": "none", "id_token_hint": $0.idToken] }
    }

    @Test("oidcc-max-age-10000 (OIDC Core §2, §3.1.2.1, §15.1)", arguments: Profile.all)
    func maxAge10000(_ profile: Profile) async throws {
        try await Self.again(profile, first: ["max_age": "15000"], showsTime: true) { _ in ["max_age": "10000"] }
    }

    @Test("oidcc-max-age-1 (OIDC Core §2, §3.1.2.1, §15.1)", arguments: Profile.all)
    func maxAge1(_ profile: Profile) async throws {
        try await ConformanceClient.run(profile) { client in
            let browser = TestBrowser(client.server)
            let first = try await client.signIn(browser: browser)
            client.server.clock.advance(by: 2)
            let second = try await client.signIn(["max_age": "1"], browser: browser)
            #expect(first.sawLogin && second.sawLogin)
            #expect(second.claims["auth_time"]?.integer == Int(client.server.clock.now.timeIntervalSince1970))
        }
    }

    // MARK: Codes and refresh tokens

    @Test("oidcc-codereuse (RFC 6749 §4.1.2)", arguments: Profile.withCode)
    func codeReuse(_ profile: Profile) async throws {
        try await Self.reuse(profile, after: 0)
    }

    @Test("oidcc-codereuse-30seconds (RFC 6749 §4.1.2)", arguments: Profile.withCode)
    func codeReuseLater(_ profile: Profile) async throws {
        try await Self.reuse(profile, after: 30)
    }

    /// A code that is sent again, after some seconds: refused, and what it gave is taken back.
    private static func reuse(_ profile: Profile, after seconds: TimeInterval) async throws {
        try await ConformanceClient.run(profile) { client in
            let signIn = try await client.signIn()
            client.server.clock.advance(by: seconds)
            try Self.expectInvalidGrant(await client.redeem(signIn.code ?? ""))
            let used = try await client.server.get(
                "/userinfo", headers: [.authorization: "Bearer \(signIn.tokens["access_token"]?.string ?? "")"])
            #expect(used.status == .unauthorized)
        }
    }

    private static func expectInvalidGrant(_ response: TestResponse) throws {
        #expect(response.status == .badRequest)
        #expect(response.headers[.contentType]?.hasPrefix("application/json") == true)
        let body = try response.json()
        #expect(body["error"] == "invalid_grant")
        let text = body["error_description"]?.string ?? ""
        #expect(text.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C })
    }

    @Test("oidcc-refresh-token (OIDC Core §12)", arguments: Profile.withCode)
    func refreshToken(_ profile: Profile) async throws {
        try await ConformanceClient.run(
            profile,
            { fixtures in
                // The suite has two clients: the second one is another owner's.
                fixtures.change("third-party-app") {
                    $0.tokenEndpointAuthMethod = .clientSecretBasic
                    $0.grantTypes.insert(.implicit)
                }
            }
        ) { client in
            let metadata = try await client.server.get("/.well-known/openid-configuration").json()
            #expect(metadata["grant_types_supported"]?.array?.contains("refresh_token") == true)
            let (request, browser) = (
                ["scope": "openid offline_access", "prompt": "consent"], TestBrowser(client.server)
            )
            let first = try await client.signIn(request, browser: browser)
            let token = first.tokens["refresh_token"]?.string ?? ""
            #expect(!token.isEmpty && token.utf8.allSatisfy { (0x20...0x7E).contains($0) })
            client.server.clock.advance(by: 1)
            let form = [("grant_type", "refresh_token"), ("refresh_token", token)]
            let refreshed = try client.checkedTokens(
                try await client.token(form + [("scope", "openid offline_access")]))
            let access = refreshed["access_token"]?.string ?? ""
            #expect(access != first.tokens["access_token"]?.string)
            #expect(Set(access).count > 8 && access.utf8.allSatisfy { (0x21...0x7E).contains($0) })
            // OpenID Connect Core §12.2: the same login, issued anew.
            let (old, new) = (first.claims, refreshed["id_token"]?.string?.claims ?? [:])
            for name in ["iss", "sub", "aud", "azp", "auth_time"] { #expect(old[name] == new[name], "\(name)") }
            #expect((new["iat"]?.integer ?? 0) > (old["iat"]?.integer ?? .max))
            #expect(new["nonce"] == nil || new["nonce"] == old["nonce"])
            let found = try await client.server.get("/userinfo", headers: [.authorization: "Bearer \(access)"])
            #expect(found.status == .ok)

            var other = client
            (other.clientID, other.proof) = ("third-party-app", .basic(Client.thirdPartySecret))
            let second = try await other.signIn(request)
            let foreign = second.tokens["refresh_token"]?.string ?? ""
            #expect(!foreign.isEmpty)
            try Self.expectInvalidGrant(
                await client.token([("grant_type", "refresh_token"), ("refresh_token", foreign)]))
        }
    }

    // MARK: Redirect URIs

    @Test("oidcc-ensure-registered-redirect-uri (OIDC Core §3.1.2.1)", arguments: Profile.all)
    func registeredRedirectURI(_ profile: Profile) async throws {
        try await ConformanceClient.run(profile) { client in
            for uri in [Client.callback + Secret.random().text, Client.callback + "/x", Client.callback + "?x=1"] {
                let response = try await client.server.get(
                    ConformanceClient.url(client.request(["redirect_uri": uri])))
                #expect(response.location == nil)
                #expect((400..<500).contains(response.status.code))
                #expect(response.headers[.contentType]?.hasPrefix("text/html") == true)
                #expect(!response.text.contains("<form"))
            }
        }
    }

    // MARK: Request objects

    @Test(
        "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported (OIDC Core §6.1)",
        arguments: Profile.all)
    func requestObjectUnsigned(_ profile: Profile) async throws {
        try await ConformanceClient.run(profile) { client in
            let request = client.request()
            // What is not in the object is what a request must have anyway; without the object the answer has no state.
            var sent = request.filter { ["response_type", "client_id", "scope", "redirect_uri"].contains($0.key) }
            sent["request"] = try client.unsignedObject(request)
            let (response, sawLogin) = try await client.send(sent, TestBrowser(client.server))
            _ = try await client.finish(response, of: request, sawLogin: sawLogin)
        }
    }

    @Test(
        "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported (OIDC Core §6.2)",
        arguments: Profile.all)
    func requestURIUnsigned(_ profile: Profile) async throws {
        try await ConformanceClient.run(profile) { client in
            // The client has registered no address; one that has is DynamicPlanTests' business.
            let request = client.request(["request_uri": "https://app.example.com/request.jwt"])
            let error = client.refusal(
                try await client.send(request, TestBrowser(client.server)).response, to: request)
            #expect(error == "request_uri_not_supported")
        }
    }

    @Test("oidcc-ensure-request-object-with-redirect-uri (OIDC Core §6.1)", arguments: Profile.all)
    func requestObjectRedirectURI(_ profile: Profile) async throws {
        try await ConformanceClient.run(profile) { client in
            let request = client.request()
            let wrong = Client.callback + Secret.random().text
            var sent = request.merging(["redirect_uri": wrong]) { $1 }
            sent["request"] = try client.unsignedObject(request)
            let (response, sawLogin) = try await client.send(sent, TestBrowser(client.server))
            _ = try await client.finish(response, of: request, sawLogin: sawLogin)
            // Where the wrong one is in the object, the right one beside it does not help.
            let object = try client.unsignedObject(request.merging(["redirect_uri": wrong]) { $1 })
            let refused = try await client.server.get(
                ConformanceClient.url(request.merging(["request": object]) { $1 }))
            #expect(refused.location == nil)
            #expect((400..<500).contains(refused.status.code))
        }
    }
}
