import AuthorizationServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Management API: invitations")
struct ManagementInvitationsTests {
    private static let client = Client.regularWebApp.clientID

    /// A management client and the path of an organization that the application may sign in to.
    private static func run(
        _ body: @escaping @Sendable (TestServer, ManagementClient, String) async throws -> Void
    ) async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let made = try await management.post(
                "organizations",
                ["name": "acme", "enabled_connections": [["connection_id": .string(Connection.database.id)]]])
            _ = try await management.patch(
                "clients/\(client)",
                ["organization_usage": "allow", "initiate_login_uri": "https://app.example.com/login?x=1"])
            try await body(server, management, "organizations/\(made["id"]?.string ?? "")/invitations")
        }
    }

    private static func date(_ text: String) -> Date? {
        try? Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    private static func invitation(_ further: JSONObject = [:]) -> JSONValue {
        let members: JSONObject = [
            "inviter": ["name": "Ada"], "invitee": ["email": "New@Example.com"], "client_id": .string(client),
            "send_invitation_email": false,
        ]
        return .object(members.merging(further) { $1 })
    }

    @Test("INV-1: an invitation leads to the application; its ticket can be read again, and is stored as a digest")
    func create() async throws {
        try await Self.run { server, management, path in
            let role = try await management.post("roles", ["name": "Nurse"])["id"] ?? .null
            let answer = try await management.send(
                .post, path,
                Self.invitation([
                    "roles": [role], "ttl_sec": 60, "connection_id": .string(Connection.database.id),
                    "user_metadata": ["a": "b"],
                ]))
            #expect(answer.status == .ok)
            let made = try answer.json()
            let (id, ticket) = (made["id"]?.string ?? "", made["ticket_id"]?.string ?? "")
            #expect(id.hasPrefix("uinv_") && ticket.wholeMatch(of: /[A-Za-z0-9]{32}/) != nil)
            let organization = path.split(separator: "/")[1]
            #expect(
                made["invitation_url"]?.string
                    == "https://app.example.com/login?x=1&invitation=\(ticket)&organization=\(organization)"
                    + "&organization_name=acme")
            #expect(made["invitee"] == ["email": "new@example.com"] && made["roles"] == [role])
            let read = try await management.get("\(path)/\(id)")
            #expect(read["ticket_id"] == made["ticket_id"] && read["invitation_url"] == made["invitation_url"])
            let stored = try await server.services.stores.database.read {
                try OrganizationInvitationStore.find(id, of: String(organization), in: $0)
            }
            #expect(stored?.ticketDigest == Secret(ticket).digest)
            #expect(read["user_metadata"] == ["a": "b"])
            let created = try #require(read["created_at"]?.string.flatMap(Self.date))
            #expect(read["expires_at"]?.string.flatMap(Self.date) == created + 60)
            #expect(try await management.list("\(path)?fields=id") == [["id": .string(id)]])
            #expect(try await management.get("\(path)?include_totals=true")["total"] == 1)
            let now = server.services.now()
            let redeemed = try await server.services.stores.database.write { transaction in
                try OrganizationInvitationStore.redeem(
                    ticketDigest: Secret(ticket).digest, organizationID: String(organization), at: now, in: transaction)
            }
            #expect(redeemed?.id == id)
            #expect(try await management.send(.get, "\(path)/\(id)").status == .notFound)
        }
    }

    @Test("An invitation that is taken back is gone")
    func delete() async throws {
        try await Self.run { _, management, path in
            let id = try await management.post(path, Self.invitation())["id"]?.string ?? ""
            #expect(try await management.send(.delete, "\(path)/\(id)").status == .noContent)
            #expect(try await management.list(path).isEmpty)
        }
    }

    @Test("The mail has the application's link with the ticket, and goes with the invitation or not at all")
    func mail() async throws {
        try await Self.run { server, management, path in
            let sent = Self.invitation(["send_invitation_email": nil])
            let made = try await management.post(path, sent)
            let letter = try #require(try await server.mails(to: "new@example.com").first)
            #expect(letter.links.contains(made["invitation_url"]?.string ?? "-"))
            #expect(letter.content.text.contains("Ada"))
            let refused = Self.invitation(["send_invitation_email": true, "connection_id": "con_x"])
            #expect(try await management.send(.post, path, refused).status == .badRequest)
            #expect(try await server.mails().count == 1)
        }
    }

    @Test("Where nothing can send it the invitation is refused, and says what to pass instead")
    func noMail() async throws {
        try await TestServer.run(isDevelopment: false) { server in
            let management = try await ManagementClient(server)
            let made = try await management.post("organizations", ["name": "acme"])
            let path = "organizations/\(made["id"]?.string ?? "")/invitations"
            let answer = try await management.send(.post, path, Self.invitation(["send_invitation_email": true]))
            #expect(answer.status == .badRequest)
            #expect(try answer.json()["message"]?.string?.contains("\"send_invitation_email\": false") == true)
            #expect(try await management.list(path).isEmpty)
        }
    }

    private static let impossible: [(further: String, status: Int)] = [
        (#"{"invitee": {"email": "nobody"}}"#, 400), (#"{"invitee": {}}"#, 400), (#"{"inviter": {}}"#, 400),
        (#"{"client_id": "unknown"}"#, 404), (#"{"client_id": "machine"}"#, 400), (#"{"connection_id": "con_x"}"#, 400),
        (#"{"roles": ["rol_x"]}"#, 404), (#"{"ttl_sec": 2592001}"#, 400), (#"{"app_metadata": {"user_id": 1}}"#, 400),
    ]

    @Test("An invitation that could not be accepted is refused", arguments: impossible)
    func refusals(further: String, status: Int) async throws {
        try await Self.run { _, management, path in
            let members = try JSON.decode(JSONObject.self, from: further)
            #expect(try await management.send(.post, path, Self.invitation(members)).status.code == status)
            #expect(try await management.list(path).isEmpty)
        }
    }

    @Test("Without a page to begin at there is nothing to lead to")
    func noRoute() async throws {
        try await Self.run { _, management, path in
            _ = try await management.patch("clients/\(Self.client)", ["initiate_login_uri": nil])
            let answer = try await management.send(.post, path, Self.invitation())
            #expect(answer.status == .badRequest)
            #expect(
                try answer.json()["message"] == "A default login route is required to generate the invitation url.")
            _ = try await management.patch(
                "tenants/settings", ["default_redirection_uri": "https://start.example.com/"])
            let url = try await management.post(path, Self.invitation())["invitation_url"]?.string
            #expect(url?.hasPrefix("https://start.example.com/?invitation=") == true)
        }
    }
}
