import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

/// When somebody has signed in is when the provider says they have.
@Suite("The time of an upstream login")
struct UpstreamFreshnessTests {
    /// Comes back from the provider, which signed the user in some seconds ago.
    private static func arrive(
        _ browser: TestBrowser, _ server: TestServer, seconds: Double, _ changes: [String: String?] = [:]
    ) async throws -> TestResponse {
        let departure = try await UpstreamLoginTests.depart(
            browser, changes.merging(["connection": "stand-in"]) { $1 })
        #expect(departure.location?.hasPrefix("https://provider.example.com/") == true)
        let time = Int(server.clock.now.timeIntervalSince1970 - seconds)
        return try await UpstreamLoginTests.arrive(browser, departure, "user=7&auth_time=\(time)")
    }

    @Test("OpenID Connect Core §2: auth_time is when the provider signed the user in, and max_age counts from then")
    func time() async throws {
        try await TestServer.run(UpstreamLoginTests.fixtures("stand-in")) { server in
            let browser = TestBrowser(server)
            let answer = try await Self.arrive(browser, server, seconds: 1000, ["max_age": "2000"])
            let tokens = try await RelyingParty.regularWebApp(server).redeem(answer.query("code") ?? "").json()
            let claims = tokens["id_token"]?.string?.claims
            #expect(claims?["auth_time"] == .integer(Int64(server.clock.now.timeIntervalSince1970) - 1000))
            let silent = try await UpstreamLoginTests.depart(browser, ["prompt": "none", "max_age": "500"])
            #expect(silent.query("error") == "login_required")
            let future = try await Self.arrive(TestBrowser(server), server, seconds: -1000)
            #expect(future.query("code") != nil)
        }
    }

    @Test(
        "OpenID Connect Core §3.1.2.1: a provider that did not sign the user in anew is refused, once and for all",
        arguments: [["prompt": "login"], ["max_age": "0"], ["max_age": "300"]] as [[String: String?]])
    func stale(changes: [String: String?]) async throws {
        try await TestServer.run(UpstreamLoginTests.fixtures("stand-in")) { server in
            let browser = TestBrowser(server)
            let old = try await Self.arrive(browser, server, seconds: 1000, changes)
            #expect(old.query("error") == "access_denied" && old.query("code") == nil)
            #expect(browser.cookies["auth0"] == nil)
            #expect(try await Self.arrive(browser, server, seconds: 30, changes).query("code") != nil)
        }
    }

    @Test("A client's default_max_age asks the provider too")
    func registered() async throws {
        var fixtures = UpstreamLoginTests.fixtures("stand-in")
        for index in fixtures.clients.indices { fixtures.clients[index].client.openID.defaultMaxAge = 300 }
        try await TestServer.run(fixtures) { server in
            let old = try await Self.arrive(TestBrowser(server), server, seconds: 1000)
            #expect(old.query("error") == "access_denied")
        }
    }
}
