import AuthorizationServer
import Foundation
import OAuth
import Storage

/// A user as a users-import file has it: Auth0's schema for bulk imports.
struct ImportedUser: Sendable {
    let user: User
    let passwordHash: String?
    /// What of the row may be shown to whoever asks why it was not taken.
    let shown: JSONObject
    /// The fields that the row has; an update leaves the others as they are.
    private let fields: Set<String>

    /// Why a row is not taken, with Auth0's code for it.
    struct Rejection: Error {
        let code: String
        let message: String
    }

    init(_ data: Data, connection: String, at now: Date) throws(Rejection) {
        guard let members = try? JSON.decode(JSONObject.self, from: data) else {
            throw Rejection(code: "INVALID_FORMAT", message: "The object is not valid JSON")
        }
        // PostgreSQL keeps no NUL in the texts that a search looks into.
        if let name = members.keys.sorted().first(where: { $0.utf8.contains(0) || members[$0]?.holdsNUL == true }) {
            throw Rejection(
                code: "INVALID_FORMAT", message: "\(name.forDisplay): has the character NUL in a text; remove it")
        }
        fields = Set(members.filter { $0.value != .null }.keys)
        shown = Self.shown(members)
        var document = Document(members, path: "")
        do {
            passwordHash = try Self.passwordHash(&document)
            user = try Self.user(&document, connection: connection, at: now)
            let rest = try document.remaining(known: ["mfa_factors"])
            guard rest.isEmpty else {
                throw Rejection(
                    code: "NOT_SUPPORTED",
                    message: "mfa_factors: second factors are not taken over; remove them, and users set one up anew")
            }
        } catch let problem as Document.Problem {
            guard !problem.names.isEmpty else { throw Rejection(code: "INVALID_FORMAT", message: "\(problem)") }
            let near = Spelling.nearest(to: problem.path, among: problem.names)
            throw Rejection(
                code: "ADDITIONAL_PROPERTIES_NOT_ALLOWED",
                message:
                    "\(problem.path): is no field of a user\(near.map { "; did you mean \($0)?" } ?? "; remove it")")
        } catch let rejection as Rejection {
            throw rejection
        } catch {
            throw Rejection(code: "INVALID_FORMAT", message: "\(error)")
        }
    }

    /// What of a row may be shown to whoever asks why it was not taken; nothing where it is no JSON.
    static func shown(_ data: Data) -> JSONObject { shown((try? JSON.decode(JSONObject.self, from: data)) ?? [:]) }

    /// Nobody knows what is in other fields; one that is misspelt may be a password.
    private static let shownFields: Set<String> = [
        "user_id", "email", "email_verified", "username", "blocked", "name", "nickname", "given_name", "family_name",
        "picture", "phone_number", "phone_verified",
    ]

    private static func shown(_ members: JSONObject) -> JSONObject {
        members.filter { name, value in
            shownFields.contains(name) && value.object == nil && value.array == nil && !value.holdsNUL
        }
    }

    /// As ``shown``, with the address as the user would have had it.
    var shownWithAddress: JSONObject { shown.merging(["email": .string(user.email ?? "")]) { $1 } }

    /// The user that is there with what the row says: each field replaces the one before, metadata as a whole.
    func merged(into existing: User) -> User {
        var merged = existing
        if fields.contains("email_verified") { merged.isEmailVerified = user.isEmailVerified }
        if fields.contains("blocked") { merged.isBlocked = user.isBlocked }
        if fields.contains("user_metadata") { merged.userMetadata = user.userMetadata }
        if fields.contains("app_metadata") { merged.appMetadata = user.appMetadata }
        merged.profile.merge(user.profile) { $1 }
        return merged
    }

    private static func user(_ document: inout Document, connection: String, at now: Date) throws -> User {
        guard let email = try UserRules.email(&document) else {
            throw Rejection(code: "INVALID_FORMAT", message: "email: must be an e-mail address")
        }
        let id = try UserRules.userID(&document) ?? "auth0|" + RandomBytes.hexadecimal(24)
        var user = User(id: id, connection: connection, email: email, createdAt: now)
        user.isEmailVerified = try document.bool("email_verified", default: false)
        user.isBlocked = try document.bool("blocked", default: false)
        user.username = try UserRules.username(&document)
        user.userMetadata = try UserRules.userMetadata(&document) ?? [:]
        user.appMetadata = try UserRules.appMetadata(&document) ?? [:]
        user.profile = try UserRules.profile(&document)
        return user
    }

    private static func passwordHash(_ document: inout Document) throws -> String? {
        let plain = try document.string("password_hash")
        guard var custom = try document.document("custom_password_hash") else {
            return try plain.map { try supported($0, "password_hash") }
        }
        let algorithm = try custom.requiredString("algorithm")
        guard ["bcrypt", "argon2"].contains(algorithm) else {
            throw Rejection(
                code: "NOT_SUPPORTED",
                message:
                    "custom_password_hash.algorithm: '\(algorithm.forDisplay)' is not supported yet; bcrypt and argon2 "
                    + "are. Import the user without it, and let the password be reset")
        }
        guard var hash = try custom.document("hash") else {
            throw Rejection(
                code: "OBJECT_REQUIRED", message: "custom_password_hash.hash: must be an object with a value")
        }
        let value = try hash.requiredString("value")
        try requireUTF8(&hash)
        if var password = try custom.document("password") { try requireUTF8(&password) }
        _ = try hash.remaining(known: [])
        _ = try custom.remaining(known: [])
        return try supported(value, "custom_password_hash.hash.value")
    }

    /// bcrypt and Argon2 have a text form with their salt, and take the password's UTF-8.
    private static func requireUTF8(_ document: inout Document) throws {
        if let encoding = try document.string("encoding"), !["utf8", "ascii"].contains(encoding) {
            throw Rejection(code: "NOT_SUPPORTED", message: "\(document.path).encoding: must be utf8")
        }
    }

    /// A text that only begins like a hash would lock its user out.
    private static func supported(_ hash: String, _ field: String) throws(Rejection) -> String {
        let isComplete =
            hash.wholeMatch(of: /\$2[aby]\$[0-9]{2}\$[.\/A-Za-z0-9]{53}/) != nil
            || hash.wholeMatch(of: /\$argon2id?\$v=[0-9]+\$m=[0-9]+,t=[0-9]+,p=[0-9]+(\$[+\/A-Za-z0-9]+){2}/) != nil
        guard isComplete, PasswordHash.isSupported(hash) else {
            throw Rejection(
                code: "INVALID_FORMAT",
                message:
                    "\(field): must be a bcrypt hash ($2a$, $2b$ or $2y$, 60 characters) or an Argon2 one ($argon2id$…)"
            )
        }
        return hash
    }
}
