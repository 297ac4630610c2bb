import Foundation
import OAuth

/// Somebody has asked to be sent a link to change a password. Whether there is such a user is looked up later, and not while
/// whoever asked waits: the answer takes as long either way.
package struct PasswordResetRequest: Sendable, Hashable {
    package let id: String
    /// The connection's name.
    package let connection: String
    /// As ``User/email`` has it, or a user name in lower case.
    package let identifier: String
    /// Where the request comes from, and what its mail says of it.
    package let document: JSONObject
    package let attempts: Int
    package let createdAt: Date

    package init(id: String, connection: String, identifier: String, document: JSONObject, createdAt: Date) {
        (self.id, self.connection, self.identifier) = (id, connection, identifier)
        (self.document, attempts, self.createdAt) = (document, 0, createdAt)
    }
}

/// The requests for a new password that nobody has looked into yet.
package struct PasswordResetRequestStore: Sendable {
    let database: any SQLDatabase

    /// Notes a request.
    package func insert(_ request: PasswordResetRequest) async throws {
        try await database.write { transaction in
            try transaction.execute(
                """
                INSERT INTO password_reset_request (id, connection, email, document, attempts, created_at, due_at)
                VALUES (\(request.id), \(request.connection), \(request.identifier), \(JSON.text(request.document)), 0,
                    \(request.createdAt), \(request.createdAt))
                ON CONFLICT (id) DO NOTHING
                """)
        }
    }

    /// Whether a request is due; nothing is locked for the answer.
    package func isAnyDue(at now: Date) async throws -> Bool {
        try await database.readOnce { transaction in
            try transaction.row("SELECT id FROM password_reset_request WHERE due_at <= \(now) LIMIT 1") != nil
        }
    }

    /// Whether there is a request, whoever is at it.
    package func isAny() async throws -> Bool {
        try await database.readOnce { try $0.row("SELECT id FROM password_reset_request LIMIT 1") != nil }
    }

    /// Takes requests that are due, for as long as a lease, in the order in which they came.
    package func claim(at now: Date, lease: TimeInterval, most: Int) async throws -> [PasswordResetRequest] {
        try await database.write { transaction in
            try transaction.rows(
                """
                UPDATE password_reset_request SET attempts = attempts + 1, due_at = \(now.addingTimeInterval(lease))
                WHERE id IN (
                    SELECT id FROM password_reset_request WHERE due_at <= \(now) ORDER BY created_at, id LIMIT \(most))
                    AND due_at <= \(now)
                RETURNING *
                """
            ).map(PasswordResetRequest.init).sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
        }
    }

    /// Ends a request: part of the transaction that puts its mail down.
    /// - Returns: whether it was there still.
    package static func finish(_ request: PasswordResetRequest, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.changes("DELETE FROM password_reset_request WHERE id = \(request.id)") == 1
    }
}

extension PasswordResetRequest {
    fileprivate init(_ row: SQLRow) throws {
        id = try row.text("id")
        connection = try row.text("connection")
        identifier = try row.text("email")
        document = try row.json("document")
        attempts = try row.integer("attempts")
        createdAt = try row.date("created_at")
    }
}
