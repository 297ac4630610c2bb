import Foundation
import OAuth
import Storage

/// Takes users over from a file in Auth0's users-import format.
package struct UserImport: Sendable {
    private let stores: Stores
    private let connection: String

    /// Users written in one transaction.
    private static let batch = 200

    package init(stores: Stores, connection: String) { (self.stores, self.connection) = (stores, connection) }

    /// How far an import has come.
    package struct Progress: Sendable {
        package let processed: Int
        /// Of the file, from 0 to 1.
        package let fraction: Double
    }

    /// What an import did.
    package struct Report: Sendable {
        package internal(set) var inserted = 0
        package internal(set) var updated = 0
        package internal(set) var rejected: [RejectedRow] = []

        package var text: String {
            rejected.map { "row \($0.index) \($0.email): \($0.code): \($0.message)\n" }.joined()
                + "\(inserted) inserted, \(updated) updated, \(rejected.count) rejected."
        }
    }

    /// A row that was not taken; rows count from 1.
    package struct RejectedRow: Sendable, Equatable {
        package let index: Int
        package let email: String
        package let code: String
        package let message: String
    }

    /// The file is something else.
    package struct NotUsers: Error, CustomStringConvertible {
        let file: String
        package var description: String {
            "\(file) is no users file: it must be a JSON array of users, or one user in JSON on each line, in UTF-8."
        }
    }

    private struct Row: Sendable {
        let index: Int
        let user: ImportedUser
    }

    /// Reads the file in pieces and writes batch after batch; what is written stays where a later row fails.
    /// - Parameter upsert: whether users that are there already are updated, all but their passwords.
    /// - Throws: ``NotUsers``, an error of the file system, or ``SQLError``.
    package func run(
        file: URL, upsert: Bool, at now: Date = Date(), progress: (Progress) -> Void = { _ in }
    ) async throws -> Report {
        let size = try FileManager.default.attributesOfItem(atPath: file.path(percentEncoded: false))[.size] as? Int
        var (report, rows, index) = (Report(), [Row](), 0)
        var elements = try JSONElements(file: file)
        while let element = try elements.next() {
            index += 1
            switch element {
            case .object(let data):
                do {
                    rows.append(Row(index: index, user: try ImportedUser(data, connection: connection, at: now)))
                } catch {
                    report.reject(index, Self.email(in: data), error.code, error.message)
                }
            case .tooLarge: report.reject(index, "", "INVALID_FORMAT", "The object is larger than 1 MiB")
            case .cutOff:
                report.reject(
                    index, "", "INVALID_FORMAT",
                    "The user has no end: the file is cut off, or a text lacks its closing quote")
            case .unexpected(let text): report.reject(index, "", "OBJECT_REQUIRED", text)
            }
            if rows.count == Self.batch { try await write(&rows, upsert: upsert, at: now, to: &report) }
            progress(
                Progress(processed: index, fraction: min(1, Double(elements.bytesRead) / Double(max(1, size ?? 1)))))
        }
        try await write(&rows, upsert: upsert, at: now, to: &report)
        progress(Progress(processed: index, fraction: 1))
        report.rejected.sort { $0.index < $1.index }
        return report
    }

    private static func email(in data: Data) -> String {
        ((try? JSON.decode(JSONObject.self, from: data))?["email"]?.string ?? "").forDisplay
    }

    private enum Written: Sendable { case inserted, updated, duplicate }

    private func write(_ rows: inout [Row], upsert: Bool, at now: Date, to report: inout Report) async throws {
        guard !rows.isEmpty else { return }
        let written = try await write(rows, upsert: upsert, at: now)
        for (row, outcome) in zip(rows, written) {
            switch outcome {
            case .inserted: report.inserted += 1
            case .updated: report.updated += 1
            case .duplicate:
                report.reject(
                    row.index, row.user.user.email ?? "", "DUPLICATED_USER",
                    upsert
                        ? "The user_id or username belongs to another user"
                        : "The user is there already; add --upsert to update users")
            }
        }
        rows = []
    }

    /// Somebody who signs up meanwhile with an address of the batch undoes it; the second time they are found.
    private func write(_ batch: [Row], upsert: Bool, at now: Date, attempts: Int = 5) async throws -> [Written] {
        let connection = connection
        do {
            return try await stores.database.write { transaction in
                try batch.map {
                    try Self.write($0.user, connection: connection, upsert: upsert, at: now, in: transaction)
                }
            }
        } catch SQLError.uniqueViolation where attempts > 1 {
            return try await write(batch, upsert: upsert, at: now, attempts: attempts - 1)
        }
    }

    private static func write(
        _ imported: ImportedUser, connection: String, upsert: Bool, at now: Date, in transaction: any SQLTransaction
    ) throws -> Written {
        let user = imported.user
        if upsert, let email = user.email {
            try UserStore.lock(connection: connection, email: email, in: transaction)
        }
        let existing = try user.email.flatMap {
            try UserStore.find(connection: connection, identifier: $0, in: transaction)
        }
        if let existing {
            // As another user's identity it is not the file's to change.
            guard upsert, existing.user.email == user.email else { return .duplicate }
            try UserStore.update(imported.merged(into: existing.user), of: existing.user.id, at: now, in: transaction)
            // A password that its owner has used here is newer than the file's.
            if let hash = imported.passwordHash, existing.user.loginsCount == 0 {
                try UserStore.setPasswordHash(hash, of: existing.user.id, at: now, in: transaction)
            }
            return .updated
        }
        let clash =
            try UserStore.exists(user.id, in: transaction)
            || user.username.flatMap {
                try UserStore.find(connection: connection, identifier: $0, in: transaction)
            } != nil
        guard !clash else { return .duplicate }
        try UserStore.insert(user, passwordHash: imported.passwordHash, in: transaction)
        return .inserted
    }
}

extension UserImport.Report {
    fileprivate mutating func reject(_ index: Int, _ email: String, _ code: String, _ message: String) {
        rejected.append(UserImport.RejectedRow(index: index, email: email, code: code, message: message))
    }
}
