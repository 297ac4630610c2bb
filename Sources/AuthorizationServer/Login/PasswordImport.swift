import Foundation
import OAuth
import Storage

/// The first login of somebody whose password only the old tenant knows: it is asked, and the password is kept here from
/// then on, so that it is never asked again.
struct PasswordImport: Sendable {
    let services: Services
    let connection: Connection
    let source: ImportSource

    /// What is written once the login succeeds.
    enum Kept: Sendable {
        case password(hash: String)
        case user(hash: String)
    }

    /// - Parameters:
    ///   - sent: the e-mail address or user name as it was typed.
    ///   - found: the user of that name, whose password has no hash here; nil where there is none.
    /// - Returns: nil where the password is wrong or nobody is meant, after as long in both cases.
    /// - Throws: ``PasswordLogin/Refusal``, or ``PasswordHasher/Busy``.
    func check(
        _ sent: String, password: String, found: User?, address: String
    ) async throws -> (user: User, kept: Kept)? {
        let tenant = OldTenant(
            services: services, source: source,
            sealedSecret: try await services.stores.connections.sealedImportSecret(of: connection.name))
        let person = try await tenant.person(sent, password: password, address: address)
        let hash = try await services.passwords.hash(password)
        guard let person else { return nil }
        if let found {
            guard Self.isSame(person, found) else { return nil }
            return (found, .password(hash: hash))
        }
        if let present = try await present(person) { return (present, .password(hash: hash)) }
        guard source.createsUsers, let user = try await user(person) else { return nil }
        return (user, .user(hash: hash))
    }

    /// An address may have gone to somebody else at the old tenant since the users were taken over.
    private static func isSame(_ person: OldTenant.Person, _ user: User) -> Bool {
        person.subject == user.id || person.email != nil && person.email == user.email
    }

    /// A user who is here by another name than the one that was typed, and has no password yet.
    private func present(_ person: OldTenant.Person) async throws -> User? {
        guard let email = person.email,
            let found = try await services.stores.users.find(connection: connection.name, identifier: email)
        else { return nil }
        return found.passwordHash == nil && found.user.email == email ? found.user : nil
    }

    /// A new user with the id that applications know.
    private func user(_ person: OldTenant.Person) async throws -> User? {
        guard let email = person.email,
            try await services.stores.users.find(connection: connection.name, identifier: email) == nil
        else { return nil }
        let isOwn = person.subject?.wholeMatch(of: /auth0\|[\x21-\x7E]{1,240}/) != nil
        let id = person.subject.flatMap { isOwn ? $0 : nil } ?? "auth0|" + RandomBytes.hexadecimal(24)
        guard try await services.stores.users.find(id) == nil else { return nil }
        var user = User(id: id, connection: connection.name, email: email, createdAt: services.now())
        user.isEmailVerified = person.claims["email_verified"]?.bool ?? false
        for name in ["name", "nickname", "given_name", "family_name", "picture"] {
            if let text = person.claims[name]?.string, text.utf8.count <= 2048 { user.profile[name] = .string(text) }
        }
        return user
    }
}

extension PasswordImport.Kept {
    /// Keeps the password, and the user where there was none.
    func write(for user: User, at now: Date, in transaction: any SQLTransaction) throws {
        switch self {
        case .password(let hash):
            try UserStore.keepPasswordHash(hash, of: user.id, at: now, in: transaction)
        case .user(let hash):
            // Of two first logins at the same time the second finds the user.
            guard try !UserStore.exists(user.id, in: transaction) else { return }
            try UserStore.insert(user, passwordHash: hash, in: transaction)
        }
    }
}
