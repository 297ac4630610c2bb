import AuthorizationServer
import OAuth
import Storage

/// Users of custom databases, whom administrators make, change and remove there before they do so here. Does nothing for users
/// whom this server has.
struct ExternalUsers: Sendable {
    private let management: Management

    init(_ management: Management) { self.management = management }

    /// Refuses names that somebody has in a database that users come over from, who has not come yet.
    /// - Throws: ``ManagementError``.
    func checkNew(_ names: [String?], in connection: Connection) async throws {
        guard connection.importingDatabase != nil else { return }
        try await refusing {
            for name in names.compactMap(\.self) where try await changes(connection).knows(name) {
                throw UsersResource.exists
            }
        }
    }

    /// Makes a user where another database has the connection's users.
    /// - Returns: the user as kept here; the same one where this server has them.
    /// - Throws: ``ManagementError``.
    func made(_ user: User, password: String, in connection: Connection) async throws -> User {
        try await refusing { try await changes(connection).create(user, password: password) }
    }

    /// Changes what the other database has of a user: the password, the address, whether it is verified, and the user name.
    /// - Throws: ``ManagementError``.
    func change(_ user: User, _ change: UserChange) async throws {
        guard let connection = try await connection(of: user) else { return }
        let changes = changes(connection)
        try await refusing {
            guard connection.externalDatabase != nil else {
                // Whom the new address is of may not have come over yet.
                let names = [change.email, change.username].compactMap(\.self)
                for name in names where name != user.email && name != user.username {
                    guard try await !changes.isTaken(name, by: user) else { throw UsersResource.exists }
                }
                return
            }
            if let password = change.password { try await changes.changePassword(of: user, to: password) }
            if let username = change.username { try await changes.changeUsername(of: user, to: username) }
            let after = change.applied(to: user)
            if let email = after.email, (email, after.isEmailVerified) != (user.email, user.isEmailVerified) {
                try await changes.changeEmail(of: user, to: email, isVerified: after.isEmailVerified)
            }
        }
    }

    /// Removes a user, with every account that is linked to theirs, from the databases that have them.
    /// - Throws: ``ManagementError``.
    func delete(_ id: String) async throws {
        let accounts = try await management.stores.database.read { transaction -> [User] in
            guard let user = try UserStore.find(id, in: transaction) else { return [] }
            return [user] + (try UserStore.identities(of: [id], in: transaction)[id] ?? [])
        }
        for account in accounts {
            guard let connection = try await connection(of: account) else { continue }
            try await refusing { try await changes(connection).delete(account.id) }
        }
    }

    /// Removes the user who has an address at a connection.
    /// - Throws: ``ManagementError``.
    func delete(email: String, connectionID: String) async throws {
        let found = try await management.stores.database.read { transaction -> User? in
            guard let connection = try ConnectionStore.find(id: connectionID, in: transaction),
                CustomDatabase(connection: connection) != nil
            else { return nil }
            let user = try UserStore.find(connection: connection.name, identifier: email, in: transaction)?.user
            return user?.email == email ? user : nil
        }
        if let found { try await delete(found.id) }
    }

    // MARK: Steps

    /// The connection of a user, where it has scripts.
    private func connection(of user: User) async throws -> Connection? {
        let connection = try await management.stores.connections.find(name: user.connection)
        return connection.flatMap { CustomDatabase(connection: $0) == nil ? nil : $0 }
    }

    private func changes(_ connection: Connection) -> DatabaseChanges {
        DatabaseChanges(services: management.services, connection: connection)
    }

    /// Auth0's error for what a custom database says.
    private func refusing<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let refusal as DatabaseChanges.Refusal {
            switch refusal {
            case .userExists: throw UsersResource.exists
            case .failed(let cause): throw ManagementError(400, cause, "auth0_idp_error")
            }
        }
    }
}
