import Foundation
import OAuth
import Storage

/// Checks an identifier and a password against a database connection: the same for the sign-in page and for the grants
/// that take passwords, with the same counting of failures.
struct PasswordCheck: Sendable {
    let services: Services

    /// A user who has just proved who they are.
    struct Proof: Sendable {
        /// Whose login it is: whoever the account belongs to when the proof is written down.
        var user: User
        fileprivate let name: SignInName
        fileprivate let failures: FailedLogins
        fileprivate let change: Change

        /// What becomes of the password's hash.
        fileprivate enum Change: Sendable {
            case none
            /// Another database has the password.
            case external(ExternalProof)
            case upgrade(old: String, new: String)
            /// Another one has verified the password.
            case kept(PasswordImport.Kept)
            /// The hash of it that is here since.
            case imported(hash: String)
        }

        /// Writes down what follows for the password: its failures are forgotten, and a hash of an old kind is replaced.
        /// - Throws: ``PasswordLogin/Refusal`` where the password has been changed, or the user blocked, since it was checked:
        ///   nobody slips in with the old one beside the change that ends everything.
        func write(in transaction: any SQLTransaction) throws {
            if case .external(let proof) = change {
                try proof.check(in: transaction)
                return try failures.clear(in: transaction)
            }
            try UserStore.lock(user.id, in: transaction)
            if case .imported(let hash) = change {
                guard let present = try UserStore.find(user.id, in: transaction),
                    try UserStore.passwordHash(of: user.id, in: transaction) == hash
                else { throw PasswordLogin.Refusal.wrongCredentials }
                guard !present.isBlocked else { throw PasswordLogin.Refusal.userIsBlocked }
            } else {
                try name.check(user, in: transaction)
            }
            try failures.clear(in: transaction)
            switch change {
            case .none, .external, .kept, .imported: break
            case .upgrade(let old, let new):
                try UserStore.upgradePasswordHash(of: user.id, from: old, to: new, in: transaction)
            }
        }

        /// The account whose password it is, which may be a further identity of the user's.
        func accountID(in transaction: any SQLTransaction) throws -> String {
            switch change {
            case .external(let proof): proof.stored.account.id
            case .imported: user.id
            case .none, .upgrade, .kept:
                try UserStore.account(
                    connection: name.connection, identifier: name.identifier, in: transaction)?.id ?? user.id
            }
        }
    }

    /// What a user signs in with, and the password behind it as it was when it was checked.
    fileprivate struct SignInName: Sendable {
        let connection: String
        let identifier: String
        let passwordTime: Date?

        func check(_ user: User, in transaction: any SQLTransaction) throws {
            let present = try UserStore.credentials(connection: connection, identifier: identifier, in: transaction)
            guard let present, present.user.id == user.id, present.passwordTime == passwordTime else {
                throw PasswordLogin.Refusal.wrongCredentials
            }
            guard !present.user.isBlocked else { throw PasswordLogin.Refusal.userIsBlocked }
        }
    }

    /// - Parameters:
    ///   - sent: the e-mail address or user name as it was typed.
    ///   - address: where the attempt comes from.
    ///   - organization: what the login is for; nil for none.
    ///   - trail: learns who it was, and what kind of failure.
    /// - Throws: ``PasswordLogin/Refusal``, after as long for a user that there is as for one that there is not, unless users
    ///   are coming over; ``PasswordHasher/Busy``, or ``OAuthError`` where a script has to run before the user may come over.
    func check(
        _ sent: String, password: String, connection: Connection, address: String, organization: Organization? = nil,
        trail: LogTrail
    ) async throws -> Proof {
        let hasScripts = CustomDatabase(connection: connection) != nil
        // Another database may take more spellings for one name; they count as one.
        let identifier = EmailAddress(sent)?.text ?? (hasScripts ? DirectoryName(sent).text : sent.lowercased())
        trail.note { facts in
            facts.connection = connection.name
            // What is no address may be a password, typed into the wrong field.
            facts.userName = EmailAddress(sent)?.text
        }
        let failures = FailedLogins(
            services: services, connection: connection, identifier: identifier, address: address)
        try await failures.admit(trail)
        let found = try await services.stores.database.readOnce { transaction in
            try UserStore.credentials(connection: connection.name, identifier: identifier, in: transaction)
        }
        // Who is not here yet may be in another database.
        trail.note { $0.failure = found == nil && !hasScripts ? .unknownUser : .wrongPassword }
        if let found { trail.note(found.user) }
        let (user, change): (User, Proof.Change)
        do {
            if hasScripts, connection.importSource == nil {
                let login = DatabaseLogin(
                    services: services, connection: connection,
                    setting: try await services.setting(organization, trail: trail))
                (user, change) = try await proved(sent, identifier, password, found, by: login, trail)
            } else {
                (user, change) = try await proved(sent, identifier, password, found, connection, address, trail)
            }
        } catch PasswordLogin.Refusal.wrongCredentials {
            try await failures.countFailure()
            if try await failures.areBlocked() {
                await BlockNotice(services: services).send(to: found?.user, about: failures)
            }
            throw PasswordLogin.Refusal.wrongCredentials
        }
        trail.note { ($0.failure, $0.userName) = (nil, nil) }
        trail.note(user)
        guard !user.isBlocked else { throw PasswordLogin.Refusal.userIsBlocked }
        try await checkForBreach(of: password, failures, trail)
        let name = SignInName(connection: connection.name, identifier: identifier, passwordTime: found?.passwordTime)
        let settled = try await self.settled(change, user, password, found)
        return Proof(user: user, name: name, failures: failures, change: settled)
    }

