import Foundation
import OAuth
import Storage

/// The device's side of the device flow, [RFC 8628 §3.4](https://www.rfc-editor.org/rfc/rfc8628#section-3.4): it asks from
/// time to time whether a user has let it in.
package struct DeviceCodeGrant: Grant {
    package static let type = GrantType.deviceCode
    let services: Services

    package init(services: Services) { self.services = services }

    package func redeem(_ request: TokenRequest) async throws -> Authorization {
        let sent = Secret(try request.parameters.require("device_code"))
        return try await FirstTokens.issue(for: request, services) { try Self.poll(sent, request, in: $0) }
    }

    private static func poll(
        _ sent: Secret, _ request: TokenRequest, in transaction: any SQLTransaction
    ) throws -> Result<FirstTokens.Basis, OAuthError> {
        let answer = try DeviceCodeStore.poll(
            digest: sent.digest, clientID: request.client.clientID, at: request.now, in: transaction)
        switch answer {
        case .pending:
            return .failure(OAuthError(.authorizationPending, "User has yet to authorize device code."))
        case .tooEarly(let interval):
            return .failure(
                OAuthError(
                    .slowDown, "You are polling faster than the specified interval of \(interval) seconds.",
                    hint: "Wait \(interval) seconds before each request from now on; each early one adds five."))
        case .denied: return .failure(.accessDenied("User cancelled the confirmation prompt."))
        case .expired: return .failure(OAuthError(.expiredToken, "Invalid or expired device code."))
        case .refused: return .failure(.invalidGrant("Invalid or expired device code."))
        case .redeemed(let device, let approval):
            request.trail.note { facts in
                (facts.userID, facts.audience, facts.scope) = (
                    approval.userID, device.audience, approval.scope.text
                )
            }
            // Thrown, so that the code is not spent: the device can ask again with a proof.
            if let problem = request.proofProblem(audience: device.audience) { throw problem }
            guard let user = try UserStore.find(approval.userID, in: transaction), !user.isBlocked else {
                return .failure(.invalidGrant("user is blocked"))
            }
            if let problem = try LoginOrganization.ending(of: user.id, in: nil, for: request.client, transaction) {
                return .failure(problem)
            }
            return .success(
                FirstTokens.Basis(
                    authorizationID: device.authorizationID, user: user, audience: device.audience,
                    scope: approval.scope,
                    authentication: Authorization.Authentication(
                        sid: approval.sid, authenticatedAt: approval.authenticatedAt,
                        multiFactorAt: approval.multiFactorAt, showsTime: false, nonce: nil),
                    hasRefreshToken: approval.scope.contains(Scope.offlineAccess)
                        && request.client.grantTypes.contains(.refreshToken) && !request.isFromBrowser,
                    changes: approval.changes))
        }
    }
}
