import AuthorizationServer
import Connections
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

/// Which of Google's accounts a connection is for.
@Suite("Google's companies")
struct GoogleConnectionTests {
    /// Signs in at Google with this `hd` in the ID token.
    static func atGoogle(
        _ server: TestServer, _ web: SimulatedWeb, _ key: ForeignKey, connection: String, hd: String?,
        asking: [String: String?] = [:], in browser: TestBrowser? = nil
    ) async throws -> (departure: TestResponse, answer: TestResponse) {
        let browser = browser ?? TestBrowser(server)
        let departure = try await UpstreamLoginTests.depart(
            browser, ["connection": connection].merging(asking) { $1 })
        let now = Int64(server.clock.now.timeIntervalSince1970)
        var claims: JSONObject = [
            "iss": "https://accounts.google.com", "aud": "portico", "sub": "1076", "iat": .integer(now),
            "exp": .integer(now + 300), "nonce": .string(departure.query("nonce") ?? ""), "email": "ada@corp.example",
            "email_verified": true, "name": "Ada",
        ]
        claims["hd"] = hd.map(JSONValue.string)
        try web.publish(
            ["access_token": "ya29", "id_token": .string(try key.token(claims))],
            at: "https://oauth2.googleapis.com/token")
        return (departure, try await UpstreamLoginTests.arrive(browser, departure, "code=4%2F0"))
    }

    @Test(
        "Google hd: a connection for one company takes its accounts alone, whatever the browser asked Google for",
        arguments: [
            ["hd": "corp.example"], ["authParams": ["hd": "Corp.example"]],
            ["upstream_params": ["hd": ["value": "corp.example"]]],
        ] as [JSONObject])
    func hostedDomain(options: JSONObject) async throws {
        let (web, key) = (SimulatedWeb(), try ForeignKey.rsa())
        try web.put([key], at: "https://www.googleapis.com/oauth2/v3/certs")
        try await TestServer.run(SocialConnectionTests.fixtures("google-oauth2", options), outbound: web) { server in
            for hd in [nil, "gmail.com", "evil-corp.example", "*"] {
                let (departure, answer) = try await Self.atGoogle(
                    server, web, key, connection: "google-oauth2", hd: hd, asking: ["hd": "evil-corp.example"])
                #expect(departure.query("hd") == "corp.example")
                #expect(answer.query("error") == "access_denied" && answer.query("code") == nil, "\(hd ?? "none")")
                #expect(answer.query("error_description") == "The Google account is not one of the company's")
            }
            #expect(try await server.services.stores.users.find("google-oauth2|1076") == nil)
            let good = try await Self.atGoogle(server, web, key, connection: "google-oauth2", hd: "corp.example")
            #expect(good.answer.query("code") != nil)
        }
    }

    @Test("Google Workspace: the company's own domains, by an enterprise connection; an address of one leads there")
    func workspace() async throws {
        let (web, key) = (SimulatedWeb(), try ForeignKey.rsa())
        try web.put([key], at: "https://www.googleapis.com/oauth2/v3/certs")
        let options: JSONObject = ["tenant_domain": "corp.example", "domain_aliases": ["second.example"]]
        try await TestServer.run(SocialConnectionTests.fixtures("google-apps", options), outbound: web) { server in
            for (hd, isGood) in [("corp.example", true), ("second.example", true), ("third.example", false)] {
                let (departure, answer) = try await Self.atGoogle(server, web, key, connection: "google-apps", hd: hd)
                #expect(departure.query("hd") == "*")
                #expect((answer.query("code") != nil) == isGood, "\(hd)")
            }
            let none = try await Self.atGoogle(server, web, key, connection: "google-apps", hd: nil)
            #expect(none.answer.query("error") == "access_denied")
            #expect(try await server.services.stores.users.find("google-apps|google-apps|1076") != nil)
            let hinted = try await UpstreamLoginTests.depart(
                TestBrowser(server), ["login_hint": "kim@second.example"])
            #expect(hinted.location?.hasPrefix("https://accounts.google.com/") == true)
        }
        let refused: [JSONObject] = [
            [:], ["tenant_domain": "*"], ["tenant_domain": ""], ["domain": "corp.example", "tenant_domain": " * "],
            ["domain": "*", "tenant_domain": "corp.example"], ["domain": "corp.example", "tenant_domain": ""],
            ["tenant_domain": "corp.example", "domain_aliases": ["*"]],
            ["tenant_domain": "corp.example", "domain_aliases": ["second.example", ""]],
        ]
        for options in refused {
            let connection = SocialConnectionTests.fixtures("google-apps", options).connections[1]
            #expect(throws: Document.Problem.self, "\(options)") {
                try Strategies.all().check(connection, secrets: [:], path: "")
            }
        }
    }

    @Test("Google: without a demand of the connection everybody with an account may come")
    func anyGoogleAccount() async throws {
        let (web, key) = (SimulatedWeb(), try ForeignKey.rsa())
        try web.put([key], at: "https://www.googleapis.com/oauth2/v3/certs")
        try await TestServer.run(SocialConnectionTests.fixtures("google-oauth2"), outbound: web) { server in
            let wish = try await Self.atGoogle(
                server, web, key, connection: "google-oauth2", hd: nil, asking: ["hd": "corp.example"])
            #expect(wish.departure.query("hd") == "corp.example" && wish.answer.query("code") != nil)
        }
    }
}
