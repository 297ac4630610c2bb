import Foundation
import Logging
import OAuth
import Storage

/// The refresh token grant, [RFC 6749 §6](https://www.rfc-editor.org/rfc/rfc6749#section-6), with rotation and the
/// detection of reuse that [RFC 9700 §4.14.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2) describes.
package struct RefreshTokenGrant: Grant {
    package static let type = GrantType.refreshToken
    let services: Services

    package init(services: Services) { self.services = services }

    /// What an exchange comes to; everything in it has been written down.
    private struct Exchange: Sendable {
        let token: RefreshToken
        let user: User
        /// The token that the client gets; nil where it keeps the one that it has.
        let successor: Secret?
        let accessToken: Secret
    }

    package func redeem(_ request: TokenRequest) async throws -> Authorization {
        let sent = Secret(try request.parameters.require("refresh_token"))
        // Read before anything is written: a scope that cannot be read must not cost the client its token.
        let requested = try request.parameters["scope"].map { try Scope(parsing: $0) }
        let successor = services.secret.successor(of: sent)
        let accessToken = Secret.random()
        // A refusal leaves the transaction as a value: thrown, it would undo the revocation of a family.
        let scripts = try await runScripts(sent, successor, requested, request)
        let verdict = try await services.stores.database.write { transaction in
            try Self.exchange(sent, successor, accessToken, requested, request, scripts, in: transaction)
        }
        let exchange = try verdict.get()
        let family = exchange.token.family
        var authorization = try await UserAuthorization(
            user: exchange.user, authorizationID: family.authorizationID,
            scope: Self.granted(family.scope, to: requested, scripts.changes), audience: family.audience,
            claims: family.claims,
            authentication: Authorization.Authentication(
                sid: family.sid.isEmpty ? nil : family.sid, authenticatedAt: family.authenticatedAt,
                multiFactorAt: request.resumed?.passedAt ?? family.multiFactorAt,
                showsTime: family.showsAuthenticationTime, nonce: nil),
            grantName: "refresh_token", organizationID: family.organizationID, changes: scripts.changes
        ).make(
            for: request.client, opaqueAccessToken: family.audience == nil ? accessToken : nil, refreshToken: sent,
            services: services)
        authorization.refreshToken = exchange.successor
        return authorization
    }

    /// What the tenant's scripts have to do with an exchange. They run before anything is written, so that a client whose
    /// user is kept out, or whose script fails, loses no token by it.
    private struct Scripts: Sendable {
        /// Whether nothing is left to run.
        let haveRun: Bool
        /// What they have changed; nil where there are none.
        var changes: ScriptChanges?
    }

    private func runScripts(
        _ sent: Secret, _ successor: Secret, _ requested: Scope?, _ request: TokenRequest
    ) async throws -> Scripts {
        let scripts = PostLoginScripts(services: services, trail: request.trail)
        guard try await scripts.areDue() else { return Scripts(haveRun: true) }
        let found = try await services.stores.database.read { transaction in
            try RefreshTokenStore.find(digest: sent.digest, in: transaction).flatMap {
                token -> (RefreshToken, User?, Session?)? in
                guard try !Self.isReused(token, successor, request, in: transaction) else { return nil }
                let user = try Self.user(of: token, for: request.client, in: transaction)
                return (token, try? user.get(), try SessionStore.find(sid: token.family.sid, in: transaction))
            }
        }
        // What is refused anyway is refused below, with nothing run for it.
        guard let (token, user, session) = found, let user, token.family.clientID == request.client.clientID,
            Self.isAlive(token, of: request.client, at: request.now),
            request.targetProblem(granted: token.family.audience) == nil,
            request.proofProblem(boundTo: token.family.confirmation, audience: token.family.audience) == nil
        else { return Scripts(haveRun: false) }
        var api: RegisteredResourceServer?
        if let audience = token.family.audience { api = try await services.configuration.resourceServer(audience) }
        var login = request.scripted(
            user, .refresh, scope: Self.narrowed(token.family.scope, to: requested), for: api,
            authenticatedAt: token.family.authenticatedAt)
        (login.refreshToken, login.session) = (token, session)
        login.organization = try await services.organization(token.family.organizationID)
        return Scripts(haveRun: true, changes: try await run(scripts, login, token, request))
    }

    /// Runs the scripts. The refresh that they want a second factor for waits for it, and costs the client no token.
    private func run(
        _ scripts: PostLoginScripts, _ refresh: ScriptedLogin, _ token: RefreshToken, _ request: TokenRequest
    ) async throws -> ScriptChanges? {
        var login = refresh
        let resumed = request.resumed.flatMap { $0.user.id == login.user.id ? $0 : nil }
        login.passedAt = resumed?.passedAt
        let passed = resumed?.passed ?? []
        do {
            let factors = SecondFactors(services: services)
            let possible =
                passed.isEmpty
                ? FactorDemand.Possible() : try await factors.possible(login.user.id, login.connectionName)
            return try await scripts.run(&login, passed: passed, of: possible)
        } catch let wanted as SecondFactorWanted {
            var waiting = WaitingLogin(connection: login.connectionName)
            waiting.request = WaitingLogin.Request(request, Self.type, audience: token.family.audience)
            waiting.passed = passed
            throw try await MFATokens(services: services).ask(
                wanted.demand, of: login.user, of: request.client, waiting)
        }
    }

    private static let changedMeanwhile = OAuthError(
        .temporarilyUnavailable, "The refresh token changed during the exchange; try again.")

    /// A request may ask for less than was granted; what it asks for beyond that is left out.
    private static func narrowed(_ granted: Scope, to requested: Scope?) -> Scope {
        requested?.intersection(granted) ?? granted
    }

    /// What scripts aim at of it; they add nothing to what the user has granted once.
    private static func granted(_ family: Scope, to requested: Scope?, _ changes: ScriptChanges?) -> Scope {
        let asked = narrowed(family, to: requested)
        guard let changes, changes.targetScope != nil else { return asked }
        return changes.target(of: asked).intersection(family)
    }

    private static func exchange(
        _ sent: Secret, _ successor: Secret, _ accessToken: Secret, _ requested: Scope?, _ request: TokenRequest,
        _ scripts: Scripts, in transaction: any SQLTransaction
    ) throws -> Result<Exchange, OAuthError> {
        try RefreshTokenStore.lockFamily(ofToken: sent.digest, in: transaction)
        guard let token = try RefreshTokenStore.find(digest: sent.digest, in: transaction),
            token.family.clientID == request.client.clientID
        else { return .failure(unknownToken) }
        request.trail.note { facts in
            (facts.userID, facts.audience, facts.failure) = (token.family.userID, token.family.audience, nil)
            facts.scope = narrowed(token.family.scope, to: requested).text
        }
        guard isAlive(token, of: request.client, at: request.now) else { return .failure(unknownToken) }
        if let problem = request.targetProblem(granted: token.family.audience) { return .failure(problem) }
        let family = token.family
        if let problem = request.proofProblem(boundTo: family.confirmation, audience: family.audience) {
            return .failure(problem)
        }
        switch try user(of: token, for: request.client, in: transaction) {
        case .failure(let error): return .failure(error)
        case .success(let user):
            if try isReused(token, successor, request, in: transaction) {
                try endFamily(of: token, request, in: transaction)
                return .failure(unknownToken)
            }
            guard scripts.haveRun else { return .failure(changedMeanwhile) }
            var next: Secret?
            if request.client.refreshToken.isRotating {
                guard try rotate(token, to: successor, request, in: transaction) else { return .failure(unknownToken) }
                next = successor
            } else {
                try RefreshTokenStore.touch(
                    digest: token.digest, at: request.now, from: request.device, in: transaction)
            }
            // A use does away with the end that a script had set for want of one.
            let idleExpiresAt = scripts.changes?.refreshToken?.idleExpiresAt
            if idleExpiresAt != family.idleExpiresAt {
                try RefreshTokenStore.setIdleExpiry(of: family.id, idleExpiresAt: idleExpiresAt, in: transaction)
            }
            let confirmation = request.refreshConfirmation(audience: family.audience)
            if !confirmation.isEmpty, confirmation != family.confirmation {
                try RefreshTokenStore.bind(family: family.id, to: confirmation, in: transaction)
            }
            if family.audience == nil {
                let granted = granted(family.scope, to: requested, scripts.changes)
                let scope = scripts.changes?.opaqueTokenScope(of: granted) ?? granted
                try insert(accessToken, scope, for: token, request, in: transaction)
            }
            if let changes = scripts.changes, family.scope.contains(Scope.openID) {
                try changes.keepForUserInfo(
                    family.authorizationID, audience: family.audience, mayHaveSome: true, at: request.now,
                    in: transaction)
            }
            return .success(Exchange(token: token, user: user, successor: next, accessToken: accessToken))
        }
    }

    private static let unknownToken = OAuthError.invalidGrant(
        "Unknown or invalid refresh token.",
        hint: "It has expired, was revoked, belongs to another client, or was used twice, which ends its whole family. "
            + "Let the user sign in again, and store each new refresh token before using it.")

    /// Neither the family's end nor the idle time of the client's present settings has passed, and the client has not
    /// changed between rotating and lasting tokens since.
    static func isAlive(_ token: RefreshToken, of client: Client, at now: Date) -> Bool {
        let settings = client.refreshToken
        guard token.family.isRotating == settings.isRotating else { return false }
        if let end = token.family.expiresAt, end <= now { return false }
        guard token.replacedAt == nil else { return true }
        if let end = token.family.idleExpiresAt, end <= now { return false }
        if let idle = settings.idleLifetime { return now.timeIntervalSince(token.lastUsedAt) <= Double(idle) }
        return true
    }

    private static func user(
        of token: RefreshToken, for client: Client, in transaction: any SQLTransaction
    ) throws -> Result<User, OAuthError> {
        guard let user = try UserStore.find(token.family.userID, in: transaction) else {
            return .failure(.invalidGrant("The refresh_token was generated for a user who doesn't exist anymore."))
        }
        guard !user.isBlocked else { return .failure(.invalidGrant("user is blocked")) }
        if let problem = try LoginOrganization.ending(
            of: user.id, in: token.family.organizationID, for: client, transaction)
        {
            return .failure(problem)
        }
        return .success(user)
    }

    /// Replaces the token. One that was replaced already comes either from a client that did not get the answer, within
    /// the leeway, and gets the same successor again; or from somebody who should not have it, and ends the family.
    /// - Returns: whether the successor may be handed out.
    private static func rotate(
        _ token: RefreshToken, to successor: Secret, _ request: TokenRequest, in transaction: any SQLTransaction
    ) throws -> Bool {
        if try RefreshTokenStore.rotate(
            token, to: successor.digest, at: request.now, from: request.device, in: transaction)
        {
            return true
        }
        let present = try RefreshTokenStore.find(digest: token.digest, in: transaction)
        if let present, try !isReused(present, successor, request, in: transaction) { return true }
        try endFamily(of: token, request, in: transaction)
        return false
    }

    /// Whether the token was replaced already, and by now nobody should have it any more who has no harm in mind.
    private static func isReused(
        _ token: RefreshToken, _ successor: Secret, _ request: TokenRequest, in transaction: any SQLTransaction
    ) throws -> Bool {
        let leeway = request.client.refreshToken.leeway
        guard token.family.isRotating, let replacedAt = token.replacedAt else { return false }
        guard leeway > 0, request.now.timeIntervalSince(replacedAt) <= Double(leeway) else { return true }
        let next = try RefreshTokenStore.find(digest: successor.digest, in: transaction)
        return next.map { $0.replacedAt != nil } ?? true
    }

    private static func endFamily(
        of token: RefreshToken, _ request: TokenRequest, in transaction: any SQLTransaction
    ) throws {
        try RefreshTokenStore.revoke(
            authorizationID: token.family.authorizationID, at: request.now, in: transaction)
        request.trail.note { $0.failure = .refreshTokenReuse }
    }

    private static func insert(
        _ accessToken: Secret, _ scope: Scope, for token: RefreshToken, _ request: TokenRequest,
        in transaction: any SQLTransaction
    ) throws {
        try AccessTokenStore.insert(
            AccessToken(
                digest: accessToken.digest, authorizationID: token.family.authorizationID,
                clientID: token.family.clientID, userID: token.family.userID, scope: scope,
                claims: token.family.claims,
                expiresAt: request.now.addingTimeInterval(Double(TokenIssuer.opaqueTokenLifetime)),
                confirmation: request.confirmation(audience: nil), organizationID: token.family.organizationID),
            in: transaction)
    }
}

extension RefreshToken {
    /// When it ends unless it is used before: as the client's settings have it, or a script. nil for never.
    func idleExpiry(for client: Client) -> Date? {
        let standard = client.refreshToken.idleLifetime.map { lastUsedAt.addingTimeInterval(Double($0)) }
        return [standard, family.idleExpiresAt].compactMap(\.self).min()
    }
}
