import OAuth

/// Every grant of the token endpoint, one line each.
package enum Grants {
    package static let all: [any Grant.Type] = [
        AuthorizationCodeGrant.self,
        ClientCredentialsGrant.self,
        DeviceCodeGrant.self,
        JWTBearerGrant.self,
        MFAOOBGrant.self,
        MFAOTPGrant.self,
        MFARecoveryCodeGrant.self,
        PasswordGrant.self,
        PasswordRealmGrant.self,
        PasswordlessGrant.self,
        RefreshTokenGrant.self,
        TokenExchangeGrant.self,
    ]

    static func make(_ type: GrantType, services: Services) -> (any Grant)? {
        all.first { $0.type == type }?.init(services: services)
    }
}
