import OAuth
import Storage

/// Auth0's grant for a login that waits for a second factor: the user's recovery code. The answer has the next one.
package struct MFARecoveryCodeGrant: Grant {
    package static let type = GrantType.mfaRecoveryCode
    let services: Services

    package init(services: Services) { self.services = services }

    package func redeem(_ request: TokenRequest) async throws -> Authorization {
        let code = try request.parameters.require("recovery_code")
        let (factors, successor) = (SecondFactors(services: services), RecoveryCode.make())
        let settings = try await services.configuration.sections().multiFactor
        return try await MFARedemption(services: services, request: request).redeem(
            MFARedemption.Words(
                wrong: "Invalid recovery_code.", failure: .recoveryFailed, success: .recoveryPassed,
                blocked: .recoveryBlocked),
            recoveryCode: successor
        ) { opened, now, transaction in
            guard settings.isEnabled(.recoveryCode) else { throw OAuthError.turnedOff(.recoveryCode) }
            let verdict = try factors.check(
                recoveryCode: code, of: opened.token.userID, for: successor, at: now, in: transaction)
            return MFARedemption.Answer(factor: .recoveryCode, verdict: verdict)
        }
    }
}
