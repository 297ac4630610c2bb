import Foundation
import OAuth
import Storage

/// Answers an authorization request about which nothing more need be asked: with a code, with tokens, or with both
/// (OpenID Connect Core §3.1.2.5, §3.2.2.5, §3.3.2.5).
struct ResponseIssuing: Sendable {
    let services: Services

    /// The response with what its type names, written down and signed.
    /// - Parameter transactionDigest: the login transaction that this answers, which ends with it.
    /// - Throws: ``TransactionNotFound`` where the transaction has been answered already.
    func respond(
        to request: VerifiedAuthorizationRequest, _ access: RequestedAccess, _ session: Session,
        transactionDigest: String?
    ) async throws -> AuthorizationResponse {
        let now = services.now()
        let issued = IssuedSecrets(for: request, access)
        // Signed before anything is written, so that a failure leaves nothing behind.
        let tokens = try await tokens(request, access, session, issued, at: now)
        try await write(issued, request, access, session, transactionDigest: transactionDigest, at: now)
        return AuthorizationResponse(
            parameters(issued.code, tokens, request, access), to: request.target)
    }

    /// The secrets of a response, made before its transaction so that running the transaction again changes nothing.
    private struct IssuedSecrets: Sendable {
        let authorizationID = RandomBytes.alphanumeric(24)
        let code: Secret?
        /// The access token for the userinfo endpoint alone.
        let opaqueAccessToken: Secret?

        init(for request: VerifiedAuthorizationRequest, _ access: RequestedAccess) {
            let type = request.request.responseType
            code = type.contains(.code) ? Secret.random() : nil
            opaqueAccessToken = type.contains(.token) && access.resourceServer == nil ? Secret.random() : nil
        }
    }

    private func tokens(
        _ request: VerifiedAuthorizationRequest, _ access: RequestedAccess, _ session: Session, _ issued: IssuedSecrets,
        at now: Date
    ) async throws -> FrontChannelTokens {
        let type = request.request.responseType
        guard type.hasTokens else { return FrontChannelTokens() }
        guard let user = try await services.stores.users.find(session.userID), !user.isBlocked else {
            throw OAuthError(.loginRequired, "Login required")
        }
        var authorization = Authorization(
            client: request.client, subject: .user(user), scope: Self.withoutOfflineAccess(access.scope),
            resourceServer: access.resourceServer)
        authorization.channel = .front
        authorization.authorizationID = issued.authorizationID
        authorization.permissions = access.permissions
        authorization.authentication = Authorization.Authentication(
            sid: session.sid, authenticatedAt: session.authenticatedAt, multiFactorAt: session.multiFactorAt,
            showsTime: request.showsAuthenticationTime, nonce: request.request.nonce)
        authorization.claims = request.request.claims
        authorization.changes = access.changes
        if let organization = request.organization?.organization {
            authorization.organization = OrganizationClaims(
                organization, try await services.configuration.settings())
        }
        authorization.opaqueAccessToken = issued.opaqueAccessToken
        return try await services.tokens.issue(
            authorization, for: type, code: issued.code, state: request.target.state, at: now)
    }

    /// No refresh token leaves the authorization endpoint, so no token of its own speaks of one.
    private static func withoutOfflineAccess(_ scope: Scope) -> Scope { scope.filter { $0 != Scope.offlineAccess } }

    private func write(
        _ issued: IssuedSecrets, _ request: VerifiedAuthorizationRequest, _ access: RequestedAccess,
        _ session: Session, transactionDigest: String?, at now: Date
    ) async throws {
        let code = issued.code.map {
            request.code($0, authorizationID: issued.authorizationID, access, session, at: now)
        }
        let granted = Self.withoutOfflineAccess(access.scope)
        let accessToken = issued.opaqueAccessToken.map {
            AccessToken(
                digest: $0.digest, authorizationID: issued.authorizationID, clientID: request.client.clientID,
                userID: session.userID, scope: access.changes?.opaqueTokenScope(of: granted) ?? granted,
                claims: request.request.claims,
                expiresAt: now.addingTimeInterval(Double(TokenIssuer.opaqueTokenLifetimeForWeb)),
                organizationID: request.organization?.organization.id)
        }
        let type = request.request.responseType
        let (idleLifetime, device) = (
            try await services.configuration.settings().idleSessionLifetime, services.device
        )
        try await services.stores.database.write { transaction in
            // Two answers to one transaction would be two codes for one decision of the user's.
            if let transactionDigest, try !LoginTransactionStore.delete(digest: transactionDigest, in: transaction) {
                throw TransactionNotFound()
            }
            if let code { try AuthorizationCodeStore.insert(code, in: transaction) }
            if let accessToken { try AccessTokenStore.insert(accessToken, in: transaction) }
            if let changes = access.changes, type.contains(.token), access.scope.contains(Scope.openID) {
                try changes.keepForUserInfo(
                    issued.authorizationID, audience: access.resourceServer?.resourceServer.identifier,
                    mayHaveSome: false, at: now, in: transaction)
            }
            // A session that ends at the same moment takes back what is written here, or comes first; and finds this
            // application among those to tell.
            guard try SessionStore.hold(session, in: transaction) else {
                throw OAuthError(.loginRequired, "Login required")
            }
            if request.client.logout.isTold {
                try SessionClientStore.insert(
                    SessionClient(session, clientID: request.client.clientID), in: transaction)
            }
            if session.needsTouch(at: now) {
                try SessionStore.touch(
                    digest: session.digest, at: now, idleExpiresAt: now.addingTimeInterval(Double(idleLifetime)),
                    from: device, in: transaction)
            }
        }
    }

    private func parameters(
        _ code: Secret?, _ tokens: FrontChannelTokens, _ request: VerifiedAuthorizationRequest,
        _ access: RequestedAccess
    ) -> [(name: String, value: String)] {
        var parameters: [(name: String, value: String)] = []
        if let code { parameters.append((name: "code", value: code.text)) }
        if let accessToken = tokens.accessToken {
            parameters += [
                (name: "access_token", value: accessToken.text),
                (name: "expires_in", value: "\(accessToken.lifetime)"),
                (name: "token_type", value: "Bearer"),
            ]
            // RFC 6749 §4.2.2: said where it is not what was asked for.
            let granted = Self.withoutOfflineAccess(access.scope)
            let scope = access.changes?.scope(of: granted) ?? granted
            if scope != Self.withoutOfflineAccess(request.request.scope) {
                parameters.append((name: "scope", value: scope.text))
            }
        }
        if let idToken = tokens.idToken { parameters.append((name: "id_token", value: idToken)) }
        return parameters
    }
}

extension Session {
    /// A use is written down at most once a minute: the idle end need not be exact to the second.
    fileprivate func needsTouch(at now: Date) -> Bool { now.timeIntervalSince(lastUsedAt) > 60 }
}
