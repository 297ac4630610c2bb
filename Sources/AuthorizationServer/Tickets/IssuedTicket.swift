import Foundation
import OAuth
import Storage

/// A new ticket: its link for whoever shall have it, and its digest for the database.
package struct IssuedTicket: Sendable {
    package let ticket: Ticket
    private let digest: String
    /// Made of the issuer, never of what a request calls this server.
    package let url: String

    /// - Parameters:
    ///   - userID: the account or identity that it is about.
    ///   - lifetime: seconds.
    package init(
        _ kind: Ticket.Kind, userID: String, email: String?, settings: TicketSettings = TicketSettings(),
        lifetime: Int, _ services: Services
    ) {
        let (secret, now) = (Secret.random(), services.now().storable)
        ticket = Ticket(
            kind, userID: userID, email: email, settings: settings.document, createdAt: now,
            expiresAt: now.addingTimeInterval(TimeInterval(lifetime)))
        digest = secret.digest
        // Auth0's links end like that; what applications append stays out of the query.
        url = services.issuer.url("\(kind.path)?ticket=\(secret.text)#")
    }

    /// Makes it count; of links to a new password the newest alone does. What anybody can ask for takes nothing away from what
    /// the tenant has made.
    package func write(in transaction: any SQLTransaction) throws {
        if ticket.kind == .passwordChange {
            let withdraw =
                TicketSettings(ticket.settings).isAskedFor ? TicketStore.withdrawAskedFor : TicketStore.withdraw
            try withdraw(.passwordChange, ticket.userID, ticket.createdAt, transaction)
        }
        try TicketStore.insert(ticket, digest: digest, in: transaction)
    }
}

extension Ticket.Kind {
    /// Where its links lead.
    var path: String {
        switch self {
        case .emailVerification: "u/email-verification"
        case .passwordChange: "u/reset-verify"
        case .unblock: "u/unblock"
        }
    }
}

extension Ticket {
    /// What becomes of it now, if nobody is faster.
    func result(at now: Date) -> TicketResult { usedAt != nil ? .used : expiresAt <= now ? .expired : .success }
}
