import Foundation
import OAuth
import Storage

/// What the three `mfa` grants share: a code is taken, the `mfa_token` is used up with it, and the request that had asked for the
/// factor goes on as if it came now, so that everything else that it depends on is looked at once more.
struct MFARedemption: Sendable {
    let services: Services
    let request: TokenRequest

    /// How a code was answered, and what the user has passed with it.
    struct Answer: Sendable {
        let factor: MultiFactorSettings.Factor
        let verdict: SecondFactors.Verdict
        /// Whether the factor is new.
        var isEnrollment = false
    }

    /// The texts and events of a grant.
    struct Words: Sendable {
        let wrong: String
        var failure = LogEventType.factorFailed
        var success = LogEventType.factorPassed
        var blocked = LogEventType.factorBlocked
    }

    /// - Parameters:
    ///   - recoveryCode: the code that the user gets in place of the one that is used; nil for other factors.
    ///   - check: looks at what was sent, in the transaction that uses the token up.
    /// - Throws: ``OAuthError``.
    func redeem(
        _ words: Words, recoveryCode: String? = nil,
        _ check: @escaping @Sendable (MFATokens.Opened, Date, any SQLTransaction) throws -> Answer
    ) async throws -> Authorization {
        let tokens = MFATokens(services: services)
        let sent = Secret(try request.parameters.require("mfa_token"))
        let seen = try await tokens.open(sent, of: request.client)
        if let waiting = seen.login.request {
            try request.client.require(waiting.grant)
            // Before a code is spent, so that it can be sent again with a proof.
            if let problem = request.proofProblem(boundTo: waiting.possession, audience: waiting.audience) {
                throw problem
            }
        } else if let token = seen.login.apiToken,
            let problem = request.proofProblem(boundTo: token.possession, audience: services.issuer.mfaAudience)
        {
            throw problem
        }
        let (client, now) = (request.client, request.now)
        let (opened, answer) = try await services.stores.database.write { transaction in
            let opened = try tokens.hold(sent.digest, of: client, in: transaction)
            // Of several factors that are enrolled at the same time one is the first.
            try UserStore.lock(opened.token.userID, in: transaction)
            try opened.login.firstFactor?.check(opened.token.userID, in: transaction)
            // A wrong code is a value: thrown, it would undo that it was counted.
            let answer = try check(opened, now, transaction)
            if answer.verdict == .right {
                guard try MFATokenStore.use(digest: sent.digest, in: transaction) else { throw MFATokens.malformed }
            }
            return (opened, answer)
        }
        try log(answer, opened, words)
        do {
            guard let user = try await services.stores.users.find(opened.token.userID), !user.isBlocked else {
                throw OAuthError(.invalidGrant, "user is blocked", reason: .userIsBlocked)
            }
            var authorization = try await goOn(opened.login, user, passed: answer.factor)
            authorization.recoveryCode = recoveryCode
            return authorization
        } catch var error as OAuthError {
            // The code before is used, whatever has stopped the login.
            error.members["recovery_code"] = recoveryCode.map(JSONValue.string)
            throw error
        } catch SQLError.unavailable where recoveryCode != nil {
            var error = OAuthError(.temporarilyUnavailable, "The server cannot reach its database; try again later.")
            error.members["recovery_code"] = recoveryCode.map(JSONValue.string)
            throw error
        }
    }

    private func log(_ answer: Answer, _ opened: MFATokens.Opened, _ words: Words) throws {
        let trail = LogTrail()
        trail.note { facts in
            (facts.clientID, facts.userID) = (request.client.clientID, opened.token.userID)
            facts.connection = opened.login.connection
            facts.details["factor"] = .string(answer.factor.rawValue)
        }
        switch answer.verdict {
        case .right: services.log(answer.isEnrollment ? .factorEnrolled : words.success, trail)
        case .wrong:
            services.log(words.failure, trail, description: "The code is wrong, or was used before")
            throw OAuthError.invalidGrant(words.wrong)
        case .tooMany:
            services.log(words.blocked, trail, description: "Too many wrong codes")
            throw OAuthError(
                .tooManyAttempts, "Too many wrong codes; try again later.",
                hint: "Ten wrong codes of a user's an hour are looked at, then one more every six minutes.")
        }
    }

    /// Goes on with the request that had asked.
    private func goOn(
        _ login: WaitingLogin, _ user: User, passed factor: MultiFactorSettings.Factor
    ) async throws -> Authorization {
        guard let waiting = login.request else {
            guard let token = login.apiToken else { throw OAuthError.serverError }
            return try MFAAPI.authorization(of: user, token, for: request, services)
        }
        guard let grant = Grants.make(waiting.grant, services: services) else { throw OAuthError.serverError }
        var resource: String?
        if let text = waiting.parameters["resource"], try await services.configuration.settings().readsResource {
            resource = try ResourceIndicator.parse(text)
        }
        var resumed = TokenRequest(
            parameters: Parameters(trusted: waiting.parameters), client: request.client, now: request.now,
            isFromBrowser: request.isFromBrowser || waiting.isFromBrowser, address: request.address,
            trail: request.trail, resource: resource)
        (resumed.proof, resumed.certificate) = (request.proof, request.certificate)
        resumed.possessionDemands = request.possessionDemands
        resumed.resumed = ResumedLogin(
            user: user, firstFactor: login.firstFactor, passed: login.passed + [factor.methodType],
            passedAt: request.now)
        return try await grant.redeem(resumed)
    }
}

extension SecondFactors {
    /// Makes sure that a factor may be added: who has one adds another with that alone, not with the password.
    /// - Parameter settings: the tenant's.
    /// - Throws: ``OAuthError`` `access_denied`.
    static func requireMayEnroll(
        _ login: WaitingLogin, of userID: String, _ settings: MultiFactorSettings, _ channel: FirstFactorChannel,
        in transaction: any SQLTransaction
    ) throws {
        guard login.passed.isEmpty else { return }
        let enrolled = try enrolled(userID, in: transaction)
        guard !enrolled.hasOwn, enrolled.factors(settings, after: channel).isEmpty else {
            throw OAuthError.accessDenied(
                "User is already enrolled.",
                hint: "Whoever has a second factor passes that one before another is added.")
        }
    }
}
