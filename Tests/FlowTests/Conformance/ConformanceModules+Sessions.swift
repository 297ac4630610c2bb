import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

/// The modules about signing in a second time, and about what must be refused.
extension ConformanceModules {
    // MARK: prompt, max_age, id_token_hint

    static func promptLogin(_ profile: Profile) async throws {
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

    static func promptNoneNotLoggedIn(_ profile: Profile) async throws {
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

    static func promptNoneLoggedIn(_ profile: Profile) async throws {
        try await again(profile) { _ in ["prompt": "none"] }
    }

    static func idTokenHint(_ profile: Profile) async throws {
        try await again(profile) { ["prompt": "none", "id_token_hint": $0.idToken] }
    }

    static func maxAge10000(_ profile: Profile) async throws {
        try await again(profile, first: ["max_age": "15000"], showsTime: true) { _ in ["max_age": "10000"] }
    }

    static func maxAge1(_ profile: Profile) async throws {
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

    /// A code that is sent again, after some seconds: refused, and what it gave is taken back.
    static func codeReuse(_ profile: Profile, after seconds: TimeInterval) async throws {
        try await ConformanceClient.run(profile) { client in
            let signIn = try await client.signIn()
            client.server.clock.advance(by: seconds)
            try expectInvalidGrant(await client.redeem(signIn.code ?? ""))
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

    static func refreshToken(_ profile: Profile) async throws {
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
            (other.clientID, other.secret) = ("third-party-app", Client.thirdPartySecret)
            let second = try await other.signIn(request)
            let foreign = second.tokens["refresh_token"]?.string ?? ""
            #expect(!foreign.isEmpty)
            try expectInvalidGrant(
                await client.token([("grant_type", "refresh_token"), ("refresh_token", foreign)]))
        }
    }

    // MARK: Redirect URIs

    static func registeredRedirectURI(_ profile: Profile) async throws {
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

    /// An unsigned request object is processed, or refused with the error that says so; it is never ignored.
    static func unsignedRequestObject(_ profile: Profile) async throws {
        try await ConformanceClient.run(profile) { client in
            let request = client.request()
            let object = try unsigned(request)
            let answer = try await refusedObject(client, ["request": object])
            #expect(answer == "request_not_supported" || answer == "invalid_request_object")
        }
    }

    static func unsignedRequestURI(_ profile: Profile) async throws {
        try await ConformanceClient.run(profile) { client in
            let answer = try await refusedObject(client, ["request_uri": "https://app.example.com/request.jwt"])
            #expect(["request_uri_not_supported", "invalid_request_uri", "invalid_request"].contains(answer))
        }
    }

    /// A callback beside the object that is not registered is never called, nor another in its place.
    static func requestObjectWithRedirectURI(_ profile: Profile) async throws {
        try await ConformanceClient.run(profile) { client in
            let object = try unsigned(client.request())
            let response = try await client.server.get(
                ConformanceClient.url(
                    client.request(["request": object, "redirect_uri": Client.callback + Secret.random().text])))
            #expect(response.location == nil)
            #expect((400..<500).contains(response.status.code))
        }
    }

    private static func unsigned(_ request: [String: String]) throws -> String {
        let header = Base64URL.encode(Array(#"{"alg":"none"}"#.utf8))
        return header + "." + Base64URL.encode(try JSON.bytes(request.mapValues(JSONValue.string))) + "."
    }

    private static func refusedObject(
        _ client: ConformanceClient, _ changes: [String: String?]
    ) async throws -> String {
        let request = client.request(changes)
        return client.refusal(try await client.send(request, TestBrowser(client.server)).response, to: request) ?? ""
    }
}
