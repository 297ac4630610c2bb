import Foundation
import OAuth
import Storage

/// Makes and opens `mfa_token`s.
struct MFATokens: Sendable {
    let services: Services

    /// Seconds for which a login waits: Auth0's ten minutes.
    static let lifetime = 600

    /// Has a login wait for a second factor.
    /// - Parameter also: what the first factor writes down; the login's user may be made by it.
    /// - Returns: what the token endpoint answers: `mfa_required` with an `mfa_token`, and what the user can do; without them where
    ///   the user can neither pass nor enrol what is wanted, so that nothing waits.
    func ask(
        _ demand: FactorDemand, of user: User, of client: Client, _ login: WaitingLogin,
        also: @escaping @Sendable (inout WaitingLogin, any SQLTransaction) throws -> Void = { _, _ in }
    ) async throws -> OAuthError {
        let factors = SecondFactors(services: services)
        let settings = try await services.configuration.sections().multiFactor
        let (enrolled, firstFactor) = (
            try await factors.enrolled(user.id), try await factors.firstFactor(login.connection)
        )
        let choice: FactorChoice
        do throws(OAuthError) {
            choice = try FactorChoice(demand, of: enrolled, settings, passed: login.passed, after: firstFactor)
        } catch {
            return OAuthError(.mfaRequired, OAuthError.multiFactorRequired.description, hint: error.hint)
        }
        let (token, expiresAt) = (
            Secret.random(), services.now().addingTimeInterval(Double(Self.lifetime))
        )
        var waiting = login
        waiting.demand = demand
        try await services.stores.database.write { [waiting, box = services.secret.box] transaction in
            var waiting = waiting
            try also(&waiting, transaction)
            try MFATokenStore.insert(
                MFAToken(
                    digest: token.digest, clientID: client.clientID, userID: user.id,
                    sealedLogin: box.seal(JSON.text(waiting)), expiresAt: expiresAt),
                in: transaction)
        }
        var error = OAuthError.multiFactorRequired
        error.members = ["mfa_token": .string(token.text), "mfa_requirements": choice.requirements]
        return error
    }

    /// A login that waits.
    struct Opened: Sendable {
        let token: MFAToken
        let login: WaitingLogin
    }

    /// The login that a token stands for.
    /// - Parameter client: whose token it is; nil where that is not known yet.
    /// - Throws: ``OAuthError`` `expired_token`, or `invalid_grant` for a token that is none, was used, or is another client's.
    func open(_ token: Secret, of client: Client?) async throws -> Opened {
        try await open(digest: token.digest, of: client)
    }

    private func open(digest: String, of client: Client?) async throws -> Opened {
        let now = services.now()
        let found = try await services.stores.database.readOnce { try MFATokenStore.find(digest: digest, in: $0) }
        return try opened(found, of: client, at: now)
    }

    /// As it is now, with others kept out until the transaction ends.
    func hold(_ digest: String, of client: Client?, in transaction: any SQLTransaction) throws -> Opened {
        try MFATokenStore.lock(digest: digest, in: transaction)
        return try opened(MFATokenStore.find(digest: digest, in: transaction), of: client, at: services.now())
    }

    private func opened(_ token: MFAToken?, of client: Client?, at now: Date) throws -> Opened {
        guard let token, client.map({ $0.clientID == token.clientID }) ?? true else { throw Self.malformed }
        guard token.expiresAt > now else {
            throw OAuthError(
                .expiredToken, "mfa_token is expired", hint: "The login has to be begun anew.", reason: .mfaToken)
        }
        let text = try services.secret.box.open(token.sealedLogin)
        return Opened(token: token, login: try JSON.decode(WaitingLogin.self, from: Data(text.utf8)))
    }

    /// Writes down how far a login is.
    func save(_ login: WaitingLogin, _ digest: String, in transaction: any SQLTransaction) throws {
        try MFATokenStore.update(services.secret.box.seal(JSON.text(login)), digest: digest, in: transaction)
    }

    static let malformed = OAuthError.invalidGrant(
        "Malformed mfa_token",
        hint: "It is none, was used already, or is another application's. The login has to be begun anew.")
}

extension FactorChoice {
    /// Auth0's `mfa_requirements`.
    var requirements: JSONValue {
        func types(_ names: [String]) -> JSONValue { .array(names.map { ["type": .string($0)] }) }
        switch self {
        case .met: return [:]
        case .challenge(let names): return ["challenge": types(names)]
        case .enroll(let names): return ["enroll": types(names)]
        }
    }
}
