import OAuth
import Storage
import TenantConfiguration

/// A user to be made.
struct NewUser: Payload {
    let connection: String
    let id: String?
    let email: String?
    let username: String?
    let password: String?
    let isEmailVerified: Bool
    let isBlocked: Bool
    /// Whether the user is asked by mail to verify the address.
    let verifiesEmail: Bool
    let profile: JSONObject
    let userMetadata: JSONObject
    let appMetadata: JSONObject

    init(from document: inout Document) throws(Document.Problem) {
        connection = try document.requiredString("connection", most: 128)
        id = try UserRules.userID(&document)
        email = try UserRules.email(&document)
        username = try UserRules.username(&document)
        password = try document.string("password", most: 4096)
        isEmailVerified = try document.bool("email_verified", default: false)
        isBlocked = try document.bool("blocked", default: false)
        verifiesEmail = try document.bool("verify_email") ?? !isEmailVerified
        profile = try UserRules.profile(&document)
        userMetadata = try UserRules.userMetadata(&document) ?? [:]
        appMetadata = try UserRules.appMetadata(&document) ?? [:]
    }
}

/// What is to change of a user; a member that is null is removed, where it may be missing.
struct UserChange: Payload {
    /// The names of the members that the request has.
    let names: Set<String>
    let connection: String?
    let email: String?
    let username: String?
    let password: String?
    let isEmailVerified: Bool?
    let isBlocked: Bool?
    /// Whether the user is asked by mail to verify the address.
    let verifiesEmail: Bool
    let profile: JSONObject
    /// null for a member that is to go.
    let userMetadata: JSONObject?
    let appMetadata: JSONObject?

    init(from document: inout Document) throws(Document.Problem) {
        names = document.names
        connection = try document.string("connection", most: 128)
        _ = try document.string("client_id", most: 255)
        verifiesEmail = try document.bool("verify_email", default: false)
        _ = try document.bool("verify_password")
        email = try UserRules.email(&document)
        username = try UserRules.username(&document)
        password = try document.string("password", most: 4096)
        isEmailVerified = try document.bool("email_verified")
        isBlocked = try document.bool("blocked")
        profile = try UserRules.profile(&document)
        userMetadata = try UserRules.userMetadata(&document)
        appMetadata = try UserRules.appMetadata(&document)
        // Auth0 changes one of what a user signs in with at a time.
        guard password == nil || email == nil && username == nil && isEmailVerified == nil else {
            throw document.problem("password", "cannot change together with email, email_verified or username")
        }
        guard email == nil || username == nil else {
            throw document.problem("username", "cannot change together with email")
        }
    }

    /// The user after the change.
    func applied(to user: User) -> User {
        var user = user
        if let email {
            // Nobody has shown yet that the new address is theirs.
            if email != user.email { user.isEmailVerified = false }
            user.email = email
        }
        if let username { user.username = username }
        if let isEmailVerified { user.isEmailVerified = isEmailVerified }
        if let isBlocked { user.isBlocked = isBlocked }
        for name in UserRules.profile where names.contains(name) { user.profile[name] = profile[name] }
        user.profile.merge(profile) { $1 }
        user.userMetadata = Self.merged(user.userMetadata, userMetadata, isNamed: names.contains("user_metadata"))
        user.appMetadata = Self.merged(user.appMetadata, appMetadata, isNamed: names.contains("app_metadata"))
        return user
    }

    /// The first level of metadata merges; an empty object, or null, clears all of it.
    private static func merged(_ present: JSONObject, _ change: JSONObject?, isNamed: Bool) -> JSONObject {
        guard isNamed else { return present }
        guard let change, !change.isEmpty else { return [:] }
        return present.merging(change) { $1 }.filter { $0.value != .null }
    }
}