    /// Keeps the password of somebody who comes over, before the login goes on: what is here then is what it is compared with at
    /// its end. Where another login, or a new password, was faster, that one counts.
    private func settled(
        _ change: Proof.Change, _ user: User, _ password: String, _ found: UserStore.Credentials?
    ) async throws -> Proof.Change {
        var offered: String?
        switch change {
        case .external, .upgrade, .imported: return change
        case .none: if found?.passwordHash != nil { return change }
        case .kept(let kept): offered = kept.hash
        }
        let now = services.now()
        let present = try await services.stores.database.write { [offered] transaction -> String? in
            try UserStore.lock(user.id, in: transaction)
            guard let present = try UserStore.find(user.id, in: transaction) else { return nil }
            guard !present.isBlocked else { throw PasswordLogin.Refusal.userIsBlocked }
            if let offered { try UserStore.keepPasswordHash(offered, of: user.id, at: now, in: transaction) }
            return try UserStore.passwordHash(of: user.id, in: transaction)
        }
        guard let present else { throw PasswordLogin.Refusal.wrongCredentials }
        if present != offered {
            guard try await services.passwords.verify(password, against: present) else {
                throw PasswordLogin.Refusal.wrongCredentials
            }
        }
        return .imported(hash: present)
    }

    /// Looks a password that is right up among those that others have lost.
    private func checkForBreach(of password: String, _ failures: FailedLogins, _ trail: LogTrail) async throws {
        let detection = try await services.configuration.sections().breachedPasswords
        guard detection.looksAtLogins, await services.breachedPasswords.contains(password) else { return }
        guard detection.shields.contains(.block) else {
            return services.log(
                .breachedPassword, trail, description: "Signed in with a password that is known from a data breach")
        }
        trail.note { $0.failure = .breachedPassword }
        // Whoever knows the password has not guessed.
        try await services.stores.database.write { try failures.clear(in: $0) }
        throw PasswordLogin.Refusal.breachedPassword
    }

    private func proved(
        _ sent: String, _ identifier: String, _ password: String, _ found: UserStore.Credentials?,
        _ connection: Connection, _ address: String, _ trail: LogTrail
    ) async throws -> (User, Proof.Change) {
        // Another user's identity has its password where it came from, or none.
        let isOwn = found.map { $0.user.email == identifier || $0.user.username == identifier } ?? true
        if let source = connection.importSource, found?.passwordHash == nil, isOwn {
            return try await imported(sent, password, found?.user, connection, source, address, trail)
        }
        return try await own(password, found)
    }

    /// As the hash says that is here.
    private func own(_ password: String, _ found: UserStore.Credentials?) async throws -> (User, Proof.Change) {
        guard try await services.passwords.verify(password, against: found?.passwordHash), let found else {
            throw PasswordLogin.Refusal.wrongCredentials
        }
        guard let old = found.passwordHash, PasswordHash.needsUpgrade(old) else { return (found.user, .none) }
        return (found.user, .upgrade(old: old, new: try await services.passwords.hash(password)))
    }

    /// As the scripts of a custom database say, where they are asked.
    private func proved(
        _ sent: String, _ identifier: String, _ password: String, _ found: UserStore.Credentials?,
        by login: DatabaseLogin, _ trail: LogTrail
    ) async throws -> (User, Proof.Change) {
        do {
            if let proof = try await login.external(sent, identifier, password) {
                return (proof.stored.user, .external(proof))
            }
            let isOwn = found.map { $0.user.email == identifier || $0.user.username == identifier } ?? true
            if found?.passwordHash == nil, isOwn, let imported = try await login.imported(sent, password, found?.user) {
                return (imported.user, imported.kept.map(Proof.Change.kept) ?? .none)
            }
        } catch let refusal as PasswordLogin.Refusal {
            if case .directoryFails = refusal { trail.note { $0.failure = nil } }
            throw refusal
        }
        return try await own(password, found)
    }

    private func imported(
        _ sent: String, _ password: String, _ found: User?, _ connection: Connection, _ source: ImportSource,
        _ address: String, _ trail: LogTrail
    ) async throws -> (User, Proof.Change) {
        do {
            let checked = try await PasswordImport(services: services, connection: connection, source: source)
                .check(sent, password: password, found: found, address: address, trail: trail)
            guard let (user, kept) = checked else { throw PasswordLogin.Refusal.wrongCredentials }
            trail.note { $0.details["verified_by"] = .string(source.issuer) }
            return (user, kept.map(Proof.Change.kept) ?? Proof.Change.none)
        } catch let refusal as PasswordLogin.Refusal {
            if case .cannotVerify(let doubt) = refusal {
                trail.note { facts in
                    (facts.failure, facts.details["old_tenant"]) = (nil, .string(doubt.rawValue))
                }
            }
            throw refusal
        }
    }
}
