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
        return try await FirstTokens.issue(for: request, services) { try Self.redeem(code, request, in: $0) }
    }

    private static func redeem(
        _ sent: Secret, _ request: TokenRequest, in transaction: any SQLTransaction
    ) throws -> Result<FirstTokens.Basis, OAuthError> {
        let clientID = request.client.clientID
        switch try AuthorizationCodeStore.redeem(
            digest: sent.digest, clientID: clientID, at: request.now, in: transaction)
        {
        case .refused:
            return .failure(invalidCode)
        case .replayed(let authorizationID):
            // Somebody has the code twice: what the first one got is not safe either (RFC 6749 §4.1.2).
            request.trail.note { $0.details["reason"] = "code_replayed" }
            try RefreshTokenStore.revoke(authorizationID: authorizationID, at: request.now, in: transaction)
            return .failure(invalidCode)
        case .redeemed(let code):
            request.trail.note { facts in
                (facts.userID, facts.audience, facts.scope) = (code.userID, code.audience, code.scope.text)
            }
            if let problem = problem(with: code, request) { return .failure(problem) }
            guard let user = try UserStore.find(code.userID, in: transaction), !user.isBlocked else {
                return .failure(.invalidGrant("user is blocked"))
            }
            if let problem = try LoginOrganization.ending(
                of: user.id, in: code.organizationID, for: request.client, transaction)
            {
                return .failure(problem)
            }
            return .success(basis(code, user, request))
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
        if let problem = request.targetProblem(granted: code.audience) { return problem }
        if let problem = request.proofProblem(
            boundTo: Confirmation(keyThumbprint: code.keyThumbprint), audience: code.audience)
        {
            return problem
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

    /// A browser's script gets a refresh token only with PKCE.
    private static func basis(_ code: AuthorizationCode, _ user: User, _ request: TokenRequest) -> FirstTokens.Basis {
        FirstTokens.Basis(
            authorizationID: code.authorizationID, user: user, audience: code.audience, scope: code.scope,
            claims: code.claims,
            authentication: Authorization.Authentication(
                sid: code.sid, authenticatedAt: code.authenticatedAt, multiFactorAt: code.multiFactorAt,
                showsTime: code.showsAuthenticationTime, nonce: code.nonce),
            hasRefreshToken: code.scope.contains(Scope.offlineAccess)
                && request.client.grantTypes.contains(.refreshToken)
                && (!request.isFromBrowser || code.proofKey != nil),
            organizationID: code.organizationID, changes: code.changes)
    }
}
