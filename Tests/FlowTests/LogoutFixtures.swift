import AuthorizationServer
import HummingbirdTesting
import OAuth
import Storage
import TestSupport

/// What the tests of the three logout specifications share.
enum LogoutFixtures {
    static let goodbye = "https://app.example.com/goodbye?from=portico"
    static let tenantGoodbye = "https://example.com/"
    static let backchannel = "https://app.example.com/backchannel"
    static let frontchannel = "https://app.example.com/frontchannel?tenant=1"
    static let secondBackchannel = "https://spa.example.com/backchannel"

    /// A tenant whose applications may be returned to.
    static func make(_ change: (inout Fixtures) throws -> Void = { _ in }) throws -> Fixtures {
        var fixtures = Fixtures()
        fixtures.settings.allowedLogoutURLs = [try RegisteredURI(tenantGoodbye)]
        try fixtures.change("regular-web-app") { $0.allowedLogoutURLs.append(try RegisteredURI(goodbye)) }
        try change(&fixtures)
        return fixtures
    }

    /// Both applications hear of logouts: the one in back and front channel, the other in the back channel.
    static func telling(_ change: (inout Fixtures) throws -> Void = { _ in }) throws -> Fixtures {
        try make { fixtures in
            fixtures.change("regular-web-app") { client in
                client.logout.backchannelURI = backchannel
                client.logout.frontchannelURI = frontchannel
                client.logout.isFrontchannelSessionRequired = true
            }
            fixtures.change("single-page-app") { $0.logout.backchannelURLs = [secondBackchannel] }
            try change(&fixtures)
        }
    }
}

extension TestServer {
    /// The address of a logout request; a nil parameter is left out.
    static func logoutURL(_ parameters: [String: String?] = [:]) -> String {
        let query = parameters.compactMap { name, value in value.map { "\(name)=\($0.formEncoded)" } }.sorted()
        return "/oidc/logout" + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
    }
}

extension TestBrowser {
    /// Signs Ada in to the application, with her consent where it needs that, and returns her ID token.
    func idToken(_ party: RelyingParty, _ changes: [String: String?] = [:]) async throws -> String {
        var answer = try await party.authorize(self, changes)
        if answer.location?.hasPrefix("/u/consent") == true {
            answer = try await follow(submit(answer, [("action", "accept")]))
        }
        return try await party.redeem(answer.query("code") ?? "").json()["id_token"]?.string ?? ""
    }

    /// Whether the browser's session still signs its user in.
    func isLoggedIn() async throws -> Bool {
        let answer = try await get(RelyingParty.regularWebApp(server).authorizationURL(["prompt": "none"]))
        return answer.query("code") != nil && answer.query("error") == nil
    }

    /// Answers the confirmation page.
    func answer(_ page: TestResponse, _ action: String) async throws -> TestResponse {
        try await post("/u/logout", Self.hiddenFields(page.text) + [("action", action)])
    }
}
