import Foundation
import Logging
import OAuth
import Storage

/// Signing in with a password that a custom database knows: at every login, or until the user has come over.
struct DatabaseLogin: Sendable {
    let services: Services
    let connection: Connection
    let setting: DatabaseScripts.Setting

    /// Asks the database that has the users and their passwords for good.
    /// - Parameters:
    ///   - sent: the name as it was typed.
    ///   - identifier: the name as accounts are found by it.
    /// - Returns: nil where the connection has no such database.
    /// - Throws: ``PasswordLogin/Refusal``: nobody is let in by a script that fails.
    func external(_ sent: String, _ identifier: String, _ password: String) async throws -> ExternalProof? {
        guard let database = connection.externalDatabase else { return nil }
        let accounts = DatabaseAccounts(services: services, connection: connection)
        let (before, startedAt) = (try await accounts.password(identifier), services.now())
        let stored = try await asking(database) { scripts in
            try await scripts.login(Self.name(sent), password: password)
        } keeping: { profile in
            try await accounts.keep(profile, database, setting)
        }
        return ExternalProof(stored: stored, before: before, startedAt: startedAt)
    }

    /// Asks the database that users come over from, with the password that they have there.
    /// - Parameter found: the user of that name, whose password has no hash here; nil where there is none.
    /// - Returns: nil where the connection has no such database; nothing to keep where another login has kept the password
    ///   meanwhile.
    /// - Throws: ``PasswordLogin/Refusal``, ``PasswordHasher/Busy``, or ``OAuthError`` where a script has to run.
    func imported(
        _ sent: String, _ password: String, _ found: User?
    ) async throws -> (user: User, kept: PasswordImport.Kept?)? {
        guard let database = connection.importingDatabase else { return nil }
        // Hashed first, so that it takes as long whatever the database says.
        let hash = try await services.passwords.hash(password)
        return try await asking(database) { scripts in
            try await scripts.login(Self.name(sent), password: password)
        } keeping: { profile in
            let newcomer = DatabaseNewcomer(services: services, connection: connection, setting: setting)
            guard let known = try await newcomer.admitted(profile, hash: hash, found: found) else {
                throw PasswordLogin.Refusal.wrongCredentials
            }
            guard let kept = known.hash else { return (known.user, PasswordImport.Kept(hash: hash)) }
            // What counts is the password that is here.
            guard try await services.passwords.verify(password, against: kept) else {
                throw PasswordLogin.Refusal.wrongCredentials
            }
            return (known.user, nil)
        }
    }

    private func asking<Result: Sendable>(
        _ database: CustomDatabase, _ body: (inout DatabaseScripts) async throws -> DatabaseProfile?,
        keeping keep: (DatabaseProfile) async throws -> Result
    ) async throws -> Result {
        do {
            let profile = try await DatabaseScripts.run(of: database, connection, setting, services, body)
            guard let profile else { throw PasswordLogin.Refusal.wrongCredentials }
            setting.trail.note { $0.userID = profile.id }
            guard !profile.isBlocked else {
                setting.trail.note { $0.failure = nil }
                throw PasswordLogin.Refusal.userIsBlocked
            }
            return try await keep(profile)
        } catch let failed as FailedScript {
            throw PasswordLogin.Refusal.directoryFails("\(failed.title): \(failed.cause)")
        } catch let conflict as DatabaseAccounts.Conflict {
            services.logger.warning(
                "a custom database's user cannot be kept",
                metadata: ["connection": "\(connection.name)", "why": "\(conflict)"])
            throw PasswordLogin.Refusal.directoryFails(conflict.description)
        }
    }

    /// A name as the scripts get it: an address as it is stored, another name as it was typed, without blanks around it.
    private static func name(_ sent: String) -> String {
        EmailAddress(sent)?.text ?? sent.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// Somebody who comes over from a custom database.
struct DatabaseNewcomer: Sendable {
    let services: Services
    let connection: Connection
    let setting: DatabaseScripts.Setting

    /// The user here who is meant by a profile, made where there is none yet.
    /// - Parameters:
    ///   - hash: the hash of the password that is kept with a new user; nil for none.
    ///   - found: the user of the name that was asked for; nil where there is none.
    /// - Returns: the user with the hash that there was before; nil where the profile is somebody else's.
    /// - Throws: ``DatabaseAccounts/Conflict``, or ``OAuthError`` where a script has to run.
    func admitted(
        _ profile: DatabaseProfile, hash: String?, found: User?
    ) async throws -> (user: User, hash: String?)? {
        if let found {
            guard profile.id == found.id else {
                services.logger.warning(
                    "a custom database's user has another id than the user here",
                    metadata: ["user": "\(found.id)", "user_id": "\(profile.id)"])
                return nil
            }
            return (found, nil)
        }
        if let known = try await known(profile.id) { return known }
        let actions = RegistrationScripts(
            services: services, connection: connection, client: setting.client, trail: setting.trail)
        let user = try await actions.admitted(profile.user(of: connection, at: services.now()))
        do {
            try await services.stores.database.write { [connection] transaction in
                guard try ConnectionStore.hold(id: connection.id, in: transaction) else {
                    throw PasswordLogin.Refusal.noConnection
                }
                try UserStore.insert(user, passwordHash: hash, in: transaction)
            }
        } catch SQLError.uniqueViolation {
            // Of two first logins at the same time the second finds the user. Where there is still none, the address is
            // somebody else's.
            guard let known = try await known(profile.id) else {
                throw DatabaseAccounts.Conflict.addressTaken(id: profile.id)
            }
            return known
        }
        try await actions.tell(user)
        // It is kept already, and keeping it again changes nothing.
        return (user, nil)
    }

    private func known(_ id: String) async throws -> (user: User, hash: String?)? {
        let found = try await services.stores.database.read { transaction in
            try UserStore.upstreamAccount(id, in: transaction).map { account in
                (account, try UserStore.passwordHash(of: id, in: transaction))
            }
        }
        guard let (account, hash) = found else { return nil }
        guard account.identity.connection == connection.name else {
            throw DatabaseAccounts.Conflict.otherConnection(id: id, connection: account.identity.connection)
        }
        // Another user's identity has no password of its own to sign in with here.
        guard account.user.id == id else { return nil }
        return (account.user, hash)
    }
}

extension Services {
    /// For whom the scripts of a custom database run.
    func setting(_ organization: Organization? = nil, trail: LogTrail) async throws -> DatabaseScripts.Setting {
        var client: Client?
        if let id = trail.facts.clientID { client = try await configuration.client(id)?.client }
        return DatabaseScripts.Setting(client: client, organization: organization, trail: trail)
    }
}
