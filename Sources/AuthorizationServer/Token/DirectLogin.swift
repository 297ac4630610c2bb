import Foundation
import OAuth
import Storage

/// A login at the token endpoint, by a password or a code: what follows once the first factor is proved. Nobody is asked for
/// consent: the application has what proves the user.
struct DirectLogin: Sendable {
    let services: Services
    let request: TokenRequest
    let grant: GrantType
    let flow: ScriptedLogin.Flow
    /// The grant, as the `gty` claim names it; nil for none.
    var grantName: String?
    /// What is asked for.
    let scope: Scope
    let api: RegisteredResourceServer?
    /// The connection that the user has signed in with.
    let connection: Connection

    /// Who it is.
    struct Proof: Sendable {
        let user: User
        /// Writes down what follows from the first factor, and makes sure that it still counts for the user whose login it is in
        /// the end.
        let write: @Sendable (User, any SQLTransaction) throws -> Void
        /// What is kept of it once it is written, for the time until the second factor is passed.
        let keep: @Sendable (any SQLTransaction) throws -> FirstFactor
    }

    /// The proof of a login that goes on after its second factor; nil for a new login.
    static func resumed(_ request: TokenRequest) -> Proof? {
        guard let resumed = request.resumed, let firstFactor = resumed.firstFactor else { return nil }
        return Proof(
            user: resumed.user, write: { try firstFactor.check($0.id, in: $1) }, keep: { _ in firstFactor })
    }

    /// - Throws: ``OAuthError``, `mfa_required` with an `mfa_token` where a second factor is wanted; and what `proof` throws.
    func finish(_ proof: Proof) async throws -> Authorization {
        let (user, changes): (User, ScriptChanges?)
        do {
            (user, changes) = try await admitted(proof.user)
        } catch let wanted as SecondFactorWanted {
            throw try await ask(wanted.demand, proof)
        }
        let access = try await RequestedAccess.resolve(
            changes?.target(of: scope) ?? scope, client: request.client, resourceServer: api, userID: user.id,
            stores: services.stores
        ).changed(by: changes)
        let basis = FirstTokens.Basis(
            authorizationID: RandomBytes.alphanumeric(24), user: user,
            audience: api?.resourceServer.identifier, scope: access.scope,
            authentication: Authorization.Authentication(
                sid: nil, authenticatedAt: authenticatedAt, multiFactorAt: request.resumed?.passedAt,
                showsTime: false, nonce: nil),
            grantName: grantName,
            hasRefreshToken: access.scope.contains(Scope.offlineAccess) && !request.isFromBrowser, changes: changes)
        return try await FirstTokens.issue(for: request, services) { [request] transaction in
            try proof.write(basis.user, transaction)
            try UserStore.recordLogin(of: basis.user.id, at: request.now, in: transaction)
            return .success(basis)
        }
    }

    private var authenticatedAt: Date { request.resumed?.firstFactor?.date ?? request.now }
    private var passed: [String] { request.resumed?.passed ?? [] }

    /// Asks the tenant's policy and its scripts.
    /// - Returns: whose login it is in the end, and what the scripts have changed.
    /// - Throws: ``SecondFactorWanted``, ``OAuthError``.
    private func admitted(_ user: User) async throws -> (User, ScriptChanges?) {
        let settings = try await services.configuration.sections().multiFactor
        let factors = SecondFactors(services: services)
        if passed.isEmpty {
            var isWanted = settings.isAlwaysRequired
            if !isWanted, api?.resourceServer.identifier == services.issuer.mfaAudience {
                isWanted = try await factors.mustBePassed(by: user.id, connection.name)
            }
            if isWanted { throw SecondFactorWanted(demand: FactorDemand(.any)) }
        }
        let possible =
            passed.isEmpty ? FactorDemand.Possible() : try await factors.possible(user.id, connection.name)
        var login = request.scripted(user, flow, scope: scope, for: api, authenticatedAt: authenticatedAt)
        login.user.loginsCount += 1
        login.isNew = true
        login.passedAt = request.resumed?.passedAt
        let changes = try await PostLoginScripts(services: services, trail: request.trail).run(
            &login, passed: passed, of: possible)
        guard login.user.id != user.id else { return (user, changes) }
        // What the account has passed, or need not pass, is not the other user's.
        var isWanted = settings.isAlwaysRequired || !passed.isEmpty
        if !isWanted, api?.resourceServer.identifier == services.issuer.mfaAudience {
            isWanted = try await factors.mustBePassed(by: login.user.id, connection.name)
        }
        guard !isWanted else { throw OAuthError.multiFactorRequired }
        return (login.user, changes)
    }

    private func ask(_ demand: FactorDemand, _ proof: Proof) async throws -> OAuthError {
        var waiting = WaitingLogin(connection: connection.name)
        waiting.request = WaitingLogin.Request(request, grant, audience: api?.resourceServer.identifier)
        waiting.passed = passed
        return try await MFATokens(services: services).ask(
            demand, of: proof.user, of: request.client, waiting
        ) { waiting, transaction in
            try proof.write(proof.user, transaction)
            waiting.firstFactor = try proof.keep(transaction)
        }
    }
}
