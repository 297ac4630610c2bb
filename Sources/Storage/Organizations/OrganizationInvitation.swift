import Foundation
import OAuth

/// A person whom somebody has asked to join an organization, until they have or its time is over.
package struct OrganizationInvitation: Sendable, Hashable {
    /// `uinv_` and 16 letters and digits.
    package let id: String
    package let organizationID: String
    /// The ``Secret/digest`` of what the invited person gets.
    package let ticketDigest: String
    /// Who invites, as the mail and the page say it.
    package let inviterName: String
    /// Whom, by their e-mail address in lower case.
    package let inviteeEmail: String
    /// The application that the invitation leads to.
    package let clientID: String
    /// The only connection that the invitation can be accepted with; nil for any of the organization's.
    package let connectionID: String?
    /// The ids of the roles that the new member will have.
    package var roles: [String]
    package let appMetadata: JSONObject
    package let userMetadata: JSONObject
    package let createdAt: Date
    package let expiresAt: Date

    package init(
        id: String, organizationID: String, ticketDigest: String, inviterName: String, inviteeEmail: String,
        clientID: String, connectionID: String? = nil, roles: [String] = [], appMetadata: JSONObject = [:],
        userMetadata: JSONObject = [:], createdAt: Date, expiresAt: Date
    ) {
        (self.id, self.organizationID, self.ticketDigest) = (id, organizationID, ticketDigest)
        self.inviterName = inviterName
        (self.inviteeEmail, self.clientID, self.connectionID) = (inviteeEmail, clientID, connectionID)
        (self.roles, self.appMetadata, self.userMetadata) = (roles.sorted(), appMetadata, userMetadata)
        (self.createdAt, self.expiresAt) = (createdAt.storable, expiresAt.storable)
    }
}

/// The invitations of the tenant's organizations.
package struct OrganizationInvitationStore: Sendable {
    let database: any SQLDatabase

    /// Inserts an invitation.
    /// - Throws: ``SQLError/foreignKeyViolation`` where something that it names does not exist.
    package static func insert(
        _ invitation: OrganizationInvitation, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO organization_invitation (id, organization_id, ticket_digest, client_id, connection_id,
                inviter_name, invitee_email, app_metadata, user_metadata, created_at, expires_at)
            VALUES (\(invitation.id), \(invitation.organizationID), \(invitation.ticketDigest), \(invitation.clientID),
                \(invitation.connectionID), \(invitation.inviterName), \(invitation.inviteeEmail),
                \(JSON.text(invitation.appMetadata)), \(JSON.text(invitation.userMetadata)), \(invitation.createdAt),
                \(invitation.expiresAt))
            """)
        for role in invitation.roles {
            try transaction.execute(
                """
                INSERT INTO organization_invitation_role (invitation_id, role_id) VALUES (\(invitation.id), \(role))
                ON CONFLICT DO NOTHING
                """)
        }
    }

    /// The invitation of an organization with this id, or nil where there is none.
    package static func find(
        _ id: String, of organizationID: String, in transaction: any SQLTransaction
    ) throws -> OrganizationInvitation? {
        let row = try transaction.row(
            "SELECT * FROM organization_invitation WHERE id = \(id) AND organization_id = \(organizationID)")
        return try row.map { try invitation($0, transaction) }
    }

    /// The invitation that a ticket stands for, which stays as it is; nil for one that is unknown, used or over.
    package static func find(
        ticketDigest: String, organizationID: String, at now: Date, in transaction: any SQLTransaction
    ) throws -> OrganizationInvitation? {
        let row = try transaction.row(
            """
            SELECT * FROM organization_invitation
            WHERE ticket_digest = \(ticketDigest) AND organization_id = \(organizationID) AND expires_at > \(now)
            """)
        return try row.map { try invitation($0, transaction) }
    }

    /// Takes the invitation that a ticket stands for, at most once, whoever races for it: one statement decides. It is gone
    /// then, and nil for everybody else.
    package static func redeem(
        ticketDigest: String, organizationID: String, at now: Date, in transaction: any SQLTransaction
    ) throws -> OrganizationInvitation? {
        // The roles go with the row, so they are read before; without the row they mean nothing.
        guard
            let found = try find(
                ticketDigest: ticketDigest, organizationID: organizationID, at: now, in: transaction),
            try transaction.row(
                """
                DELETE FROM organization_invitation
                WHERE ticket_digest = \(ticketDigest) AND organization_id = \(organizationID) AND expires_at > \(now)
                RETURNING id
                """) != nil
        else { return nil }
        return found
    }

    /// A page of an organization's invitations, by the time of their creation.
    package static func list(
        of organizationID: String, newestFirst: Bool, start: Int, limit: Int, in transaction: any SQLTransaction
    ) throws -> [OrganizationInvitation] {
        let direction: SQL = newestFirst ? "DESC" : "ASC"
        return try transaction.rows(
            """
            SELECT * FROM organization_invitation WHERE organization_id = \(organizationID)
            ORDER BY created_at \(part: direction), id \(part: direction) LIMIT \(limit) OFFSET \(start)
            """
        ).map { try invitation($0, transaction) }
    }

    /// How many invitations an organization has.
    package static func count(of organizationID: String, in transaction: any SQLTransaction) throws -> Int {
        try transaction.row(
            "SELECT COUNT(*) AS invitations FROM organization_invitation WHERE organization_id = \(organizationID)"
        )?.integer("invitations") ?? 0
    }

    /// Takes back an invitation.
    package static func delete(
        _ id: String, of organizationID: String, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            "DELETE FROM organization_invitation WHERE id = \(id) AND organization_id = \(organizationID)")
    }

    private static func invitation(
        _ row: SQLRow, _ transaction: any SQLTransaction
    ) throws -> OrganizationInvitation {
        let id = try row.text("id")
        let roles = try transaction.rows(
            "SELECT role_id FROM organization_invitation_role WHERE invitation_id = \(id) ORDER BY role_id")
        return OrganizationInvitation(
            id: id, organizationID: try row.text("organization_id"),
            ticketDigest: try row.text("ticket_digest"), inviterName: try row.text("inviter_name"),
            inviteeEmail: try row.text("invitee_email"), clientID: try row.text("client_id"),
            connectionID: row.optionalText("connection_id"), roles: try roles.map { try $0.text("role_id") },
            appMetadata: try row.json("app_metadata"), userMetadata: try row.json("user_metadata"),
            createdAt: try row.date("created_at"), expiresAt: try row.date("expires_at"))
    }
}
