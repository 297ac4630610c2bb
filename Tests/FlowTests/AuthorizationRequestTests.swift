import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Authorization requests")
struct AuthorizationRequestTests {
    @Test("RFC 6749 §4.1.2.1: what is wrong with client or callback is shown, never sent anywhere")
    func displayed() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            for (changes, status, text) in [
                (["client_id": nil], 400, "Missing required parameter: client_id"),
                (["client_id": "nobody"], 400, "Unknown client: nobody"),
                (["redirect_uri": "https://app.example.com/callbak"], 403, "Callback URL mismatch"),
                (["redirect_uri": nil], 400, "Missing required parameter: redirect_uri"),
            ] as [([String: String?], Int, String)] {
                let answer = try await server.get(party.authorizationURL(changes))
                #expect(answer.status.code == status)
                #expect(answer.location == nil)
                #expect(answer.text.contains(text))
            }
        }
    }

    @Test(
        "A callback mismatch names the nearest registered callback and marks the difference; in production it does not")
    func callbackMismatch() async throws {
        for isDevelopment in [true, false] {
            try await TestServer.run(isDevelopment: isDevelopment) { server in
                let answer = try await server.get(
                    RelyingParty.regularWebApp(server)
                        .authorizationURL(["redirect_uri": "https://app.example.com/callbak?secret=1"]))
                #expect(answer.status == .forbidden)
                #expect(answer.text.contains("Allowed Callback URLs (callbacks)") == isDevelopment)
                #expect(answer.text.contains("<mark") == isDevelopment)
                #expect(answer.text.contains("secret=1") == isDevelopment)
                let id = answer.headers.first { $0.name.canonicalName == "x-request-id" }?.value ?? "none"
                #expect(answer.text.contains(id))
            }
        }
    }

    @Test(
        "Only the registered URI itself is a callback",
        arguments: [
            "https://app.example.com/callback/", "https://app.example.com/callback/..",
            "https://app.example.com/Callback",
            "https://APP.example.com/callback", "HTTPS://app.example.com/callback", "http://app.example.com/callback",
            "https://app.example.com:443/callback", "https://app.example.com/callback?a=1",
            "https://app.example.com/callback%2e%2e", "https://app.example.com@evil.com/callback",
            "https://app.example.com\\@evil.com/callback", "https://evil.com/https://app.example.com/callback",
            "https://app.example.com.evil.com/callback", "//app.example.com/callback", "/callback",
            "javascript:alert(1)",
            "data:text/html,x", " https://app.example.com/callback", "https://app.example.com/callback\t",
            "https://app.example.com/callbäck", "https://app.example.com/call/../callback", "https://app.example.com",
        ])
    func callbackVariants(_ uri: String) async throws {
        try await TestServer.run { server in
            let answer = try await server.get(
                RelyingParty.regularWebApp(server).authorizationURL(["redirect_uri": uri]))
            #expect(answer.location == nil)
            #expect([400, 403].contains(answer.status.code))
        }
    }

    @Test("The tutorials: everything after the hash of redirect_uri is removed")
    func fragmentIsRemoved() async throws {
        try await TestServer.run { server in
            let answer = try await RelyingParty.regularWebApp(server)
                .authorize(TestBrowser(server), ["redirect_uri": Client.callback + "#frag"])
            #expect(answer.location?.hasPrefix(Client.callback + "?code=") == true)
        }
    }

    @Test("A parameter sent twice is invalid_request")
    func duplicate() async throws {
        try await TestServer.run { server in
            let url = RelyingParty.regularWebApp(server).authorizationURL()
            for parameter in ["redirect_uri=https%3A%2F%2Fevil.example", "client_id=x", "scope=a", "state=b"] {
                let answer = try await server.get("\(url)&\(parameter)")
                #expect(answer.status == .badRequest)
                #expect(answer.location == nil)
                #expect(answer.text.contains("Duplicate parameter"))
            }
        }
    }

    @Test("Other errors reach the client with its state: RFC 6749 §4.1.2.1, OIDC Core §3.1.2.6")
    func redirected() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            for (changes, error, description) in [
                (["response_type": nil], "invalid_request", "Missing required parameter: response_type"),
                (["response_type": "token x"], "unsupported_response_type", "Unsupported response type: token x"),
                (["audience": "nothing"], "access_denied", "Service not found: nothing"),
                (["prompt": "none"], "login_required", "Login required"),
                (["prompt": "none login"], "invalid_request", "prompt=none cannot be combined with other values"),
                (["prompt": "wat"], "invalid_request", "Unsupported prompt: wat"),
                (["max_age": "-1"], "invalid_request", "Invalid max_age: -1"),
                (["scope": "a\"b"], "invalid_scope", "Invalid scope: a\"b"),
                (["code_challenge_method": "S256"], "invalid_request", "Missing required parameter: code_challenge"),
                (["code_challenge": "abc"], "invalid_request", "Malformed code_challenge"),
                (["request": "x"], "request_not_supported", "The request parameter is not supported"),
            ] as [([String: String?], String, String)] {
                let answer = try await server.get(party.authorizationURL(changes))
                #expect(answer.status == .found)
                let read = error == "unsupported_response_type" ? answer.fragment : answer.query
                #expect(read("error") == error)
                #expect(read("error_description") == description)
                #expect(read("state") == "xyzABC123")
            }
        }
    }

    @Test("Auth0: a client without the grant gets unauthorized_client")
    func grantNotAllowed() async throws {
        try await TestServer.run { server in
            let machine = RelyingParty.machine(server)
            let answer = try await server.get(machine.authorizationURL())
            #expect(answer.query("error") == "unauthorized_client")
        }
    }

    @Test("The auth0 dialect shows a missing response_type on a page")
    func missingResponseTypeInAuth0() async throws {
        var fixtures = Fixtures()
        fixtures.settings.wireDialect = .auth0
        try await TestServer.run(fixtures) { server in
            let answer = try await server.get(
                RelyingParty.regularWebApp(server).authorizationURL(["response_type": nil]))
            #expect(answer.status == .badRequest)
            #expect(answer.location == nil)
        }
    }

    @Test("Unknown parameters and ext-* are ignored, unknown scopes dropped")
    func ignored() async throws {
        try await TestServer.run { server in
            let party = RelyingParty.regularWebApp(server)
            let code = try await party.code(
                nil,
                [
                    "ext-theme": "blue", "foo": "bar", "audience": "appointments:api",
                    "scope": "openid appointments delete:everything",
                ])
            #expect(try await party.redeem(code).json()["scope"] == "openid appointments")
        }
    }

    @Test("login_hint fills in the address, screen_hint=signup opens the sign-up page")
    func hints() async throws {
        try await TestServer.run { server in
            let browser = TestBrowser(server)
            let party = RelyingParty.regularWebApp(server)
            let login = try await browser.get(party.authorizationURL(["login_hint": "ada@example.com"]))
            #expect(try await browser.get(login.location ?? "").text.contains(#"value="ada@example.com""#))
            let signup = try await browser.get(party.authorizationURL(["screen_hint": "signup"]))
            #expect(signup.location?.hasPrefix("/u/signup?state=") == true)
        }
    }

    @Test("Hostile values in the form_post page and the pages stay text")
    func escaping() async throws {
        try await TestServer.run { server in
            let hostile = #""><script>alert(1)</script>"#
            let answer = try await RelyingParty.regularWebApp(server)
                .authorize(TestBrowser(server), ["state": hostile, "response_mode": "form_post"])
            #expect(answer.status == .ok)
            #expect(!answer.text.contains("<script>alert"))
            let page = try await server.get("/authorize?client_id=\(hostile.formEncoded)")
            #expect(!page.text.contains("<script>alert"))
        }
    }

    @Test(
        "A query of unreasonable length, broken escapes and NULs are refused",
        arguments: [
            "/authorize?client_id=%zz", "/authorize?client_id=%00", "/authorize?client_id=%ff",
            "/authorize?state=" + String(repeating: "a", count: 20_000),
        ])
    func malformed(_ path: String) async throws {
        try await TestServer.run { server in
            let status = try await server.get(path).status.code
            #expect([400, 414].contains(status))
        }
    }
}
