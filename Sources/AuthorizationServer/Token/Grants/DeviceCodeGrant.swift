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
        let issued = FirstTokens()
        // A refusal leaves the transaction as a value: thrown, it would undo that the poll was counted.
        let verdict = try await services.stores.database.write { transaction in
            try Self.poll(sent, request, issuing: issued, in: transaction)
        }
        return try await issued.authorization(verdict.get(), for: request.client, services: services)
    }

    private static func poll(
        _ sent: Secret, _ request: TokenRequest, issuing issued: FirstTokens, in transaction: any SQLTransaction
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
            // Thrown, so that the code is not spent: the device can ask again with a proof.
            if let problem = request.proofProblem(audience: device.audience) { throw problem }
            guard let user = try UserStore.find(approval.userID, in: transaction), !user.isBlocked else {
                return .failure(.invalidGrant("user is blocked"))
            }
            let basis = FirstTokens.Basis(
                authorizationID: device.authorizationID, user: user, audience: device.audience,
                scope: approval.scope,
                authentication: Authorization.Authentication(
                    sid: approval.sid, authenticatedAt: approval.authenticatedAt, showsTime: false, nonce: nil),
                hasRefreshToken: approval.scope.contains(Scope.offlineAccess)
                    && request.client.grantTypes.contains(.refreshToken) && !request.isFromBrowser)
            try issued.write(basis, for: request, in: transaction)
            return .success(basis)
        }
    }
}
