import OAuth
import Storage

/// Auth0's grant for a login that waits for a second factor: a code of the user's app. The first code of an app that
/// `/mfa/associate` has begun to enrol enrols it.
package struct MFAOTPGrant: Grant {
    package static let type = GrantType.mfaOTP
    let services: Services

    package init(services: Services) { self.services = services }

    package func redeem(_ request: TokenRequest) async throws -> Authorization {
        let code = try request.parameters.require("otp")
        let factors = SecondFactors(services: services)
        let settings = try await services.configuration.sections().multiFactor
        let connections = try await services.configuration.connections()
        return try await MFARedemption(services: services, request: request).redeem(
            MFARedemption.Words(wrong: "Invalid otp_code.")
        ) { opened, now, transaction in
            guard settings.isEnabled(.otp) else { throw OAuthError.turnedOff(.otp) }
            let (login, userID) = (opened.login, opened.token.userID)
            let has = try AuthenticatorStore.find(of: userID, in: transaction) != nil
            guard !has, let enrollment = login.enrollment, let sealedSecret = enrollment.sealedSecret else {
                let verdict = try factors.check(otp: code, of: userID, at: now, in: transaction)
                return MFARedemption.Answer(factor: .otp, verdict: verdict)
            }
            let channel = SecondFactors.FirstFactorChannel(connections.first { $0.name == login.connection })
            try SecondFactors.requireMayEnroll(login, of: userID, settings, channel, in: transaction)
            let outcome = try factors.enroll(
                sealedSecret: sealedSecret, code: code, of: userID,
                recoveryCodeDigest: enrollment.recoveryCodeDigest, at: now, in: transaction)
            let isRight = if case .enrolled = outcome { true } else { false }
            return MFARedemption.Answer(factor: .otp, verdict: isRight ? .right : .wrong, isEnrollment: true)
        }
    }
}

extension OAuthError {
    /// The tenant does not take the factor any more.
    static func turnedOff(_ factor: MultiFactorSettings.Factor) -> OAuthError {
        .accessDenied(
            "The factor \(factor.rawValue) is not enabled.",
            hint: "Turn it on: PUT /api/v2/guardian/factors/\(factor.rawValue), or guardianFactors of the tenant file.")
    }
}
