import AuthorizationServer
import OAuth
import Storage

/// What a user's members have to keep, in an import and in a request to the Management API.
package enum UserRules {
    /// The attributes of the profile that are texts.
    package static let profile = ["name", "nickname", "given_name", "family_name", "picture", "phone_number"]

    /// What Auth0 keeps beside the metadata and so forbids in it.
    private static let forbiddenAppMetadata: Set<String> = [
        "__tenant", "_id", "blocked", "clientID", "created_at", "email", "email_verified", "globalClientID",
        "global_client_id", "identities", "lastIP", "lastLogin", "loginsCount", "metadata",
        "multifactor_last_modified", "multifactor", "updated_at", "user_id",
    ]

    /// The user's own metadata.
    /// - Throws: ``Document/Problem`` for a name that it may not have.
    package static func userMetadata(_ document: inout Document) throws(Document.Problem) -> JSONObject? {
        try metadata(&document, "user_metadata", forbidden: [])
    }

    /// The applications' metadata on the user.
    /// - Throws: ``Document/Problem`` for a name that it may not have.
    package static func appMetadata(_ document: inout Document) throws(Document.Problem) -> JSONObject? {
        try metadata(&document, "app_metadata", forbidden: forbiddenAppMetadata)
    }

    private static func metadata(
        _ document: inout Document, _ field: String, forbidden: Set<String>
    ) throws(Document.Problem) -> JSONObject? {
        guard let metadata = try document.object(field) else { return nil }
        guard let name = metadata.keys.sorted().first(where: { forbidden.contains($0) || $0.contains(/[.$]/) }) else {
            return metadata
        }
        throw document.problem(
            "\(field).\(name.forDisplay)",
            forbidden.contains(name) ? "is a name that Auth0 keeps for itself" : "must not have '.' or '$' in its name")
    }

    /// The e-mail address, as it is stored.
    /// - Throws: ``Document/Problem`` for a text that is none.
    package static func email(_ document: inout Document) throws(Document.Problem) -> String? {
        guard let sent = try document.string("email", most: 320) else { return nil }
        guard let email = EmailAddress(sent) else { throw document.problem("email", "must be an e-mail address") }
        return email.text
    }

    /// The user name in lower case; an e-mail address as a user name could be another user's.
    /// - Throws: ``Document/Problem`` for a text that is none.
    package static func username(_ document: inout Document) throws(Document.Problem) -> String? {
        guard let username = try document.string("username")?.lowercased() else { return nil }
        guard (1...128).contains(username.utf8.count), !username.contains(where: \.isWhitespace),
            !username.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }),
            EmailAddress(username) == nil
        else {
            throw document.problem("username", "must be 1 to 128 characters without spaces, and no e-mail address")
        }
        return username
    }

    /// The id of a user of a database connection: the one that is given, with or without its `auth0|`, or a new one.
    /// - Throws: ``Document/Problem`` for a text that cannot be one.
    package static func userID(_ document: inout Document) throws(Document.Problem) -> String? {
        guard let sent = try document.string("user_id") else { return nil }
        let id = sent.hasPrefix("auth0|") ? sent : "auth0|" + sent
        guard id != "auth0|", id.utf8.count <= 255, id.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw document.problem("user_id", "must be printable ASCII without spaces")
        }
        return id
    }

    /// The attributes of the profile that the document has.
    /// - Throws: ``Document/Problem`` for one that is no text.
    package static func profile(_ document: inout Document) throws(Document.Problem) -> JSONObject {
        var profile: JSONObject = [:]
        for name in Self.profile {
            if let value = try document.string(name) { profile[name] = .string(value) }
        }
        if let isVerified = try document.bool("phone_verified") { profile["phone_number_verified"] = .bool(isVerified) }
        return profile
    }
}
