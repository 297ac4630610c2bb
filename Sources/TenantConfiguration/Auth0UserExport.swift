import Foundation
import OAuth
import Storage

/// Makes rows for the import from those of Auth0's bulk user export, which has more than an import takes.
package struct Auth0UserExport: Sendable {
    private let standard: String
    private let databases: Set<String>
    /// Password hashes by the user's id without `auth0|`, and by e-mail address.
    private let hashes: [String: String]
    /// The fields that were not taken over, with the number of users that have them.
    private(set) var leftOut: [String: Int] = [:]

    /// - Parameters:
    ///   - standard: the database of the users whose rows name none.
    ///   - databases: those that the tenant has.
    ///   - hashes: what ``passwordHashes(in:)`` has read.
    package init(standard: String, databases: [String], hashes: [String: String] = [:]) {
        (self.standard, self.databases, self.hashes) = (standard, Set(databases), hashes)
    }

    /// A row of the import, and what the import does not read from it.
    struct Row {
        let data: Data
        let connection: String
        let createdAt: Date?
    }

    /// The columns of an export whose fields nobody chose.
    private static let names = [
        "Id": "user_id", "Email": "email", "Email Verified": "email_verified", "Name": "name", "Nickname": "nickname",
        "Given Name": "given_name", "Family Name": "family_name", "Username": "username", "Picture": "picture",
        "Connection": "connection", "Created At": "created_at", "Updated At": "updated_at",
    ]

    /// What an import takes; a user's other attributes came from other providers.
    private static let taken: Set<String> = [
        "user_id", "email", "email_verified", "username", "given_name", "family_name", "name", "nickname", "picture",
        "blocked", "phone_number", "phone_verified", "app_metadata", "user_metadata", "password_hash",
        "custom_password_hash",
    ]
    /// What becomes something else.
    private static let read: Set<String> = ["_id", "identities", "connection", "created_at", "passwordHash"]

    /// Why a field stays behind.
    package static func reason(_ field: String) -> String {
        switch field {
        case "last_login", "logins_count", "last_ip", "last_password_reset", "updated_at":
            "tells of the old tenant, and begins anew here"
        case "multifactor", "mfa_factors", "guardian_enrollments", "guardian_authenticators",
            "multifactor_last_modified":
            "second factors are not taken over; users set one up at the next login that needs it"
        case "linked identities": "this version cannot sign in with the providers that they are of"
        case "custom_password_hash", "password_hash":
            "of an algorithm that this version does not have (bcrypt and argon2 are); these users reset their "
                + "passwords, or keep them by --old-domain"
        default: "a user has no such attribute here; put what applications need into user_metadata or app_metadata"
        }
    }

    /// - Throws: ``ImportedUser/Rejection`` for a user who has no place here.
    mutating func converted(_ data: Data) throws(ImportedUser.Rejection) -> Row {
        guard let sent = try? JSON.decode(JSONObject.self, from: data) else {
            return Row(data: data, connection: standard, createdAt: nil)
        }
        let members = Dictionary(sent.map { (Self.names[$0.key] ?? $0.key, $0.value) }) { first, _ in first }
        let identities = (members["identities"]?.array ?? []).compactMap(\.object)
        var id = members["user_id"]?.string
        if id == nil, let object = members["_id"]?.object?["$oid"]?.string { id = "auth0|" + object }
        if let id, let separator = id.firstIndex(of: "|"), id[..<separator] != "auth0" {
            throw ImportedUser.Rejection(
                code: "NOT_SUPPORTED",
                message: "signs in through \(String(id[..<separator]).forDisplay), which this version cannot do yet")
        }
        let home = identities.first?["connection"]?.string ?? members["connection"]?.string ?? standard
        guard databases.contains(home) else {
            throw ImportedUser.Rejection(
                code: "NOT_SUPPORTED",
                message: "belongs to the connection '\(home.forDisplay)', which is no database of this tenant")
        }
        var row = members.filter { Self.taken.contains($0.key) && $0.value != .null }
        row["user_id"] = id.map(JSONValue.string)
        if let hash = hash(id, members) { row["password_hash"] = .string(hash) }
        leaveOutForeignHash(&row)
        for (name, value) in members
        where value != .null && !Self.taken.contains(name) && !Self.read.contains(name) {
            leftOut[name, default: 0] += 1
        }
        if identities.count > 1 { leftOut["linked identities", default: 0] += 1 }
        let text = (try? JSON.text(row)) ?? ""
        return Row(
            data: Data(text.utf8), connection: home, createdAt: members["created_at"]?.string.flatMap(LogEvent.date))
    }

    /// A user is taken over even where the password is not.
    private mutating func leaveOutForeignHash(_ row: inout JSONObject) {
        let algorithm = row["custom_password_hash"]?.object?["algorithm"]?.string
        guard let algorithm, !["bcrypt", "argon2"].contains(algorithm) else { return }
        row["custom_password_hash"] = nil
        leftOut["custom_password_hash", default: 0] += 1
    }

    private func hash(_ id: String?, _ members: JSONObject) -> String? {
        if let own = members["passwordHash"]?.string { return own }
        if let id, let found = hashes[String(id.dropFirst("auth0|".count))] { return found }
        return members["email"]?.string.flatMap { hashes[$0.lowercased()] }
    }

    /// Reads Auth0's export of password hashes: JSON lines with `_id`, `email` and `passwordHash`.
    /// - Throws: an error of the file system, ``UserImport/NotUsers``, or ``Gunzip/Damaged``.
    package static func passwordHashes(in file: URL) throws -> [String: String] {
        var elements = try JSONElements(
            FileHandle(forReadingFrom: file), name: file.lastPathComponent, at: 0, mayBePacked: true)
        var hashes: [String: String] = [:]
        while let element = try elements.next() {
            guard case .object(let data) = element, let row = try? JSON.decode(JSONObject.self, from: data),
                let hash = row["passwordHash"]?.string
            else { continue }
            if let id = row["_id"]?.object?["$oid"]?.string ?? row["_id"]?.string {
                hashes[id] = hash
            } else if let email = row["email"]?.string {
                hashes[email.lowercased()] = hash
            }
        }
        return hashes
    }
}
