import AuthorizationServer
import Foundation
import OAuth
import Storage
import TenantConfiguration

/// `/api/v2/organizations/{id}/invitations`.
struct OrganizationInvitationsResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("organizations/:id/invitations")
            .get(
                requires: .read("organization_invitations"), "Get invitations to an organization",
                answers: .page("invitations", Self.members), use: list
            )
            .post(
                requires: .create("organization_invitations"), "Create an invitation to an organization", status: 200,
                answers: .object(Self.members), use: create
            )
            .get(
                ":invitation", requires: .read("organization_invitations"), "Get an invitation to an organization",
                answers: .object(Self.members), use: get
            )
            .delete(
                ":invitation", requires: .delete("organization_invitations"), "Delete an invitation to an organization",
                use: delete)
    }

    private static let members: Members = [
        "id": .text.always, "organization_id": .text.always, "inviter": .object(["name": .text.always]).always,
        "invitee": .object(["email": .text.always]).always, "client_id": .text.always, "connection_id": .text,
        "roles": .texts, "app_metadata": .anyObject, "user_metadata": .anyObject, "created_at": .text.always,
        "expires_at": .text.always, "ticket_id": .text, "invitation_url": .text,
    ]

    struct Filter: Payload {
        enum Order: String, CaseIterable {
            case oldestFirst = "created_at:1"
            case newestFirst = "created_at:-1"
        }

        let paging: Paging
        let fields: FieldSelection
        let order: Order

        init(from document: inout Document) throws(Document.Problem) {
            paging = try Paging(from: &document)
            fields = try FieldSelection(from: &document)
            order = try document.oneOf("sort", Order.self) ?? .oldestFirst
        }
    }

    struct Fields: Payload {
        let fields: FieldSelection

        init(from document: inout Document) throws(Document.Problem) { fields = try FieldSelection(from: &document) }
    }

    struct NewInvitation: Payload {
        let inviterName: String
        let inviteeEmail: String
        let clientID: String
        let connectionID: String?
        let roles: [String]
        let appMetadata: JSONObject
        let userMetadata: JSONObject
        /// Seconds.
        let lifetime: Int
        let sendsMail: Bool

        /// Auth0's lifetimes: a week, and at most 30 days.
        private static let (standardLifetime, longestLifetime) = (604_800, 2_592_000)

        init(from document: inout Document) throws(Document.Problem) {
            guard var inviter = try document.document("inviter") else {
                throw document.problem("inviter", "is required")
            }
            inviterName = try inviter.requiredString("name", most: 300)
            _ = try inviter.remaining(known: [])
            guard var invitee = try document.document("invitee") else {
                throw document.problem("invitee", "is required")
            }
            let email = try invitee.requiredString("email", most: 320)
            _ = try invitee.remaining(known: [])
            guard let address = EmailAddress(email) else {
                throw document.problem("invitee", "must have the e-mail address of a person as email")
            }
            inviteeEmail = address.text
            clientID = try document.requiredString("client_id", most: 255)
            connectionID = try document.string("connection_id", most: 255)
            roles = try document.strings("roles") ?? []
            guard roles.count <= 50 else { throw document.problem("roles", "must have at most 50 elements") }
            appMetadata = try UserRules.appMetadata(&document) ?? [:]
            userMetadata = try UserRules.userMetadata(&document) ?? [:]
            let seconds = try document.integer("ttl_sec", in: 0...Self.longestLifetime) ?? 0
            lifetime = seconds == 0 ? Self.standardLifetime : seconds
            sendsMail = try document.bool("send_invitation_email", default: true)
        }
    }

    @Sendable private func list(_ call: Query<Filter>) async throws -> Answer {
        let (id, paging, fields, order) = (call["id"], call.query.paging, call.query.fields, call.query.order)
        return try await management.stores.database.read { transaction in
            let organization = try OrganizationsResource.find(id, transaction)
            let page = try OrganizationInvitationStore.list(
                of: id, newestFirst: order == .newestFirst, start: paging.start, limit: paging.perPage, in: transaction)
            let total = paging.includesTotals ? try OrganizationInvitationStore.count(of: id, in: transaction) : 0
            let invitations = try page.map { try shown($0, in: organization, transaction) }
            return .page("invitations", invitations.map { fields.apply(to: $0) }, total: total, paging)
        }
    }

    @Sendable private func get(_ call: Query<Fields>) async throws -> Answer {
        let (id, invitation) = (call["id"], call["invitation"])
        return try await management.stores.database.read { transaction in
            let organization = try OrganizationsResource.find(id, transaction)
            guard let found = try OrganizationInvitationStore.find(invitation, of: id, in: transaction) else {
                throw ManagementError(404, "No invitation found by that id")
            }
            return .ok(call.query.fields.apply(to: try shown(found, in: organization, transaction)))
        }
    }

    @Sendable private func create(_ call: Submission<NewInvitation>) async throws -> Answer {
        let (organizationID, new) = (call["id"], call.body)
        let id = RandomBytes.alphanumeric(16, prefix: "uinv_")
        let ticket = management.services.secret.invitationTicket(id)
        let mail = new.sendsMail ? try await mail(new, ticket, organizationID) : nil
        return try await management.write(call.caller) { transaction, now in
            let organization = try OrganizationsResource.find(organizationID, transaction)
            _ = try Self.loginRoute(of: new, in: organization, transaction)
            let invitation = OrganizationInvitation(
                id: id, organizationID: organizationID, ticketDigest: ticket.digest, inviterName: new.inviterName,
                inviteeEmail: new.inviteeEmail, clientID: new.clientID, connectionID: new.connectionID,
                roles: new.roles, appMetadata: new.appMetadata, userMetadata: new.userMetadata, createdAt: now,
                expiresAt: now + TimeInterval(new.lifetime))
            try OrganizationInvitationStore.insert(invitation, in: transaction)
            if let mail { try MailStore.enqueue(mail, in: transaction) }
            return Changed(
                .ok(try shown(invitation, in: organization, transaction)),
                [
                    .init(
                        "organizations", organizationID, before: nil,
                        after: ["invitation": .object(Self.withoutTicket(invitation))])
                ])
        }
    }

    @Sendable private func delete(_ call: Plain) async throws -> Answer {
        let (id, invitationID) = (call["id"], call["invitation"])
        return try await management.write(call.caller) { transaction, _ in
            _ = try OrganizationsResource.find(id, transaction)
            guard let found = try OrganizationInvitationStore.find(invitationID, of: id, in: transaction) else {
                return Changed(.noContent, [])
            }
            try OrganizationInvitationStore.delete(invitationID, of: id, in: transaction)
            return Changed(
                .noContent,
                [.init("organizations", id, before: ["invitation": .object(Self.withoutTicket(found))], after: nil)])
        }
    }

    // MARK: Steps

    /// The mail of an invitation, before there is one.
    /// - Returns: nil where the tenant has turned such mails off.
    private func mail(_ new: NewInvitation, _ ticket: Secret, _ organizationID: String) async throws -> QueuedMail? {
        let services = management.services
        guard try await services.messages.way() != .none else {
            throw ManagementError(
                400,
                "There is no e-mail provider to send the invitation with. Set one (PATCH /api/v2/emails/provider), or pass "
                    + "\"send_invitation_email\": false and send the invitation_url of the answer yourself.",
                "invalid_body")
        }
        let (recipient, message) = try await management.stores.database.read { transaction in
            let organization = try OrganizationsResource.find(organizationID, transaction)
            let route = try Self.loginRoute(of: new, in: organization, transaction)
            let recipient = MessageRecipient(
                email: new.inviteeEmail, client: try ClientStore.find(new.clientID, in: transaction)?.client,
                organization: organization)
            let message = UserInvitationMessage(
                url: Self.url(ticket, at: route, organization), inviterName: new.inviterName,
                roles: try new.roles.map { try RolesResource.find($0, transaction).name })
            return (recipient, message)
        }
        return try await services.messages.prepare(
            message, to: recipient, expiresAt: services.now() + TimeInterval(new.lifetime))
    }

    /// Where an invitation leads, once everything that it names is there and may be used.
    private static func loginRoute(
        of new: NewInvitation, in organization: Organization, _ transaction: any SQLTransaction
    ) throws -> RedirectURI {
        func refusal(_ message: String) -> ManagementError { ManagementError(400, message, "invalid_body") }
        guard let client = try ClientStore.find(new.clientID, in: transaction)?.client else {
            throw ClientsResource.inexistent
        }
        guard client.organizations.usage != .deny else {
            throw refusal(
                "The application signs nobody in to organizations; set its organization_usage to allow or require")
        }
        let connections = try OrganizationStore.connections(of: organization.id, in: transaction).filter(\.isEnabled)
        guard new.connectionID.map({ id in connections.contains { $0.connectionID == id } }) ?? true else {
            throw refusal("The connection is not enabled for the organization")
        }
        for role in new.roles { _ = try RolesResource.find(role, transaction) }
        guard let route = try loginRoute(of: client, transaction) else {
            throw refusal("A default login route is required to generate the invitation url.")
        }
        return route
    }

    /// Where the application, or the tenant, begins logins that it is asked for.
    private static func loginRoute(of client: Client, _ transaction: any SQLTransaction) throws -> RedirectURI? {
        let text = try client.initiateLoginURI ?? TenantStore.settings(in: transaction).defaultRedirectionURI
        return text.flatMap(RedirectURI.init).flatMap { ["https", "http"].contains($0.scheme) ? $0 : nil }
    }

    /// The invitation with its ticket, and where that leads now.
    private func shown(
        _ invitation: OrganizationInvitation, in organization: Organization, _ transaction: any SQLTransaction
    ) throws -> JSONObject {
        var members = Self.withoutTicket(invitation)
        let ticket = management.services.secret.invitationTicket(invitation.id)
        // With another PORTICO_SECRET than now it was made of another ticket, which still works.
        guard ticket.digest == invitation.ticketDigest else { return members }
        members["ticket_id"] = .string(ticket.text)
        let client = try ClientStore.find(invitation.clientID, in: transaction)?.client
        members["invitation_url"] = try client.flatMap { try Self.loginRoute(of: $0, transaction) }.map { route in
            .string(Self.url(ticket, at: route, organization))
        }
        return members
    }

    private static func url(_ ticket: Secret, at route: RedirectURI, _ organization: Organization) -> String {
        route.adding([
            ("invitation", ticket.text), ("organization", organization.id), ("organization_name", organization.name),
        ])
    }

    /// The invitation as the log has it, which must let nobody in.
    private static func withoutTicket(_ invitation: OrganizationInvitation) -> JSONObject {
        var members: JSONObject = [
            "id": .string(invitation.id), "organization_id": .string(invitation.organizationID),
            "inviter": ["name": .string(invitation.inviterName)],
            "invitee": ["email": .string(invitation.inviteeEmail)], "client_id": .string(invitation.clientID),
            "created_at": UserMembers.time(invitation.createdAt), "expires_at": UserMembers.time(invitation.expiresAt),
        ]
        members["connection_id"] = invitation.connectionID.map(JSONValue.string)
        if !invitation.roles.isEmpty { members["roles"] = JSONValue(invitation.roles) }
        if !invitation.appMetadata.isEmpty { members["app_metadata"] = .object(invitation.appMetadata) }
        if !invitation.userMetadata.isEmpty { members["user_metadata"] = .object(invitation.userMetadata) }
        return members
    }
}
