import Foundation
import OAuth
import Storage

/// What is kept here of the users of a custom database: their profiles, by the ids that its scripts give them, and never
/// their passwords.
struct DatabaseAccounts: Sendable {
    let services: Services
    let connection: Connection

    /// An account of the other database, and the user who signs in with it.
    struct Stored: Sendable {
        let account: User
        /// Another one where the account is linked to theirs.
        let user: User
    }

    /// Why an account cannot be kept.
    enum Conflict: Error, Sendable, CustomStringConvertible {
        case otherConnection(id: String, connection: String)
        case addressTaken(id: String)

        var description: String {
            switch self {
            case .otherConnection(let id, let connection):
                "the user_id is another user's: \(id.forDisplay) is of the connection \(connection.forDisplay); ids are "
                    + "for the whole tenant, so put the connection's name before those of this database"
            case .addressTaken(let id):
                "the e-mail address or user name of \(id.forDisplay) is another user's of the connection; where that "
                    + "one is no longer in the other database, delete it here"
            }
        }
    }

    /// Keeps an account as ``save(_:evicting:changing:)`` does. An address that another account here has is this one's where the other
    /// database says so: it has gone from one of its users to another.
    /// - Throws: ``Conflict``, ``FailedScript``, or ``PasswordLogin/Refusal/noConnection``.
    func keep(
        _ profile: DatabaseProfile, _ database: CustomDatabase, _ setting: DatabaseScripts.Setting,
        changing change: @escaping @Sendable (inout User) -> Void = { _ in }
    ) async throws -> Stored {
        do {
            return try await save(profile, changing: change)
        } catch Conflict.addressTaken(let id) {
            let names = [profile.email, profile.username].compactMap(\.self)
            guard database.source(of: .getUser) != nil else { throw Conflict.addressTaken(id: id) }
            let owners = try await DatabaseScripts.run(of: database, connection, setting, services) { scripts in
                var owners: [String?] = []
                for name in names { owners.append(try await scripts.user(name)?.id) }
                return owners
            }
            guard owners.allSatisfy({ $0 == profile.id }) else { throw Conflict.addressTaken(id: id) }
            return try await save(profile, evicting: names, changing: change)
        }
    }

    /// Keeps an account as the other database describes it now. Several may do so at once: they keep one account.
    /// - Parameters:
    ///   - names: the account's addresses and user names that no other one has any more.
    ///   - change: what is known of the user beside the profile; for an account that is new here.
    /// - Throws: ``Conflict``, or ``PasswordLogin/Refusal/noConnection`` where the connection has gone.
    func save(
        _ profile: DatabaseProfile, evicting names: [String] = [],
        changing change: @escaping @Sendable (inout User) -> Void = { _ in }
    ) async throws -> Stored {
        do {
            return try await write(profile, names, change)
        } catch SQLError.uniqueViolation {
            // Of two at the same time the second finds the account; where it finds none, the address is somebody else's.
            let exists = try await services.stores.database.readOnce { try UserStore.exists(profile.id, in: $0) }
            guard exists else { throw Conflict.addressTaken(id: profile.id) }
        }
        do {
            return try await write(profile, names, change)
        } catch SQLError.uniqueViolation {
            throw Conflict.addressTaken(id: profile.id)
        }
    }

    private func write(
        _ profile: DatabaseProfile, _ names: [String], _ change: @escaping @Sendable (inout User) -> Void
    ) async throws -> Stored {
        let (connection, now) = (connection, services.now())
        return try await services.stores.database.write { transaction in
            try UserStore.lock(profile.id, in: transaction)
            for name in names {
                guard
                    var other = try UserStore.account(connection: connection.name, identifier: name, in: transaction),
                    other.id != profile.id
                else { continue }
                if other.email == name { (other.email, other.isEmailVerified) = (nil, false) }
                if other.username == name { other.username = nil }
                other.updatedAt = now
                try UserStore.replace(other, in: transaction)
            }
            guard let present = try UserStore.upstreamAccount(profile.id, in: transaction) else {
                // One that is made after its connection has gone would be the next one's of that name.
                guard try ConnectionStore.hold(id: connection.id, in: transaction) else {
                    throw PasswordLogin.Refusal.noConnection
                }
                var user = profile.user(of: connection, at: now)
                change(&user)
                try UserStore.insert(user, passwordHash: nil, in: transaction)
                return Stored(account: user, user: user)
            }
            guard present.identity.connection == connection.name else {
                throw Conflict.otherConnection(id: profile.id, connection: present.identity.connection)
            }
            var account = profile.refreshed(present.identity)
            if account != present.identity {
                account.updatedAt = now
                try UserStore.replace(account, in: transaction)
            }
            return Stored(account: account, user: present.user.id == account.id ? account : present.user)
        }
    }

    /// The account that has a name, and when its password was last changed through this server.
    func password(_ identifier: String) async throws -> (id: String, time: Date?)? {
        let connection = connection.name
        return try await services.stores.database.readOnce { transaction in
            try UserStore.externalPassword(connection: connection, identifier: identifier, in: transaction)
        }
    }
}

/// A login that another database has admitted, on its way into the transaction that begins the session.
struct ExternalProof: Sendable {
    let stored: DatabaseAccounts.Stored
    /// The account that had the name before the script ran, and when its password had last changed.
    let before: (id: String, time: Date?)?
    /// When the script was asked.
    let startedAt: Date

    /// - Throws: ``PasswordLogin/Refusal`` where the password has been changed through this server, or the user blocked,
    ///   unlinked or deleted, since the script was asked.
    func check(in transaction: any SQLTransaction) throws {
        try UserStore.lock(stored.account.id, in: transaction)
        guard let present = try UserStore.upstreamAccount(stored.account.id, in: transaction),
            present.user.id == stored.user.id
        else { throw PasswordLogin.Refusal.wrongCredentials }
        let time = try UserStore.externalPasswordTime(of: stored.account.id, in: transaction)
        if let before, before.id == stored.account.id {
            guard before.time == time else { throw PasswordLogin.Refusal.wrongCredentials }
        } else if let time, time > startedAt {
            throw PasswordLogin.Refusal.wrongCredentials
        }
        guard !present.user.isBlocked, !present.identity.isBlocked else { throw PasswordLogin.Refusal.userIsBlocked }
    }
}
