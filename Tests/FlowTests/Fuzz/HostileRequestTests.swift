import AuthorizationServer
import Foundation
import Fuzzing
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import ManagementAPI
import OAuth
import Storage
import TestSupport
import Testing
import Web

@Suite("Fuzz: hostile requests to every address")
struct HostileRequestFuzzTests {
    /// Every address that the router answers, so that a new one is tried without anybody thinking of it.
    private static func routes(_ server: TestServer) throws -> [HostileRequests.Route] {
        let router = try buildRouter(
            services: server.services, configuration: WebConfiguration(isDevelopment: true))
        // The Management API finds its addresses itself.
        let management = ManagementAPI(services: server.services).routes.compactMap { route in
            HTTPRequest.Method(route.method.rawValue).map {
                HostileRequests.Route(method: $0, path: "/api/v2/\(route.path)")
            }
        }
        return management + router.routes.map { HostileRequests.Route(method: $0.method, path: $0.path.description) }
    }

    private static func fixtures() -> Fixtures {
        var fixtures = Fixtures.openRegistration
        fixtures.change("regular-web-app") { $0.grantTypes.insert(.implicit) }
        return fixtures
    }

    /// What a client and a browser hold in the middle of their work.
    private static func material(_ server: TestServer) async throws -> HostileRequests {
        let party = RelyingParty.regularWebApp(server)
        let browser = TestBrowser(server)
        let tokens = try await party.tokens(["scope": "openid offline_access", "audience": "appointments:api"])
        let code = try await party.code(browser)
        let page = try await browser.get(party.authorizationURL(["prompt": "login"])).location ?? ""
        let form = try await browser.get(page)
        let state = page.split(separator: "=").last.map(String.init) ?? ""
        let token = tokens["access_token"]?.string ?? ""
        var values: [(String, String)] = [
            ("client_id", party.clientID), ("redirect_uri", Client.callback), ("response_type", "code id_token token"),
            ("scope", "openid email offline_access"), ("nonce", "n-1"), ("response_mode", "form_post"),
            ("audience", "appointments:api"), ("client_secret", Client.regularWebAppSecret),
            ("grant_type", "authorization_code"), ("code", code),
            ("refresh_token", tokens["refresh_token"]?.string ?? ""),
            ("token", token), ("state", state), ("prompt", "none"), ("max_age", "100"),
            ("login_hint", "ada@example.com"), ("ui_locales", "de"), ("claims", #"{"id_token":{"email":null}}"#),
            ("id_token_hint", tokens["id_token"]?.string ?? ""), ("returnTo", "https://app.example.com/"),
            ("post_logout_redirect_uri", "https://app.example.com/"), ("username", "ada@example.com"),
            ("email", "eve@example.com"), ("password", "wrong"), ("action", "accept"), ("client_name", "Eve"),
            ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"), ("code_challenge_method", "S256"),
        ]
        values += TestBrowser.hiddenFields(form.text).filter { $0.0 != "state" }
        let basic = Data("regular-web-app:\(Client.regularWebAppSecret)".utf8).base64EncodedString()
        return HostileRequests(
            routes: try routes(server), values: values,
            cookies: [browser.cookies.map { "\($0)=\($1)" }.joined(separator: "; "), "auth0=x; did=y"],
            accessTokens: ["Bearer \(token)", "Basic \(basic)", "DPoP \(token)"])
    }

    /// The rows of every table but those that count or tell refusals.
    private static func rows(_ server: TestServer) async throws -> [String: Int] {
        try await server.services.stores.database.read { transaction in
            var rows: [String: Int] = [:]
            for table in Table.all where !uncounted.contains(table.name) {
                rows[table.name] = try table.count(in: transaction)
            }
            return rows
        }
    }

    private static let uncounted: Set = ["failed_login", "rate_limit", "revoked_authorization", "log_event"]

    /// What is wrong with an answer, or nil.
    private static func fault(_ answer: TestResponse) -> String? {
        // 501 says of a known address of Auth0's that there is nothing behind it yet.
        let isKnown = answer.status.code == 501 && answer.text.contains("not_implemented")
        if answer.status.code >= 500, !isKnown { return "the server failed: \(answer.text.prefix(500))" }
        if let location = answer.location {
            let isOurs = location.hasPrefix("/") && !location.hasPrefix("//") && !location.contains("\\")
            let isRegistered = [Client.callback, "https://app.example.com/other?tenant=1", "https://app.example.com/"]
                .contains { address in
                    location.hasPrefix(address)
                        && ["", "?", "#", "&"].contains(String(location.dropFirst(address.count).prefix(1)))
                }
            guard isOurs || isRegistered else { return "it leads to \(location)" }
        }
        guard answer.headers[.contentType]?.hasPrefix("text/html") == true else { return nil }
        if let mark = HostileRequests.marks.first(where: answer.text.contains) { return "a page contains \(mark)" }
        let action = answer.text.firstMatch(of: /<form[^>]*action="([^"]*)"/)?.1 ?? ""
        guard action.isEmpty || action.hasPrefix("/") || action.hasPrefix("https://app.example.com/") else {
            return "a form leads to \(action)"
        }
        return answer.headers[.contentSecurityPolicy] == nil ? "a page has no Content-Security-Policy" : nil
    }

    @Test(
        "No request makes the server fail, redirect elsewhere, or write down half of what it refuses; no value is markup",
        .timeLimit(.minutes(20)), arguments: 0..<2)
    func requests(part: Int) async throws {
        try await TestServer.run(Self.fixtures()) { server in
            let material = try await Self.material(server)
            var generator = SeededGenerator(seed: Fuzz.seed &+ UInt64(part))
            var before = try await Self.rows(server)
            var statuses: [Int: Int] = [:]
            for index in 0..<Fuzz.cases(1_500) {
                let request = material.make(&generator)
                let answer = try await request.send(to: server)
                statuses[Int(answer.status.code), default: 0] += 1
                let after = try await Self.rows(server)
                var fault = Self.fault(answer)
                let isRefused = answer.status.code >= 400 || answer.location?.contains("error=") == true
                if isRefused, let grown = after.first(where: { $0.value > before[$0.key] ?? 0 }) {
                    fault = "it is refused with \(answer.status), and \(grown.key) has a row more"
                }
                before = after
                guard let fault else { continue }
                Issue.record("\(Fuzz.complaint(fault, request.description, index)) (part \(part))")
                return
            }
            #expect([200, 302, 400, 401, 404].allSatisfy { statuses[$0, default: 0] > 3 }, "\(statuses)")
        }
    }
}
