import OAuth
import Storage

/// How the grants' outcomes are called in the log.
extension LogEventType {
    /// The types for a grant that was redeemed, and for one that was refused.
    fileprivate static func exchange(_ grant: GrantType?) -> (succeeded: LogEventType, failed: LogEventType)? {
        switch grant {
        case .authorizationCode: (.codeExchange, .failedCodeExchange)
        case .clientCredentials: (.clientCredentials, .failedClientCredentials)
        case .refreshToken: (.refresh, .failedRefresh)
        case .password, .passwordRealm: (.passwordGrant, .failedPasswordGrant)
        case .passwordlessOTP: (.passwordlessExchange, .failedPasswordlessExchange)
        case .deviceCode: (.deviceExchange, .failedDeviceExchange)
        case .tokenExchange: (.tokenExchange, .failedTokenExchange)
        case .mfaOTP: (.mfaOTPExchange, .failedMFAOTPExchange)
        case .mfaOOB: (.mfaOOBExchange, .failedMFAOOBExchange)
        case .mfaRecoveryCode: (.mfaRecoveryCodeExchange, .failedMFARecoveryCodeExchange)
        case .jwtBearer: (.assertionExchange, .failedAssertionExchange)
        default: nil
        }
    }
}

extension Services {
    /// Tells that the token endpoint has issued tokens.
    func logTokens(_ grant: String?, _ trail: LogTrail) {
        guard let types = LogEventType.exchange(grant.map(GrantType.init(rawValue:))) else { return }
        log(types.succeeded, trail, description: types.succeeded.title)
    }

    /// Tells that the token endpoint has refused. What is a step of a protocol and no failure is no event: a device that
    /// asks whether its user has answered, and a nonce that a client has yet to learn.
    func logTokens(_ grant: String?, _ trail: LogTrail, failure error: any Error) {
        let steps: [OAuthError.Code] = [.authorizationPending, .slowDown, .useDPoPNonce]
        if let refusal = error as? OAuthError, steps.contains(refusal.code) { return }
        let types = LogEventType.exchange(grant.map(GrantType.init(rawValue:)))
        log(types?.failed ?? .failedLogin, trail, failure: error)
    }
}

extension LogTrail {
    /// What tokens are about to be issued for.
    func note(_ authorization: Authorization) {
        note { facts in
            if let user = authorization.subject.user {
                (facts.userID, facts.connection) = (user.id, user.connection)
            }
            facts.audience = authorization.resourceServer?.resourceServer.identifier
            facts.scope = authorization.tokenScope.text
        }
    }
}
