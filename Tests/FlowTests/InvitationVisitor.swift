import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

/// An application that an invitation leads to.
struct InvitationVisitor: Sendable {
    static let password = "Difference-Engine-1822"

    let party: RelyingParty
    let browser: TestBrowser
    let management: ManagementClient
    var server: TestServer { browser.server }

    /// Invites somebody by the Management API.
    /// - Returns: the ticket.
    func invite(_ email: String, _ further: JSONObject = [:]) async throws -> String {
        let members: JSONObject = [
            "inviter": ["name": "Grace"], "invitee": ["email": .string(email)], "client_id": "regular-web-app",
            "send_invitation_email": false,
        ]
        let made = try await management.post(
            "organizations/\(OrganizationTenant.acme)/invitations", .object(members.merging(further) { $1 }))
        return try #require(made["ticket_id"]?.string)
    }

    func open(
        _ ticket: String, organization: String? = OrganizationTenant.acme, _ changes: [String: String?] = [:],
        in browser: TestBrowser? = nil
    ) async throws -> TestResponse {
        let parameters: [String: String?] = ["invitation": ticket, "organization": organization]
        return try await (browser ?? self.browser).get(
            party.authorizationURL(parameters.merging(changes) { $1 }))
    }

    /// Accepts on the invitation's page, and gets to the page that is next.
    func proceed(_ ticket: String, in browser: TestBrowser? = nil) async throws -> TestResponse {
        let browser = browser ?? self.browser
        let page = try await open(ticket, in: browser)
        #expect(page.location?.hasPrefix("/u/invitation?state=") == true)
        return try await browser.follow(browser.submit(page, [("action", "accept")]))
    }

    func signUp(_ page: TestResponse, _ email: String) async throws -> TestResponse {
        try await browser.submit(
            page, [("email", email), ("password", Self.password), ("action", "default")])
    }

    func claims(_ answer: TestResponse) async throws -> JSONObject {
        try await party.redeem(answer.query("code") ?? "").json()["id_token"]?.string?.claims ?? [:]
    }

    func user(_ email: String) async throws -> User? {
        try await server.services.stores.users.find(connection: Connection.database.name, identifier: email)?.user
    }
}
