import Foundation
import OAuth
import Storage

/// Accepting an invitation, which whoever signs in with it does: the login, the membership and the end of the ticket are one
/// transaction.
package struct InvitationAcceptance: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// What a login means for the invitation that it came with.
    enum Outcome: Sendable, Equatable {
        case none
        case accepted(invitationID: String)
        /// Somebody else has signed in than was invited. The ticket is spent all the same, as it is at Auth0: whoever has
        /// the link could try one account after another.
        case refused(invitationID: String)
        /// The ticket is worth nothing any more.
        case gone
    }

    /// Spends the invitation of a login at most once, and makes the user a member with its roles and metadata.
    /// - Parameters:
    ///   - user: who signs in.
    ///   - connection: where they do.
    func accept(
        by user: User, from connection: Connection, _ login: LoginTransaction, at now: Date,
        in transaction: any SQLTransaction
    ) throws -> Outcome {
        guard case .authorization(let sent) = login.purpose, let ticket = sent["invitation"],
            login.progress.invitation != .accepted
        else { return .none }
        guard let value = sent["organization"],
            let organization = try OrganizationStore.find(idOrName: value, in: transaction),
            let invitation = try OrganizationInvitationStore.redeem(
                ticketDigest: Secret(ticket).digest, organizationID: organization.id, at: now, in: transaction)
        else { return .gone }
        try UserStore.lock(user.id, in: transaction)
        guard let user = try UserStore.find(user.id, in: transaction), invitation.clientID == login.clientID,
            try Self.isInvited(user, connection, invitation, transaction)
        else { return .refused(invitationID: invitation.id) }
        try OrganizationStore.addMember(user.id, to: organization.id, in: transaction)
        for role in invitation.roles {
            try OrganizationStore.assign(roleID: role, to: user.id, in: organization.id, transaction)
        }
        var invited = user
        invited.isEmailVerified = true
        invited.appMetadata.merge(invitation.appMetadata) { $1 }
        invited.userMetadata.merge(invitation.userMetadata) { $1 }
        try UserStore.update(invited, of: user.id, at: now, in: transaction)
        return .accepted(invitationID: invitation.id)
    }

    /// Whether the account is the invited person's: its address is the invited one, and known to be theirs. Of an account of
    /// the connection that has the password the ticket itself proves that, because it came to that address.
    private static func isInvited(
        _ user: User, _ connection: Connection, _ invitation: OrganizationInvitation, _ transaction: any SQLTransaction
    ) throws -> Bool {
        guard user.email == invitation.inviteeEmail,
            user.isEmailVerified || connection.isDatabase && user.connection == connection.name,
            invitation.connectionID ?? connection.id == connection.id
        else { return false }
        return try OrganizationStore.connection(connection.id, of: invitation.organizationID, in: transaction)?
            .isEnabled
            == true
    }

    // MARK: The page

    /// What the page of an invitation shows.
    package struct Question: Sendable {
        package let organization: Organization
        package let inviterName: String
        package let inviteeEmail: String
    }

    /// - Returns: nil where there is no invitation to accept.
    package func question(_ request: VerifiedAuthorizationRequest) -> Question? {
        guard let invitation = request.invitation, let organization = request.organization?.organization else {
            return nil
        }
        return Question(
            organization: organization, inviterName: invitation.inviterName, inviteeEmail: invitation.inviteeEmail)
    }

    /// Goes on: to the sign-up page where the invited person can only have come to make an account, else to the sign-in page.
    package func proceed(_ login: LoginTransaction, _ request: VerifiedAuthorizationRequest) async throws {
        guard let invitation = request.invitation else { return }
        var next = LoginTransaction.InvitationProgress.login
        if let connection = try await request.databaseConnection(services), connection.allowsSignup {
            let known = try await services.stores.users.find(
                connection: connection.name, identifier: invitation.inviteeEmail)
            if known == nil { next = .signup }
        }
        try await services.keep(of: login) { [next] progress in
            // In another tab the user may be further.
            if ![.accepted, .refused].contains(progress.invitation) { progress.invitation = next }
        }
    }
}
