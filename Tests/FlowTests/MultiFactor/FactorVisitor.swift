import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

/// Somebody with a browser and an app for one-time codes.
final class FactorVisitor: Sendable {
    let server: TestServer
    let browser: TestBrowser
    let party: RelyingParty

    init(_ server: TestServer, browser: TestBrowser? = nil, party: RelyingParty? = nil) {
        (self.server, self.browser) = (server, browser ?? TestBrowser(server))
        self.party = party ?? RelyingParty.regularWebApp(server)
    }

    /// Signs Ada in with the password, as far as the first page for a second factor, or to the answer.
    func begin(_ changes: [String: String?] = [:]) async throws -> TestResponse {
        let response = try await browser.get(party.authorizationURL(changes))
        guard response.location?.hasPrefix("/u/login?") == true else { return response }
        return try await browser.logIn(response, password: User.adaPassword)
    }

    /// What the app shows now, or some steps later.
    func code(_ secret: String, later: Int64 = 0) -> String {
        TOTP(secret: Base32.decode(secret) ?? []).code(at: TOTP.step(at: server.clock.now) + later)
    }

    /// The secret on the page that `response` leads to.
    func secret(_ response: TestResponse) async throws -> String {
        let html = try await browser.get(response.location ?? "").text
        return String(try #require(html.firstMatch(of: /<code id="secret">([A-Z2-7 ]+)</)).1).replacing(" ", with: "")
    }

    /// Sends the form of the page that `response` leads to, and goes on as far as our own pages lead.
    func send(
        _ code: String, _ response: TestResponse, _ more: [(String, String)] = [], to path: String? = nil
    ) async throws -> TestResponse {
        try await browser.follow(
            browser.submit(response, [("code", code), ("action", "default")] + more, to: path))
    }

    /// Enrols an app on the page that `response` leads to, notes the recovery code, and goes on.
    func enroll(
        _ response: TestResponse, _ more: [(String, String)] = []
    ) async throws -> (secret: String, recoveryCode: String, response: TestResponse) {
        #expect(response.location?.hasPrefix("/u/mfa-otp-enrollment?state=") == true)
        let secret = try await secret(response)
        let noted = try await send(code(secret), response, more)
        let (recoveryCode, next) = try await note(noted)
        return (secret, recoveryCode, next)
    }

    /// Reads the recovery code on the page that `response` leads to, and goes on.
    func note(_ response: TestResponse) async throws -> (code: String, response: TestResponse) {
        #expect(response.location?.hasPrefix("/u/mfa-recovery-code-enrollment?state=") == true)
        let html = try await browser.get(response.location ?? "").text
        let found = try #require(html.firstMatch(of: /<code id="recovery-code">([A-Z2-7 ]+)</))
        return (String(found.1), try await browser.follow(browser.submit(response, [("action", "default")])))
    }

    /// Enrols an app in a whole login, in a browser of its own.
    static func enrolled(_ server: TestServer) async throws -> (secret: String, recoveryCode: String) {
        let visitor = FactorVisitor(server)
        let (secret, recoveryCode, response) = try await visitor.enroll(
            visitor.begin(["acr_values": FactorVisitor.context]))
        #expect(response.query("code") != nil)
        // The code of this step is used.
        server.clock.advance(by: 30)
        return (secret, recoveryCode)
    }

    static let context = "http://schemas.openid.net/pape/policies/2007/06/multi-factor"
}

extension TestServer {
    /// Has every login need a second factor.
    func requireFactors() async throws {
        try await services.stores.database.write { transaction in
            var settings = MultiFactorSettings()
            settings.isAlwaysRequired = true
            try TenantSectionStore.save(settings, in: transaction)
            try TenantStore.configurationChanged(in: transaction)
        }
        try await services.configuration.refresh()
    }
}
