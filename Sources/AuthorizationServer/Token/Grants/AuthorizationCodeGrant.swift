import Foundation
import OAuth
import Storage

/// The authorization code grant, [RFC 6749 §4.1.3](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3) with
/// [RFC 7636](https://www.rfc-editor.org/rfc/rfc7636).
package struct AuthorizationCodeGrant: Grant {
    package static let type = GrantType.authorizationCode
    let services: Services

    package init(services: Services) { self.services = services }

    package func redeem(_ request: TokenRequest) async throws -> Authorization {
        let code = Secret(try request.parameters.require("code"))
        let issued = IssuedSecrets()
        // A refusal leaves the transaction as a value: thrown, it would undo that the code is spent.
        let verdict = try await services.stores.database.write { transaction in
            try Self.redeem(code, request, issuing: issued, in: transaction)
        }
        let (redeemed, user) = try verdict.get()
        return try await UserAuthorization(
            user: user, scope: redeemed.scope, audience: redeemed.audience,
            authentication: Authorization.Authentication(
                sid: redeemed.sid, authenticatedAt: redeemed.authenticatedAt,
                showsTime: redeemed.showsAuthenticationTime, nonce: redeemed.nonce)
        ).make(
            for: request.client, opaqueAccessToken: redeemed.audience == nil ? issued.accessToken : nil,
            refreshToken: Self.mayRefresh(redeemed, request) ? issued.refreshToken : nil, services: services)
    }

    /// The secrets of a redemption, made before its transaction so that running the transaction again changes nothing.
    private struct IssuedSecrets: Sendable {
        let accessToken = Secret.random()
        let refreshToken = Secret.random(prefix: "v1.")
        let familyID = RandomBytes.alphanumeric(24)
    }

    private static func redeem(
        _ sent: Secret, _ request: TokenRequest, issuing issued: IssuedSecrets, in transaction: any SQLTransaction
    ) throws -> Result<(AuthorizationCode, User), OAuthError> {
        let clientID = request.client.clientID
        switch try AuthorizationCodeStore.redeem(
            digest: sent.digest, clientID: clientID, at: request.now, in: transaction)
        {
        case .refused:
            return .failure(invalidCode)
        case .replayed(let authorizationID):
            // Somebody has the code twice: what the first one got is not safe either (RFC 6749 §4.1.2).
            try RefreshTokenStore.revoke(authorizationID: authorizationID, in: transaction)
            return .failure(invalidCode)
        case .redeemed(let code):
            if let problem = problem(with: code, request) { return .failure(problem) }
            guard let user = try UserStore.find(code.userID, in: transaction), !user.isBlocked else {
                return .failure(.invalidGrant("user is blocked"))
            }
            try write(issued, for: code, request, in: transaction)
            return .success((code, user))
        }
    }

    private static let invalidCode = OAuthError.invalidGrant(
        "Invalid authorization code",
        hint:
            "A code is redeemed once, within five minutes, by the client that asked for it. Start a new authorization "
            + "request; if this happens at once, look for a second redemption of the same code.")

    private static func problem(with code: AuthorizationCode, _ request: TokenRequest) -> OAuthError? {
        let sent = request.parameters["redirect_uri"]
        guard sent == code.redirectURI || (code.redirectURI == nil && sent == nil) else {
            let origins = [sent, code.redirectURI].map { $0.flatMap(RedirectURI.init)?.origin ?? "none" }
            return OAuthError(
                .invalidGrant, "The redirect URI is wrong. You sent \(origins[0]), and we expected \(origins[1])",
                hint: "redirect_uri must be the very text that the authorization request had.",
                reason: .redirectURIMismatch)
        }
        let verifier = request.parameters["code_verifier"]
        switch (code.proofKey, verifier) {
        case (nil, nil): return nil
        case (let key?, let verifier?) where key.verifies(verifier): return nil
        case (nil, .some):
            return .invalidGrant(
                "Failed to verify code verifier",
                hint:
                    "The authorization request had no code_challenge, so there is nothing to verify: somebody may have "
                    + "removed it on the way.")
        default:
            return .invalidGrant(
                "Failed to verify code verifier",
                hint: "code_verifier must be the text whose S256 hash was the authorization request's code_challenge.")
        }
    }

    /// `offline_access` is left in the scope only where the API and the client allow it; a browser's script gets a
    /// refresh token only with PKCE.
    private static func mayRefresh(_ code: AuthorizationCode, _ request: TokenRequest) -> Bool {
        code.scope.contains(Scope.offlineAccess) && request.client.grantTypes.contains(.refreshToken)
            && (!request.isFromBrowser || code.proofKey != nil)
    }

    private static func write(
        _ issued: IssuedSecrets, for code: AuthorizationCode, _ request: TokenRequest,
        in transaction: any SQLTransaction
    ) throws {
        if code.audience == nil {
            try AccessTokenStore.insert(
                AccessToken(
                    digest: issued.accessToken.digest, authorizationID: code.authorizationID, clientID: code.clientID,
                    userID: code.userID, scope: code.scope,
                    expiresAt: request.now.addingTimeInterval(Double(TokenIssuer.opaqueTokenLifetime))),
                in: transaction)
        }
        guard mayRefresh(code, request) else { return }
        let settings = request.client.refreshToken
        try RefreshTokenStore.insert(
            RefreshTokenFamily(
                id: issued.familyID, authorizationID: code.authorizationID, clientID: code.clientID,
                userID: code.userID, audience: code.audience, scope: code.scope, sid: code.sid,
                authenticatedAt: code.authenticatedAt, showsAuthenticationTime: code.showsAuthenticationTime,
                isRotating: settings.isRotating,
                expiresAt: settings.absoluteLifetime.map { request.now.addingTimeInterval(Double($0)) }),
            firstToken: issued.refreshToken.digest, at: request.now, in: transaction)
    }
}
