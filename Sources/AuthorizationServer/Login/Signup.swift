import Foundation
import OAuth
import Storage

/// Making a user of a database connection, on the sign-up page or by the command line.
package struct Signup: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// Why no user is made.
    package enum Refusal: Error, Sendable, Equatable {
        case invalidEmail
        case weakPassword([PasswordRules.Rule])
        case disabled
        /// People come over from an old tenant with the passwords that they have there.
        case takesUsersOver
        case noConnection
        /// The address is taken. Pages say only that it failed.
        case userExists
        /// Too many sign-ups from this address.
        case suspiciousAddress
        /// Others have lost the password.
        case breachedPassword
        /// The login is for an invited person, who has another e-mail address.
        case notInvited
        /// An action of the tenant's says no.
        /// - Parameter userMessage: what it tells the user; nil for nothing.
        case denied(reason: String, userMessage: String?)
        /// A script of the custom database fails: which, where and why.
        case databaseFails(String)

        /// For the log, which may know more than the page says.
        var explanation: String {
            switch self {
            case .invalidEmail: "The e-mail address is not valid."
            case .weakPassword: "The password is too weak."
            case .disabled, .noConnection: "The application takes no new users."
            case .takesUsersOver: "Nobody signs up while the connection takes users over from the old tenant."
            case .userExists: "The user already exists."
            case .suspiciousAddress: "Too many sign-ups from this address."
            case .breachedPassword: "The password is known from a data breach."
            case .notInvited: "The e-mail address is not the one that was invited."
            case .denied(let reason, _), .databaseFails(let reason): reason
            }
        }
    }

    /// Signs a user up on the page of a transaction, and in.
    /// - Throws: ``Refusal``, ``PasswordHasher/Busy``, ``TransactionNotFound``, ``InvitationGone``, ``OAuthError`` where a
    ///   script has to run.
    package func signUp(
        email: String, password: String, login: LoginTransaction, _ request: VerifiedAuthorizationRequest,
        browser: Browser
    ) async throws -> PasswordLogin.NewSession {
        let trail = LogTrail()
        trail.note(login)
        trail.note { $0.userName = EmailAddress(email)?.text }
        do {
            let session = try await signUp(email, password, login, request, browser, trail)
            services.log(.signup, trail, description: "Signed up")
            services.log(.login, trail, description: "Signed in by signing up")
            return session
        } catch let refusal as Refusal {
            services.log(trail.facts.failure ?? .failedSignup, trail, description: refusal.explanation)
            throw refusal
        } catch let refusal as OAuthError {
            services.log(.failedSignup, trail, failure: refusal)
            throw refusal
        }
    }

    private func signUp(
        _ email: String, _ password: String, _ login: LoginTransaction, _ request: VerifiedAuthorizationRequest,
        _ browser: Browser, _ trail: LogTrail
    ) async throws -> PasswordLogin.NewSession {
        guard let connection = try await request.databaseConnection(services) else { throw Refusal.noConnection }
        if let invitation = request.invitation, EmailAddress(email)?.text != invitation.inviteeEmail {
            throw Refusal.notInvited
        }
        try await admit(to: connection, from: browser, trail)
        let (prepared, hash) = try await prepare(email: email, password: password, connection: connection)
        try await refuseBreached(password, trail)
        let scripts = RegistrationScripts(
            services: services, connection: connection, client: request.client, request: request.request, trail: trail)
        let setting = DatabaseScripts.Setting(
            client: request.client, organization: request.organization?.organization, trail: trail)
        let user = try await made(Self.admitted(prepared, by: scripts), password, connection, setting)
        // Whoever accepts an invitation came by a link in a mail to the address.
        let verification =
            request.invitation == nil
            ? try await EmailVerification(services: services).prepare(for: user, client: request.client) : nil
        do {
            let session = try await SessionStart(services: services).begin(
                user, connection: connection, login: login, browser: browser,
                needsInvitation: request.invitation != nil
            ) { transaction in
                try Self.write(user, hash, connection, in: transaction)
                try verification?.write(in: transaction)
            }
            trail.note(user)
            try await scripts.tell(user)
            return session
        } catch SQLError.uniqueViolation {
            throw Refusal.userExists
        }
    }

    /// Signs a user up for an application that has asked for the address and the password itself; nobody is signed in.
    /// - Parameter change: what the user says of themselves.
    /// - Throws: ``Refusal``, ``PasswordHasher/Busy``, ``OAuthError`` where a script has to run.
    func register(
        email: String, password: String, client: Client, connection: Connection, browser: Browser,
        changing change: (inout User) -> Void
    ) async throws -> User {
        let trail = LogTrail()
        trail.note { ($0.clientID, $0.userName) = (client.clientID, EmailAddress(email)?.text) }
        do {
            try await admit(to: connection, from: browser, trail)
            let (prepared, hash) = try await prepare(email: email, password: password, connection: connection)
            try await refuseBreached(password, trail)
            var user = prepared
            change(&user)
            let scripts = RegistrationScripts(
                services: services, connection: connection, client: client, trail: trail)
            let setting = DatabaseScripts.Setting(client: client, trail: trail)
            let (made, madeHash) = (
                try await self.made(Self.admitted(user, by: scripts), password, connection, setting), hash
            )
            let verification = try await EmailVerification(services: services).prepare(for: made, client: client)
            try await services.stores.database.write { transaction in
                try Self.write(made, madeHash, connection, in: transaction)
                try verification?.write(in: transaction)
            }
            trail.note(made)
            services.log(.signup, trail, description: "Signed up")
            try await scripts.tell(made)
            return made
        } catch SQLError.uniqueViolation {
            services.log(.failedSignup, trail, description: Refusal.userExists.explanation)
            throw Refusal.userExists
        } catch let refusal as Refusal {
            services.log(trail.facts.failure ?? .failedSignup, trail, description: refusal.explanation)
            throw refusal
        } catch let refusal as OAuthError {
            services.log(.failedSignup, trail, failure: refusal)
            throw refusal
        }
    }

    /// Lets somebody sign up at all.
    private func admit(to connection: Connection, from browser: Browser, _ trail: LogTrail) async throws {
        trail.note { $0.connection = connection.name }
        guard !connection.takesUsersOver else { throw Refusal.takesUsersOver }
        guard connection.allowsSignup else { throw Refusal.disabled }
        let throttle = try await AddressThrottle(.signup, address: browser.address, services)
        guard try await throttle?.take(services) ?? true else {
            trail.note { $0.failure = .addressBlocked }
            throw Refusal.suspiciousAddress
        }
    }

    /// Asks a custom database about a new user: one that has the users makes this one too, in one that users come over from
    /// nobody may have the address.
    private func made(
        _ user: User, _ password: String, _ connection: Connection, _ setting: DatabaseScripts.Setting
    ) async throws -> User {
        let database = DatabaseChanges(services: services, connection: connection, setting: setting)
        do {
            if let email = user.email, connection.importingDatabase != nil, try await database.knows(email) {
                throw Refusal.userExists
            }
            return try await database.create(user, password: password)
        } catch let refusal as DatabaseChanges.Refusal {
            switch refusal {
            case .userExists: throw Refusal.userExists
            case .failed(let cause): throw Refusal.databaseFails(cause)
            }
        }
    }

    /// Keeps a new user. One of another database is kept already, and must still be there.
    private static func write(
        _ user: User, _ hash: String?, _ connection: Connection, in transaction: any SQLTransaction
    ) throws {
        guard try ConnectionStore.hold(id: connection.id, in: transaction) else { throw Refusal.noConnection }
        guard connection.externalDatabase != nil else {
            return try UserStore.insert(user, passwordHash: hash, in: transaction)
        }
        try UserStore.lock(user.id, in: transaction)
        guard try UserStore.find(user.id, in: transaction)?.isBlocked == false else { throw Refusal.noConnection }
    }

    private static func admitted(_ user: User, by scripts: RegistrationScripts) async throws -> User {
        do {
            return try await scripts.admit(user)
        } catch let denied as RegistrationScripts.Denied {
            throw Refusal.denied(reason: denied.reason, userMessage: denied.userMessage)
        }
    }

    private func refuseBreached(_ password: String, _ trail: LogTrail) async throws {
        guard try await services.isRefused(password, at: .signup, trail) else { return }
        trail.note { $0.failure = .breachedSignup }
        throw Refusal.breachedPassword
    }

    /// Makes a user for an administrator.
    /// - Throws: ``Refusal``.
    package func create(
        email: String, password: String, name: String?, isEmailVerified: Bool, connection: Connection
    ) async throws -> User {
        // Users of another database are made there, and the commands run no scripts.
        guard connection.externalDatabase == nil else { throw Refusal.disabled }
        var (user, hash) = try await prepare(email: email, password: password, connection: connection)
        user.isEmailVerified = isEmailVerified
        if let name { user.profile["name"] = .string(name) }
        let (made, madeHash) = (user, hash)
        do {
            try await services.stores.database.write { transaction in
                guard try ConnectionStore.hold(id: connection.id, in: transaction) else { throw Refusal.noConnection }
                try UserStore.insert(made, passwordHash: madeHash, in: transaction)
            }
        } catch SQLError.uniqueViolation {
            throw Refusal.userExists
        }
        return made
    }

    /// The password is hashed before anybody looks whether the user exists, so that both cases take as long.
    /// - Returns: the user, and the hash; nil for one of another database, which has the password.
    private func prepare(email: String, password: String, connection: Connection) async throws -> (User, String?) {
        guard let address = EmailAddress(email) else { throw Refusal.invalidEmail }
        let rules = PasswordRules.check(password, try PasswordPolicy(connection: connection))
        guard rules.allSatisfy(\.isSatisfied) else { throw Refusal.weakPassword(rules) }
        let hash = connection.externalDatabase == nil ? try await services.passwords.hash(password) : nil
        var user = User(
            id: "auth0|\(RandomBytes.hexadecimal(24))", connection: connection.name, email: address.text,
            createdAt: services.now())
        user.profile = ["nickname": .string(String(address.text.prefix { $0 != "@" })), "name": .string(address.text)]
        return (user, hash)
    }
}
