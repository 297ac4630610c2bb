import Foundation
import OAuth

/// A consent as it is stored: Auth0's grant.
package struct StoredConsent: Sendable {
    /// 24 hexadecimal digits.
    package let id: String
    package let grant: ConsentGrant

    fileprivate init(_ row: SQLRow) throws {
        id = try row.text("id")
        let (audience, organization) = (try row.text("audience"), try row.text("organization_id"))
        grant = ConsentGrant(
            try row.text("user_id"), clientID: try row.text("client_id"), audience: audience.isEmpty ? nil : audience,
            organizationID: organization.isEmpty ? nil : organization, scope: try Scope(parsing: row.text("scope")))
    }
}

extension ConsentGrantStore {
    /// Which consents are looked for; nil for any.
    package struct Filter: Sendable {
        package let userID: String?
        package let clientID: String?
        package let audience: String?

        package init(userID: String? = nil, clientID: String? = nil, audience: String? = nil) {
            (self.userID, self.clientID, self.audience) = (userID, clientID, audience)
        }

        fileprivate var sql: SQL {
            var condition: SQL = "1 = 1"
            if let userID { condition = "\(part: condition) AND user_id = \(userID)" }
            if let clientID { condition = "\(part: condition) AND client_id = \(clientID)" }
            if let audience { condition = "\(part: condition) AND audience = \(audience)" }
            return condition
        }
    }

    /// Consents in the order of their ids.
    package static func list(
        _ filter: Filter, start: Int, limit: Int, in transaction: any SQLTransaction
    ) throws -> [StoredConsent] {
        try transaction.rows(
            "SELECT * FROM consent_grant WHERE \(part: filter.sql) ORDER BY id LIMIT \(limit) OFFSET \(start)"
        ).map(StoredConsent.init)
    }

    /// How many consents there are.
    package static func count(_ filter: Filter, in transaction: any SQLTransaction) throws -> Int {
        try transaction.row("SELECT COUNT(*) AS grants FROM consent_grant WHERE \(part: filter.sql)")?
            .integer("grants") ?? 0
    }

    /// Takes a consent back.
    /// - Returns: the consent, or nil where there was none.
    package static func delete(_ id: String, in transaction: any SQLTransaction) throws -> StoredConsent? {
        try transaction.row("DELETE FROM consent_grant WHERE id = \(id) RETURNING *").map(StoredConsent.init)
    }

    /// Takes back whatever a user has allowed.
    /// - Returns: the consents.
    package static func deleteAll(of userID: String, in transaction: any SQLTransaction) throws -> [StoredConsent] {
        try transaction.rows("DELETE FROM consent_grant WHERE user_id = \(userID) RETURNING *")
            .map(StoredConsent.init)
    }
}
