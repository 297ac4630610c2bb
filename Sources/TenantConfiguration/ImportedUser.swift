import AuthorizationServer
import Foundation
import OAuth
import Storage

/// A user as a users-import file has it: Auth0's schema for bulk imports.
struct ImportedUser: Sendable {
    let user: User
    let passwordHash: String?

    /// Why a row is not taken, with Auth0's code for it.
    struct Rejection: Error {
        let code: String
        let message: String
    }

    init(_ data: Data, connection: String, at now: Date) throws(Rejection) {
        guard let members = try? JSON.decode(JSONObject.self, from: data) else {
            throw Rejection(code: "INVALID_FORMAT", message: "The object is not valid JSON")
        }
        var document = Document(members, path: "")
        do {
            passwordHash = try Self.passwordHash(&document)
            user = try Self.user(&document, connection: connection, at: now)
            let rest = try document.remaining(known: ["mfa_factors"])
            guard rest.isEmpty else {
                throw Rejection(
                    code: "NOT_SUPPORTED", message: "mfa_factors: this version has no multi-factor authentication; remove them")
            }
        } catch let problem as Document.Problem {
            let isUnknown = problem.message.hasPrefix("is no field")
            throw Rejection(
                code: isUnknown ? "ADDITIONAL_PROPERTIES_NOT_ALLOWED" : "INVALID_FORMAT", message: "\(problem)")
        } catch let rejection as Rejection {
            throw rejection
        } catch {
            throw Rejection(code: "INVALID_FORMAT", message: "\(error)")
        }
    }

    private static func user(_ document: inout Document, connection: String, at now: Date) throws -> User {
        guard let sent = try document.string("email"), let email = EmailAddress(sent) else {
            throw Rejection(code: "INVALID_FORMAT", message: "email: must be an e-mail address")
        }
        var id = try document.string("user_id") ?? RandomBytes.hexadecimal(24)
        if !id.hasPrefix("auth0|") { id = "auth0|" + id }
        guard id.utf8.count <= 255, id.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Rejection(code: "INVALID_FORMAT", message: "user_id: must be printable ASCII without spaces")
        }
        var user = User(id: id, connection: connection, email: email.text, createdAt: now)
        user.isEmailVerified = try document.bool("email_verified", default: false)
        user.isBlocked = try document.bool("blocked", default: false)
        user.username = try document.string("username")?.lowercased()
        user.userMetadata = try document.object("user_metadata") ?? [:]
        user.appMetadata = try document.object("app_metadata") ?? [:]
        for name in ["name", "nickname", "given_name", "family_name", "picture", "phone_number"] {
            if let value = try document.string(name) { user.profile[name] = .string(value) }
        }
        if let isVerified = try document.bool("phone_verified") {
            user.profile["phone_number_verified"] = .bool(isVerified)
        }
        return user
    }

    private static func passwordHash(_ document: inout Document) throws -> String? {
        let plain = try document.string("password_hash")
        guard var custom = try document.document("custom_password_hash") else {
            return try plain.map(supported)
        }
        let algorithm = try custom.requiredString("algorithm")
        guard ["bcrypt", "argon2"].contains(algorithm) else {
            throw Rejection(
                code: "NOT_SUPPORTED",
                message: "custom_password_hash.algorithm: '\(algorithm.forDisplay)' is not supported yet; bcrypt and argon2 "
                    + "are. Import the user without it, and let the password be reset")
        }
        guard var hash = try custom.document("hash") else {
            throw Rejection(code: "OBJECT_REQUIRED", message: "custom_password_hash.hash: must be an object with a value")
        }
        return try supported(hash.requiredString("value"))
    }

    private static func supported(_ hash: String) throws(Rejection) -> String {
        guard PasswordHash.isSupported(hash) else {
            throw Rejection(
                code: "INVALID_FORMAT",
                message: "password_hash: must be a bcrypt hash ($2a$, $2b$ or $2y$, 60 characters) or an Argon2 one ($argon2id$…)")
        }
        return hash
    }
}
