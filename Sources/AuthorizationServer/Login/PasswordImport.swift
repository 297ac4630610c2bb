import Foundation
import Logging
import OAuth
import Storage

/// The first login of somebody whose password only the old tenant knows: it is asked, and the password is kept here from
/// then on, so that it is never asked again.
struct PasswordImport: Sendable {
    let services: Services
    let connection: Connection
    let source: ImportSource

    /// The hash of a password that is to be kept.
    struct Kept: Sendable {
        let hash: String
    }

    /// - Parameters:
    ///   - sent: the e-mail address or user name as it was typed.
    ///   - found: the user of that name, whose password has no hash here; nil where there is none.
    /// - Returns: nil where the password is wrong or nobody is meant, after as long in both cases; nothing to keep where
    ///   another login has kept the password meanwhile.
    /// - Throws: ``PasswordLogin/Refusal``, ``PasswordHasher/Busy``, or ``OAuthError`` where a script has to run.
    func check(
        _ sent: String, password: String, found: User?, address: String, trail: LogTrail
    ) async throws -> (user: User, kept: Kept?)? {
        let tenant = OldTenant(
            services: services, source: source,
            sealedSecret: try await services.stores.connections.sealedImportSecret(of: connection.name))
        let person = try await tenant.person(sent, password: password, address: address)
        let hash = try await services.passwords.hash(password)
        guard let person else { return nil }
        if let found {
            guard isSame(person, found) else { return nil }
            return (found, Kept(hash: hash))
        }
        if let present = try await present(person) { return try await known(present, person, password, hash) }
        guard source.createsUsers, let made = user(person) else { return nil }
        let scripts = RegistrationScripts(services: services, connection: connection, client: nil, trail: trail)
        let user = try await scripts.admitted(made)
        do {
            let isMade = try await services.stores.database.write { [connection] transaction in
                // One that is made after its connection has gone would be the next one's of that name.
                guard try ConnectionStore.hold(id: connection.id, in: transaction) else { return false }
                try UserStore.insert(user, passwordHash: hash, in: transaction)
                return true
            }
            guard isMade else { return nil }
            try await scripts.tell(user)
            return (user, nil)
        } catch SQLError.uniqueViolation {
            // Of two first logins at the same time, on whichever nodes, the second finds the user. Where there is still none,
            // the id or the address is somebody else's.
            guard let present = try await present(person) else { return nil }
            return try await known(present, person, password, hash)
        }
    }

    /// A user who is here. Another first login may have made them a moment ago: the password it has kept is what counts.
    private func known(
        _ present: (user: User, passwordHash: String?), _ person: OldTenant.Person, _ password: String, _ hash: String
    ) async throws -> (user: User, kept: Kept?)? {
        guard isSame(person, present.user) else { return nil }
        guard let kept = present.passwordHash else { return (present.user, Kept(hash: hash)) }
        return try await services.passwords.verify(password, against: kept) ? (present.user, nil) : nil
    }

    /// Whether who has shown a password at the old tenant is a user here. The id tells; an address does only where the
    /// old tenant has verified it, for everybody may write any address into an account of their own there, and never
    /// against two ids of the old tenant that differ: an address may have gone to somebody else since.
    private func isSame(_ person: OldTenant.Person, _ user: User) -> Bool {
        if person.subject == user.id { return true }
        let ids = [person.subject ?? "", user.id]
        let isVerified = person.claims["email_verified"]?.bool == true
        if !ids.allSatisfy({ $0.hasPrefix("auth0|") }), isVerified, person.email != nil, person.email == user.email {
            return true
        }
        services.logger.warning(
            "the old tenant verified the password of somebody else than the user here",
            metadata: [
                "user": "\(user.id)", "subject": "\(person.subject?.forDisplay ?? "none")", "verified": "\(isVerified)",
            ])
        return false
    }

    /// A user who is here by another name than the one that was typed, or since a moment ago.
    private func present(_ person: OldTenant.Person) async throws -> (user: User, passwordHash: String?)? {
        guard let email = person.email,
            let found = try await services.stores.users.find(connection: connection.name, identifier: email)
        else { return nil }
        return found.user.email == email ? found : nil
    }

    /// A new user with the id that applications know.
    private func user(_ person: OldTenant.Person) -> User? {
        guard let email = person.email else { return nil }
        let isOwn = person.subject?.wholeMatch(of: /auth0\|[\x21-\x7E]{1,240}/) != nil
        let id = person.subject.flatMap { isOwn ? $0 : nil } ?? "auth0|" + RandomBytes.hexadecimal(24)
        var user = User(id: id, connection: connection.name, email: email, createdAt: services.now())
        user.isEmailVerified = person.claims["email_verified"]?.bool ?? false
        for name in ["name", "nickname", "given_name", "family_name", "picture"] {
            if let text = person.claims[name]?.string, text.utf8.count <= 2048 { user.profile[name] = .string(text) }
        }
        return user
    }
}
