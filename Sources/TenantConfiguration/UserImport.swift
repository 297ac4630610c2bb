import Foundation
import OAuth
import Storage

/// Takes users over from a file in Auth0's users-import format.
package struct UserImport: Sendable {
    private let stores: Stores
    private let connection: String
    private let conversion: Auth0UserExport?
    private let held: [String]

    /// Users written in one transaction.
    private static let batch = 200

    /// - Parameters:
    ///   - conversion: makes the rows of the import from others; nil where the file has them.
    ///   - held: the ids of the connections that must be there as long as users are written: those made after their
    ///     connection has gone would be the next one's of that name.
    package init(
        stores: Stores, connection: String, converting conversion: Auth0UserExport? = nil, holding held: [String] = []
    ) {
        (self.stores, self.connection, self.conversion, self.held) = (stores, connection, conversion, held.sorted())
    }

    /// How far an import has come.
    package struct Progress: Sendable {
        package let processed: Int
        /// Of the file, from 0 to 1.
        package let fraction: Double
    }

    /// Where an import stands between two batches, from which it can go on.
    package struct Position: Sendable, Hashable {
        /// Bytes of the file that are done with.
        package var offset = 0
        /// Rows, good or bad.
        package var processed = 0
        package var inserted = 0
        package var updated = 0
        /// Users that were there already and stayed as they were: those of a migration that goes on.
        package var present = 0
        package var rejected = 0

        package init() {}
    }

    /// Keeps what a batch came to, in the batch's own transaction: neither happens without the other. May run twice.
    package typealias Note = @Sendable (Position, [RejectedRow], any SQLTransaction) throws -> Void

    /// What an import did.
    package struct Report: Sendable {
        package internal(set) var inserted = 0
        package internal(set) var updated = 0
        /// Users that were there already and stayed as they were: those of a migration that goes on.
        package internal(set) var present = 0
        package internal(set) var rejected: [RejectedRow] = []
        /// The fields of users that a migration did not take over, with the number of users that have them.
        package internal(set) var leftOut: [String: Int] = [:]

        package var text: String {
            rejected.map { "row \($0.index) \($0.email): \($0.code): \($0.message)\n" }.joined()
                + "\(inserted) inserted, \(updated) updated, \(rejected.count) rejected."
        }
    }

    /// A row that was not taken; rows count from 1.
    package struct RejectedRow: Sendable, Equatable {
        package let index: Int
        /// What the row says of the user, without passwords and second factors; empty where it cannot be read.
        package let user: JSONObject
        package let code: String
        package let message: String

        package var email: String { (user["email"]?.string ?? "").forDisplay }
    }

    /// The file is something else.
    package struct NotUsers: Error, CustomStringConvertible {
        let file: String
        package var description: String {
            "\(file) is no users file: it must be a JSON array of users, or one user in JSON on each line, in UTF-8."
        }
    }

    /// A connection was removed while its users were imported.
    package struct ConnectionGone: Error, CustomStringConvertible {
        package var description: String {
            "The connection was removed while its users were imported; what was written before is gone with it."
        }
    }

    private struct Row: Sendable {
        let index: Int
        let user: ImportedUser
    }

    /// Rows that are written in one transaction, and those among them that cannot be.
    private struct Batch: Sendable {
        var rows: [Row] = []
        var rejected: [RejectedRow] = []

        var count: Int { rows.count + rejected.count }

        mutating func reject(_ index: Int, _ code: String, _ message: String, of user: JSONObject = [:]) {
            rejected.append(RejectedRow(index: index, user: user, code: code, message: message))
        }
    }

    /// Reads the file in pieces and writes batch after batch; what is written stays where a later row fails.
    /// - Parameters:
    ///   - file: JSON, or JSON packed with gzip.
    ///   - upsert: whether users that are there already are updated, all but their passwords. A migration leaves them as
    ///     they are, and only gives them a password hash where they have none.
    /// - Throws: ``NotUsers``, ``ConnectionGone``, an error of the file system, ``Gunzip/Damaged``, or ``SQLError``.
    package func run(
        file: URL, upsert: Bool, at now: Date = Date(), progress: (Progress) -> Void = { _ in }
    ) async throws -> Report {
        let size = try FileManager.default.attributesOfItem(atPath: file.path(percentEncoded: false))[.size] as? Int
        var (report, conversion) = (Report(), conversion)
        let elements = try JSONElements(
            FileHandle(forReadingFrom: file), name: file.lastPathComponent, at: 0, mayBePacked: true)
        let end = try await run(
            elements, from: Position(), upsert: upsert, at: now, note: nil, converting: &conversion,
            rejecting: { report.rejected += $0 },
            progress: { progress(Progress(processed: $0, fraction: min(1, Double($1) / Double(max(1, size ?? 1))))) })
        (report.inserted, report.updated, report.present) = (end.inserted, end.updated, end.present)
        report.leftOut = conversion?.leftOut ?? [:]
        report.rejected.sort { $0.index < $1.index }
        progress(Progress(processed: end.processed, fraction: 1))
        return report
    }

    /// Reads from an open file, from where an earlier run stood.
    /// - Parameters:
    ///   - file: stands at `start`'s offset.
    ///   - name: what the file is called where it is no users file.
    ///   - rejecting: takes the rows of each batch that were not taken.
    ///   - progress: takes the rows and the bytes that were read, after each row.
    /// - Returns: where it stands at the end.
    /// - Throws: ``NotUsers``, ``ConnectionGone``, an error of the file system, ``SQLError``, or what `note` throws.
    @discardableResult
    package func run(
        _ file: FileHandle, name: String, from start: Position, upsert: Bool, at now: Date, note: Note? = nil,
        rejecting: ([RejectedRow]) -> Void = { _ in }, progress: (Int, Int) -> Void = { _, _ in }
    ) async throws -> Position {
        var conversion = conversion
        return try await run(
            JSONElements(file, name: name, at: start.offset), from: start, upsert: upsert, at: now, note: note,
            converting: &conversion, rejecting: rejecting, progress: progress)
    }

    private func run(
        _ elements: JSONElements, from start: Position, upsert: Bool, at now: Date, note: Note?,
        converting conversion: inout Auth0UserExport?, rejecting: ([RejectedRow]) -> Void,
        progress: (Int, Int) -> Void
    ) async throws -> Position {
        let existing: Existing = conversion != nil ? .completed : upsert ? .updated : .refused
        var (position, batch, index, elements) = (start, Batch(), start.processed, elements)
        while let element = try elements.next() {
            index += 1
            read(element, index, &conversion, at: now, into: &batch)
            if batch.count >= Self.batch {
                (position.offset, position.processed) = (elements.offset, index)
                try await write(&batch, &position, existing, at: now, note, rejecting)
                try Task.checkCancellation()
            }
            progress(index, elements.bytesRead)
        }
        (position.offset, position.processed) = (elements.offset, index)
        try await write(&batch, &position, existing, at: now, note, rejecting)
        return position
    }

    private func read(
        _ element: JSONElements.Element, _ index: Int, _ conversion: inout Auth0UserExport?, at now: Date,
        into batch: inout Batch
    ) {
        switch element {
        case .object(let data):
            do {
                batch.rows.append(Row(index: index, user: try user(data, &conversion, at: now)))
            } catch {
                batch.reject(index, error.code, error.message, of: ImportedUser.shown(data))
            }
        case .tooLarge: batch.reject(index, "INVALID_FORMAT", "The object is larger than 1 MiB")
        case .cutOff:
            batch.reject(
                index, "INVALID_FORMAT",
                "The user has no end: the file is cut off, or a text lacks its closing quote")
        case .unexpected(let text): batch.reject(index, "OBJECT_REQUIRED", text)
        }
    }

    private func user(
        _ data: Data, _ conversion: inout Auth0UserExport?, at now: Date
    ) throws(ImportedUser.Rejection) -> ImportedUser {
        guard let row = try conversion?.converted(data) else {
            return try ImportedUser(data, connection: connection, at: now)
        }
        return try ImportedUser(row.data, connection: row.connection, at: row.createdAt ?? now)
    }

    private enum Written: Sendable { case inserted, updated, present, duplicate, linked }

    /// What becomes of a user who is there already.
    private enum Existing: Sendable { case refused, updated, completed }

    private func write(
        _ batch: inout Batch, _ position: inout Position, _ existing: Existing, at now: Date, _ note: Note?,
        _ rejecting: ([RejectedRow]) -> Void
    ) async throws {
        guard batch.count > 0 else { return }
        let (after, rejected) = try await write(batch, from: position, existing, at: now, note)
        position = after
        rejecting(rejected)
        batch = Batch()
    }

    /// Somebody who signs up meanwhile with an address of the batch undoes it; the second time they are found.
    private func write(
        _ batch: Batch, from position: Position, _ existing: Existing, at now: Date, _ note: Note?, attempts: Int = 5
    ) async throws -> (Position, [RejectedRow]) {
        do {
            return try await stores.database.write { [held] transaction in
                for id in held {
                    guard try ConnectionStore.hold(id: id, in: transaction) else { throw ConnectionGone() }
                }
                let written = try batch.rows.map { try Self.write($0.user, existing, at: now, in: transaction) }
                let (position, rejected) = Self.outcome(of: batch, written, from: position, existing)
                try note?(position, rejected, transaction)
                return (position, rejected)
            }
        } catch SQLError.uniqueViolation where attempts > 1 {
            return try await write(batch, from: position, existing, at: now, note, attempts: attempts - 1)
        }
    }

    private static func outcome(
        of batch: Batch, _ written: [Written], from position: Position, _ existing: Existing
    ) -> (Position, [RejectedRow]) {
        var (batch, position) = (batch, position)
        for (row, outcome) in zip(batch.rows, written) {
            switch outcome {
            case .inserted: position.inserted += 1
            case .updated: position.updated += 1
            case .present: position.present += 1
            case .duplicate:
                batch.reject(
                    row.index, "DUPLICATED_USER",
                    existing != .refused
                        ? "The user_id or username belongs to another user"
                        : "The user is there already; upsert updates users that are there",
                    of: row.user.shownWithAddress)
            case .linked:
                batch.reject(
                    row.index, "DUPLICATED_USER",
                    "The account is linked to another user; unlink it first, or change that user",
                    of: row.user.shownWithAddress)
            }
        }
        position.rejected += batch.rejected.count
        return (position, batch.rejected)
    }

    private static func write(
        _ imported: ImportedUser, _ treatment: Existing, at now: Date, in transaction: any SQLTransaction
    ) throws -> Written {
        let (user, connection) = (imported.user, imported.user.connection)
        if treatment != .refused, let email = user.email {
            try UserStore.lock(connection: connection, email: email, in: transaction)
        }
        let existing = try user.email.flatMap {
            try UserStore.find(connection: connection, identifier: $0, in: transaction)
        }
        if let existing {
            guard treatment != .refused else { return .duplicate }
            // Whose identity the account is may be a user of another connection, with the same address even.
            guard existing.user.connection == connection, existing.user.email == user.email else { return .linked }
            if treatment == .completed {
                guard existing.user.id == user.id else { return .duplicate }
                guard let hash = imported.passwordHash, existing.passwordHash == nil else { return .present }
                try UserStore.setPasswordHash(hash, of: user.id, at: now, in: transaction)
                return .updated
            }
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
