import OAuth
import Storage

/// Auth0's grant for a login that waits for a second factor: a code that `/mfa/challenge` or `/mfa/associate` has had sent to
/// the user. Both name it by an `oob_code`; the user types the `binding_code`.
package struct MFAOOBGrant: Grant {
    package static let type = GrantType.mfaOOB
    let services: Services

    package init(services: Services) { self.services = services }

    package func redeem(_ request: TokenRequest) async throws -> Authorization {
        let oobCode = Secret(try request.parameters.require("oob_code"))
        let code = try request.parameters.require("binding_code")
        let settings = try await services.configuration.sections().multiFactor
        let connections = try await services.configuration.connections()
        return try await MFARedemption(services: services, request: request).redeem(
            MFARedemption.Words(wrong: "Invalid binding_code.")
        ) { [services] opened, now, transaction in
            let (login, userID) = (opened.login, opened.token.userID)
            guard let challenge = login.challenge, challenge.digest == oobCode.digest else {
                throw OAuthError.invalidGrant(
                    "Malformed oob_code",
                    hint: "It is none of this mfa_token, or a newer code was sent: use the newest one.")
            }
            let factor = challenge.channel.factor
            guard settings.isEnabled(factor) else { throw OAuthError.turnedOff(factor) }
            let channel = SecondFactors.FirstFactorChannel(connections.first { $0.name == login.connection })
            if challenge.isEnrollment {
                try SecondFactors.requireMayEnroll(login, of: userID, settings, channel, in: transaction)
            } else {
                // The address may have changed since, or the phone may be gone.
                let enrolled = try SecondFactors.enrolled(userID, in: transaction)
                guard enrolled.address(of: challenge.channel) == challenge.address,
                    enrolled.factors(settings, after: channel).contains(factor.methodType)
                else { return MFARedemption.Answer(factor: factor, verdict: .wrong) }
            }
            let factors = SecondFactors(services: services)
            let codes = OutOfBandCodes(
                services: services, place: "mfa_token \(opened.token.digest) \(challenge.digest)")
            var verdict = try factors.check(sentCodeOf: userID, at: now, in: transaction) {
                try codes.isRight(
                    code, by: challenge.channel, sentTo: challenge.address, of: userID, in: transaction)
            }
            if verdict == .right, challenge.isEnrollment {
                let isEnrolled = try factors.enroll(
                    number: challenge.address, of: userID,
                    recoveryCodeDigest: login.enrollment?.recoveryCodeDigest, at: now, in: transaction)
                if !isEnrolled { verdict = .wrong }
            } else if verdict == .right, challenge.channel == .sms {
                try PhoneAuthenticatorStore.touch(of: userID, at: now, in: transaction)
            }
            return MFARedemption.Answer(factor: factor, verdict: verdict, isEnrollment: challenge.isEnrollment)
        }
    }
}

extension SecondFactors.Enrolled {
    /// Where codes go by a channel; nil where the user has nothing there.
    func address(of channel: OutOfBandCodes.Channel) -> String? {
        switch channel {
        case .email: email
        case .sms: phone?.number
        }
    }
}
