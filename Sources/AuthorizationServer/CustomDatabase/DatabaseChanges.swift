import Foundation
import OAuth
import Storage

/// Making, changing and removing users of custom databases: the other database first, and then what is kept here. Where a
/// script fails nothing changes here.
package struct DatabaseChanges: Sendable {
    let services: Services
    let connection: Connection
    private let setting: DatabaseScripts.Setting

    /// Why nothing is done.
    package enum Refusal: Error, Sendable, CustomStringConvertible {
        case userExists
        /// A script fails, is missing, or gives back what cannot be: which, where and why.
        case failed(String)

        package var description: String {
            switch self {
            case .userExists: "The user already exists."
            case .failed(let cause): cause
            }
        }

        /// What whoever opens a link is told.
        var error: OAuthError {
            OAuthError(
                .temporarilyUnavailable, "A script of the tenant failed.", hint: description, reason: .failedScript)
        }
    }

    init(services: Services, connection: Connection, setting: DatabaseScripts.Setting) {
        (self.services, self.connection, self.setting) = (services, connection, setting)
    }

    /// For the tenant's administrators, whom no application stands for.
    package init(services: Services, connection: Connection) {
        self.init(services: services, connection: connection, setting: DatabaseScripts.Setting(trail: LogTrail()))
    }

    // MARK: New users

    /// Whether another database has somebody with a name, who has not come over or never signed in.
    /// - Returns: false where the connection has no such database.
    /// - Throws: ``Refusal/failed(_:)``.
    package func knows(_ identifier: String) async throws -> Bool {
        try await found(identifier) != nil
    }

    /// Makes a user in the database that has the connection's users: nobody must have the name yet, and the new user must be
    /// able to sign in.
    /// - Parameters:
    ///   - user: what is known of the user; id and nickname are the other database's to say.
    /// - Returns: the user as kept here.
    /// - Throws: ``Refusal``.
    package func create(_ user: User, password: String) async throws -> User {
        guard let database = connection.externalDatabase else { return user }
        let names = [user.email, user.username].compactMap(\.self)
        let setting = setting
        let (members, login) = (members(of: user, password), names.first ?? "")
        return try await refusing {
            for name in names {
                let present = try await services.stores.users.find(connection: connection.name, identifier: name)
                guard present == nil else { throw Refusal.userExists }
            }
            let profile = try await DatabaseScripts.run(of: database, connection, setting, services) { scripts in
                for name in names where try await scripts.user(name) != nil { throw Refusal.userExists }
                guard try await scripts.create(members) else { throw Refusal.userExists }
                return try await scripts.login(login, password: password)
            }
            guard let profile else {
                throw Refusal.failed(
                    "database script login (\(connection.name.forDisplay)): it does not know the user whom create has "
                        + "just made")
            }
            guard !profile.isBlocked else {
                throw Refusal.failed("The other database blocks the user it has just made.")
            }
            let accounts = DatabaseAccounts(services: services, connection: connection)
            let stored = try await accounts.keep(profile, database, setting) { made in
                // What the other database does not say is as it was asked for.
                if profile.isEmailVerified == nil, made.email == user.email {
                    made.isEmailVerified = user.isEmailVerified
                }
                made.profile = user.profile.merging(made.profile) { $1 }
                made.userMetadata = user.userMetadata.merging(made.userMetadata) { $1 }
                made.appMetadata = user.appMetadata.merging(made.appMetadata) { $1 }
                made.isBlocked = user.isBlocked
            }
            return stored.account
        }
    }

    /// The `user` that the script gets.
    private func members(of user: User, _ password: String) -> JSONObject {
        var members = user.profile.filter { $0.value != .null }
        members["email"] = user.email.map(JSONValue.string)
        members["username"] = user.username.map(JSONValue.string)
        members["password"] = .string(password)
        members["email_verified"] = .bool(user.isEmailVerified)
        if !user.userMetadata.isEmpty { members["user_metadata"] = .object(user.userMetadata) }
        if !user.appMetadata.isEmpty { members["app_metadata"] = .object(user.appMetadata) }
        members["tenant"] = .string(services.issuer.scriptTenant)
        members["connection"] = .string(connection.name)
        members["client_id"] = setting.client.map { .string($0.clientID) }
        return members
    }

    /// The user with a name: the one who is here, brought to what the other database says where that has the users, or one
    /// who is found there and comes over, without a password as yet.
    /// - Returns: nil where nobody has the name.
    /// - Throws: ``Refusal/failed(_:)``.
    func user(_ identifier: String) async throws -> User? {
        let present = try await services.stores.database.readOnce { [connection] transaction in
            try UserStore.account(connection: connection.name, identifier: identifier, in: transaction)
        }
        let isHere = connection.importingDatabase != nil && present != nil
        guard !isHere, CustomDatabase(connection: connection) != nil, connection.importSource == nil else {
            return present
        }
        guard let profile = try await found(identifier) else { return nil }
        guard !profile.isBlocked else { throw Refusal.failed("The other database blocks the user.") }
        return try await refusing {
            guard let database = connection.externalDatabase else {
                let newcomer = DatabaseNewcomer(services: services, connection: connection, setting: setting)
                return try await newcomer.admitted(profile, hash: nil, found: nil)?.user
            }
            return try await DatabaseAccounts(services: services, connection: connection)
                .keep(profile, database, setting).account
        }
    }

    private func found(_ identifier: String) async throws -> DatabaseProfile? {
        guard let database = connection.externalDatabase ?? connection.importingDatabase else { return nil }
        return try await refusing {
            try await DatabaseScripts.run(of: database, connection, setting, services) { scripts in
                try await scripts.user(identifier)
            }
        }
    }

    // MARK: Changes of users

    /// Has the other database note that a user's address is theirs.
    /// - Throws: ``Refusal/failed(_:)``.
    package func verify(_ email: String, of user: User) async throws {
        try await change(of: user) { scripts in try await scripts.change(.verify, [.string(email)]) }
    }

    /// Changes a password where it is.
    /// - Throws: ``Refusal/failed(_:)``.
    package func changePassword(of user: User, to password: String) async throws {
        try await change(of: user) { scripts in
            try await scripts.change(
                .changePassword, [.string(user.email ?? user.username ?? ""), .string(password)])
        }
    }

    /// Changes an address, or whether it is verified; an address must be nobody's yet.
    /// - Throws: ``Refusal``.
    package func changeEmail(of user: User, to email: String, isVerified: Bool) async throws {
        if email != user.email {
            guard try await !isTaken(email, by: user) else { throw Refusal.userExists }
        }
        try await change(of: user) { scripts in
            try await scripts.change(
                .changeEmail, [.string(user.email ?? ""), .string(email), .bool(isVerified)])
        }
    }

    /// Changes a user name, which must be nobody's yet.
    /// - Throws: ``Refusal``.
    package func changeUsername(of user: User, to username: String) async throws {
        guard username != user.username else { return }
        guard try await !isTaken(username, by: user) else { throw Refusal.userExists }
        try await change(of: user) { scripts in
            try await scripts.change(.changeUsername, [.string(user.username ?? ""), .string(username)])
        }
    }

    /// Whether a name is somebody else's, here or in the other database.
    /// - Throws: ``Refusal/failed(_:)``.
    package func isTaken(_ identifier: String, by user: User) async throws -> Bool {
        let here: User? = try await refusing {
            try await services.stores.database.readOnce { [connection] transaction in
                try UserStore.account(connection: connection.name, identifier: identifier, in: transaction)
            }
        }
        if let here, here.id != user.id { return true }
        return try await found(identifier).map { $0.id != user.id } ?? false
    }

    /// Removes users from the other database. Nothing happens where this server has the users.
    /// - Throws: ``Refusal/failed(_:)``.
    package func delete(_ id: String) async throws {
        try await change { scripts in try await scripts.delete(id) }
    }

    /// - Parameter user: whom the scripts know by an address or user name, which may have gone to somebody else there since it
    ///   was kept here; nil where they are given an id.
    private func change(
        of user: User? = nil, _ body: (inout DatabaseScripts) async throws -> Void
    ) async throws {
        guard let database = connection.externalDatabase else { return }
        try await refusing {
            try await DatabaseScripts.run(of: database, connection, setting, services) { scripts in
                if let user, let name = user.email ?? user.username, database.source(of: .getUser) != nil {
                    guard try await scripts.user(name)?.id == user.id else {
                        throw Refusal.failed(
                            "In the other database the address or user name is not the user's any more; the user has to sign "
                                + "in first, or to be deleted here.")
                    }
                }
                try await body(&scripts)
            }
        }
    }

    /// Names what went wrong for whoever asked.
    private func refusing<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let refusal as Refusal {
            throw refusal
        } catch let failed as FailedScript {
            throw Refusal.failed("\(failed.title): \(failed.cause)")
        } catch let conflict as DatabaseAccounts.Conflict {
            throw Refusal.failed(conflict.description)
        } catch let error as OAuthError {
            throw Refusal.failed(error.description)
        } catch let refusal as PasswordLogin.Refusal {
            throw Refusal.failed(refusal.explanation)
        }
    }
}
