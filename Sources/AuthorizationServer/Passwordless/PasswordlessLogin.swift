import Foundation
import OAuth
import Storage

/// Signing in on the page of a transaction with a code that was sent to an address.
package struct PasswordlessLogin: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// Why a login does not go on, in words that do not tell whether the user exists.
    package enum Refusal: Error, Sendable, Equatable {
        case noAddress
        case wrongCode
        case tooManyRequests
        /// Too many wrong codes.
        case blocked
        case notSent
        case userIsBlocked
    }

    /// Whether codes of a connection go by text message, not by mail.
    package func usesNumbers(_ connection: Connection) async throws -> Bool {
        if case .sms = try await services.passwordless(connection).channel { true } else { false }
    }

    /// Sends a code that is good on this transaction's page alone.
    /// - Returns: the address as it is compared, for the page that asks for the code.
    /// - Throws: ``Refusal``.
    package func send(
        to sent: String, connection: Connection, login: LoginTransaction, client: Client, browser: Browser,
        language: String?
    ) async throws -> String {
        let trail = LogTrail()
        trail.note(login)
        do {
            let address = try await codes(connection, .login(login, client)).send(
                to: sent, visitor: browser.address, language: language, trail: trail)
            services.log(.codeSent, trail, description: "A code was asked for")
            return address
        } catch let refusal as PasswordlessCodes.Refusal {
            switch refusal {
            case .noAddress: throw Refusal.noAddress
            case .tooManyRequests: throw Refusal.tooManyRequests
            case .notSent: throw Refusal.notSent
            }
        }
    }

    /// Begins the session of whoever has typed the code that was sent to `address`.
    /// - Throws: ``Refusal``, ``TransactionNotFound``, or ``OAuthError`` where a script has to run.
    package func logIn(
        code: String, address sent: String, connection: Connection, login: LoginTransaction, client: Client,
        browser: Browser
    ) async throws -> PasswordLogin.NewSession {
        let trail = LogTrail()
        trail.note(login)
        trail.note { $0.connection = connection.name }
        let (proof, session): (PasswordlessProof, PasswordLogin.NewSession)
        do {
            let checked = try await PasswordlessCheck(codes: codes(connection, .login(login, client))).check(
                code, address: sent, visitor: browser.address, trail: trail)
            (proof, session) = try await checked.use { proof in
                try await SessionStart(services: services).begin(
                    proof.user, connection: connection, login: login, browser: browser
                ) { try proof.write(in: $0) }
            }
        } catch let refusal as Refusal {
            services.log(trail.facts.failure ?? .failedLogin, trail, description: "\(refusal)")
            throw refusal
        } catch let refusal as OAuthError {
            services.log(.failedLogin, trail, failure: refusal)
            throw refusal
        }
        trail.note(proof.user)
        if proof.isNew { services.log(.signup, trail, description: "Signed up with \(connection.name)") }
        services.log(.login, trail, description: "Signed in with \(connection.name)")
        return session
    }

    private func codes(_ connection: Connection, _ place: PasswordlessCodes.Place) async throws -> PasswordlessCodes {
        PasswordlessCodes(
            services: services, connection: connection, settings: try await services.passwordless(connection),
            place: place)
    }
}

/// A user who has just read a code at their address.
struct PasswordlessProof: Sendable {
    let user: User
    let isNew: Bool
    fileprivate let address: String
    fileprivate let users: PasswordlessUsers
    fileprivate let failures: FailedLogins

    /// Writes down what follows: a stranger becomes a user, the address is verified, failures are forgotten.
    func write(in transaction: any SQLTransaction) throws {
        try failures.clear(in: transaction)
        try users.write(user, address: address, isNew: isNew, in: transaction)
    }

    /// Has the user signed in. Of a stranger's codes that are typed at the same time one makes the user, and the others are
    /// that user's by then: for them it is done once more.
    /// - Parameter signIn: writes the proof down.
    /// - Throws: ``PasswordlessLogin/Refusal``, and what `signIn` throws.
    func use<Answer: Sendable>(
        _ signIn: @Sendable (PasswordlessProof) async throws -> Answer
    ) async throws -> (PasswordlessProof, Answer) {
        do {
            return (self, try await signIn(self))
        } catch SQLError.uniqueViolation where isNew {
            guard let known = try await users.find(address) else { throw PasswordlessLogin.Refusal.wrongCode }
            guard !known.isBlocked else { throw PasswordlessLogin.Refusal.userIsBlocked }
            let proof = PasswordlessProof(
                user: known, isNew: false, address: address, users: users, failures: failures)
            return (proof, try await signIn(proof))
        }
    }
}

/// Takes codes that people have typed, with the same counting of failures as passwords have.
struct PasswordlessCheck: Sendable {
    let codes: PasswordlessCodes

    /// - Throws: ``PasswordlessLogin/Refusal``, or ``OAuthError`` where a script has to run for a new user.
    func check(_ code: String, address sent: String, visitor: String, trail: LogTrail) async throws -> PasswordlessProof
    {
        let (services, connection) = (codes.services, codes.connection)
        guard let address = codes.settings.address(sent) else { throw PasswordlessLogin.Refusal.wrongCode }
        trail.note { ($0.userName, $0.failure) = (address, .accountBlocked) }
        let failures = FailedLogins(
            services: services, connection: connection, identifier: address, address: visitor)
        let admission = try await failures.take()
        guard admission == .allowed else {
            trail.note { $0.failure = admission.event }
            throw PasswordlessLogin.Refusal.blocked
        }
        let digits = code.filter { !$0.isWhitespace }
        let verdict = try await services.stores.database.write { [codes] transaction in
            try codes.redeem(digits, address: address, in: transaction)
        }
        guard verdict == .right else {
            trail.note { $0.failure = .wrongPassword }
            try await failures.countFailure()
            throw PasswordlessLogin.Refusal.wrongCode
        }
        trail.note { ($0.failure, $0.userName) = (nil, nil) }
        let users = PasswordlessUsers(services: services, connection: connection)
        let known = try await users.find(address)
        guard known?.isBlocked != true else { throw PasswordlessLogin.Refusal.userIsBlocked }
        if known == nil {
            guard codes.settings.allowsSignup else { throw PasswordlessLogin.Refusal.wrongCode }
        }
        let scripts = RegistrationScripts(
            services: services, connection: connection, client: codes.place.client, trail: trail)
        var user = known
        if user == nil { user = try await scripts.admitted(users.new(address)) }
        return PasswordlessProof(
            user: user ?? users.new(address), isNew: known == nil, address: address, users: users,
            failures: failures)
    }
}

extension Services {
    /// The settings of a passwordless connection.
    /// - Throws: ``UpstreamFailure``.
    func passwordless(_ connection: Connection) async throws -> PasswordlessSettings {
        guard case .code(let settings) = try await login(with: connection) else {
            throw UpstreamFailure.misconfigured(
                cause: "The connection \(connection.name) sends no codes", mend: "Name one of the strategy email or sms"
            )
        }
        return settings
    }
}
