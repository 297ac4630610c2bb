import Foundation
import OAuth

/// Why one user of an import was not taken.
package struct JobError: Sendable, Hashable {
    /// The row's number in the file, from 1.
    package let row: Int
    /// The user and the reasons, as Auth0 shows them.
    package let document: JSONObject

    package init(row: Int, document: JSONObject) { (self.row, self.document) = (row, document) }
}

/// A job's file, piece by piece: no transaction and no node ever holds the whole of it.
extension JobStore {
    /// Bytes of a piece at most.
    package static let pieceSize = 48 * 1024

    /// Writes a piece of a job's file.
    /// - Parameter number: counts from 1.
    package static func writePiece(
        _ number: Int, _ bytes: Data, of jobID: String, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO job_piece (job_id, number, content) VALUES (\(jobID), \(number), \(bytes.base64EncodedString()))
            """)
    }

    /// A piece of a job's file, or nil after the last one.
    package func piece(_ number: Int, of jobID: String) async throws -> Data? {
        let row = try await database.readOnce { transaction in
            try transaction.row("SELECT content FROM job_piece WHERE job_id = \(jobID) AND number = \(number)")
        }
        guard let row else { return nil }
        guard let bytes = Data(base64Encoded: try row.text("content")) else {
            throw SQLError.unexpectedValue(column: "content")
        }
        return bytes
    }

    /// Writes down which users were not taken.
    package static func writeErrors(
        _ errors: [JobError], of job: Job, in transaction: any SQLTransaction
    ) throws {
        for error in errors {
            try transaction.execute(
                """
                INSERT INTO job_error (job_id, row_number, document)
                VALUES (\(job.id), \(error.row), \(JSON.text(error.document)))
                """)
        }
    }

    /// The errors of a job, in the order of its file.
    package func errors(of jobID: String, limit: Int) async throws -> [JobError] {
        try await database.readOnce { transaction in
            try transaction.rows(
                "SELECT * FROM job_error WHERE job_id = \(jobID) ORDER BY row_number LIMIT \(limit)"
            ).map { JobError(row: try $0.integer("row_number"), document: try $0.json("document")) }
        }
    }
}
