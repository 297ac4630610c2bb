import Foundation
import OAuth
import Storage

/// Signing in to a transaction with a code or a link that was sent to an address.
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

    /// What the page of a connection asks for, and what it sends.
    package struct Form: Sendable {
        /// Whether codes go by text message, not by mail.
        package let usesNumbers: Bool
        /// Whether a link is sent, not a code.
        package let sendsLinks: Bool
    }

    /// What the page of a connection asks for.
    package func form(_ connection: Connection) async throws -> Form {
        let settings = try await services.passwordless(connection)
        let usesNumbers = if case .sms = settings.channel { true } else { false }
        return Form(usesNumbers: usesNumbers, sendsLinks: settings.sendsLinks)
    }

    /// Sends a code that is good on this transaction's page alone, or a link that is good in its browser alone.
    /// - Parameter state: the transaction's.
    /// - Returns: the address as it is compared, for the page that comes next.
    /// - Throws: ``Refusal``.
    package func send(
        to sent: String, connection: Connection, login: LoginTransaction, state: Secret, client: Client,
        browser: Browser, language: String?
    ) async throws -> String {
        let trail = LogTrail()
        trail.note(login)
        do {
            let codes = try await codes(connection, .login(login, client))
            let isLink = codes.settings.sendsLinks
            let address = try await codes.send(
                to: sent, link: isLink ? .login(state: state.text) : nil, visitor: browser.address,
                language: language, trail: trail)
            services.log(.codeSent, trail, description: isLink ? "A link was asked for" : "A code was asked for")
            return address
        } catch let refusal as PasswordlessCodes.Refusal {
            switch refusal {
            case .noAddress: throw Refusal.noAddress
            case .tooManyRequests: throw Refusal.tooManyRequests
            case .notSent: throw Refusal.notSent
            }
        }
    }

    /// Begins the session of whoever has typed the code that was sent to `address`. Where links alone are sent there is none,
    /// and nothing is looked at.
    /// - Throws: ``Refusal``, ``TransactionNotFound``, or ``OAuthError`` where a script has to run.
    package func logIn(
        code: String, address sent: String, connection: Connection, login: LoginTransaction, client: Client,
        browser: Browser
    ) async throws -> PasswordLogin.NewSession {
        guard try await !form(connection).sendsLinks else { throw Refusal.wrongCode }
        return try await logIn(
            .code(code), address: sent, connection: connection, login: login, client: client, browser: browser)
    }

    /// Begins the session of whoever has shown that they read what was sent to `address`.
    /// - Throws: ``Refusal``, ``TransactionNotFound``, or ``OAuthError`` where a script has to run.
    func logIn(
        _ answer: PasswordlessAnswer, address sent: String, connection: Connection, login: LoginTransaction,
        client: Client, browser: Browser
    ) async throws -> PasswordLogin.NewSession {
        let trail = LogTrail()
        trail.note(login)
        trail.note { $0.connection = connection.name }
        let (proof, session): (PasswordlessProof, PasswordLogin.NewSession)
        do {
            let checked = try await PasswordlessCheck(codes: codes(connection, .login(login, client))).check(
                answer, address: sent, visitor: browser.address, trail: trail)
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
    /// Whose login it is: whoever the account belongs to when the proof is written down.
    var user: User
    let isNew: Bool
    fileprivate let address: String
    fileprivate let users: PasswordlessUsers
    fileprivate let failures: FailedLogins

    /// Writes down what follows: a stranger becomes a user, the address is verified, failures are forgotten.
    func write(in transaction: any SQLTransaction) throws {
        try failures.clear(in: transaction)
        try users.write(user, address: address, isNew: isNew, in: transaction)
    }

    /// What is kept of the proof once it is written, for the time until a second factor is passed.
    func kept(at now: Date, in transaction: any SQLTransaction) throws -> FirstFactor {
        try FirstFactor(
            of: users.accountID(of: address, in: transaction) ?? user.id, address: address, at: now, in: transaction)
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
                user: known.user, isNew: false, address: address, users: users, failures: failures)
            return (proof, try await signIn(proof))
        }
    }
}

/// Takes codes that people have typed, with the same counting of failures as passwords have, and links that they have opened.
/// Nobody guesses a link, so failures with codes keep nobody from theirs.
struct PasswordlessCheck: Sendable {
    let codes: PasswordlessCodes

    /// - Throws: ``PasswordlessLogin/Refusal``, or ``OAuthError`` where a script has to run for a new user.
    func check(
        _ answer: PasswordlessAnswer, address sent: String, visitor: String, trail: LogTrail
    ) async throws -> PasswordlessProof {
        let (services, connection) = (codes.services, codes.connection)
        guard let address = codes.settings.address(sent) else { throw PasswordlessLogin.Refusal.wrongCode }
        trail.note { ($0.userName, $0.failure) = (address, .accountBlocked) }
        let failures = FailedLogins(
            services: services, connection: connection, identifier: address, address: visitor)
        if answer.isGuessable {
            let admission = try await failures.take()
            guard admission == .allowed else {
                trail.note { $0.failure = admission.event }
                throw PasswordlessLogin.Refusal.blocked
            }
        }
        let verdict = try await services.stores.database.write { [codes] transaction in
            try codes.redeem(answer, address: address, in: transaction)
        }
        guard verdict == .right else {
            trail.note { $0.failure = .wrongPassword }
            if answer.isGuessable { try await failures.countFailure() }
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
        var user = known?.user
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
