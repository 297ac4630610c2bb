/// What kinds of log event there are: Auth0's codes, and those that Auth0 has no code for.
package enum LogEventType: String, Sendable, CaseIterable {
    case login = "s"
    case failedLogin = "f"
    case wrongPassword = "fp"
    case unknownUser = "fu"
    case codeSent = "cls"
    case silentLogin = "ssa"
    case failedSilentLogin = "fsa"
    case signup = "ss"
    case failedSignup = "fs"
    case invitationAccepted = "si"
    case failedInvitation = "fi"
    case memberAdded = "organization_member_added"
    case logout = "slo"
    case failedLogout = "flo"
    case backchannelLogout = "oidc_backchannel_logout_succeeded"
    case failedBackchannelLogout = "oidc_backchannel_logout_failed"
    case codeExchange = "seacft"
    case failedCodeExchange = "feacft"
    case clientCredentials = "seccft"
    case failedClientCredentials = "feccft"
    case refresh = "sertft"
    case failedRefresh = "fertft"
    case refreshTokenReuse = "ferrt"
    case passwordGrant = "sepft"
    case failedPasswordGrant = "fepft"
    case passwordlessExchange = "sepotpft"
    case failedPasswordlessExchange = "fepotpft"
    case mfaOTPExchange = "seotpft"
    case failedMFAOTPExchange = "feotpft"
    case mfaOOBExchange = "seoobft"
    case failedMFAOOBExchange = "feoobft"
    case mfaRecoveryCodeExchange = "sercft"
    case failedMFARecoveryCodeExchange = "fercft"
    case deviceExchange = "sede"
    case failedDeviceExchange = "fede"
    case tokenExchange = "secte"
    case failedTokenExchange = "fecte"
    /// Portico's own: Auth0 has no JWT bearer grant.
    case assertionExchange = "jwt_bearer_exchange_succeeded"
    /// Portico's own.
    case failedAssertionExchange = "jwt_bearer_exchange_failed"
    case revocation = "srrt"
    case failedDeviceAuthorization = "fdeaz"
    case failedDeviceActivation = "fdeac"
    case deviceRefused = "fdecc"
    case failedPushedRequest = "fpar"
    /// Portico's own: at Auth0 a consent that is given has no event.
    case consent = "consent_given"
    case accountBlocked = "limit_wc"
    case addressBlocked = "limit_mu"
    case blockReleased = "ublkdu"
    case tooManyLogins = "limit_sul"
    case breachedPassword = "pwd_leak"
    case breachedSignup = "signup_pwd_leak"
    case breachedPasswordChange = "reset_pwd_leak"
    case failedNotification = "fn"
    case verification = "sv"
    case failedVerification = "fv"
    case passwordChangeRequest = "scpr"
    case failedPasswordChangeRequest = "fcpr"
    case passwordChange = "scp"
    case failedPasswordChange = "fcp"
    case factorEnrolled = "gd_enrollment_complete"
    case factorRemoved = "gd_unenroll"
    case factorPassed = "gd_auth_succeed"
    case factorFailed = "gd_auth_failed"
    case recoveryPassed = "gd_recovery_succeed"
    case recoveryFailed = "gd_recovery_failed"
    case factorBlocked = "gd_otp_rate_limit_exceed"
    case recoveryBlocked = "gd_recovery_rate_limit_exceed"
    case failedScript = "actions_execution_failed"
    /// Portico's own: Auth0 shows what scripts have done elsewhere.
    case scripts = "scripts_executed"
    case apiOperation = "sapi"
    case failedAPIOperation = "fapi"

    /// What Auth0 calls it.
    package var title: String {
        switch self {
        case .login: "Success Login"
        case .failedLogin: "Failed Login"
        case .wrongPassword: "Failed Login (wrong password)"
        case .unknownUser: "Failed Login (unknown user)"
        case .codeSent: "Code/Link Sent"
        case .silentLogin: "Success Silent Auth"
        case .failedSilentLogin: "Failed Silent Auth"
        case .signup: "Success Signup"
        case .failedSignup: "Failed Signup"
        case .invitationAccepted: "Success Invite Accept"
        case .failedInvitation: "Failed Invite Accept"
        case .memberAdded: "Organization Member Added"
        case .logout: "Success Logout"
        case .failedLogout: "Failed Logout"
        case .backchannelLogout: "Success Back-Channel Logout"
        case .failedBackchannelLogout: "Failed Back-Channel Logout"
        case .codeExchange: "Success Exchange: Authorization Code"
        case .failedCodeExchange: "Failed Exchange: Authorization Code"
        case .clientCredentials: "Success Exchange: Client Credentials"
        case .failedClientCredentials: "Failed Exchange: Client Credentials"
        case .refresh: "Success Exchange: Refresh Token"
        case .failedRefresh: "Failed Exchange: Refresh Token"
        case .refreshTokenReuse: "Failed Exchange: Rotating Refresh Token (reuse)"
        case .passwordGrant: "Success Exchange: Password"
        case .failedPasswordGrant: "Failed Exchange: Password"
        case .passwordlessExchange: "Success Exchange: Passwordless OTP"
        case .failedPasswordlessExchange: "Failed Exchange: Passwordless OTP"
        case .mfaOTPExchange: "Success Exchange: Password and OTP Challenge"
        case .failedMFAOTPExchange: "Failed Exchange: Password and OTP Challenge"
        case .mfaOOBExchange: "Success Exchange: Password and OOB Challenge"
        case .failedMFAOOBExchange: "Failed Exchange: Password and OOB Challenge"
        case .mfaRecoveryCodeExchange: "Success Exchange: Password and MFA Recovery Code"
        case .failedMFARecoveryCodeExchange: "Failed Exchange: Password and MFA Recovery Code"
        case .deviceExchange: "Success Exchange: Device Code"
        case .failedDeviceExchange: "Failed Exchange: Device Code"
        case .tokenExchange: "Success Exchange: Token Exchange"
        case .failedTokenExchange: "Failed Exchange: Token Exchange"
        case .assertionExchange: "Success Exchange: JWT Bearer"
        case .failedAssertionExchange: "Failed Exchange: JWT Bearer"
        case .revocation: "Success Revocation"
        case .failedDeviceAuthorization: "Failed Device Authorization Request"
        case .failedDeviceActivation: "Failed Device Activation"
        case .deviceRefused: "User Canceled Device Confirmation"
        case .failedPushedRequest: "Failed Pushed Authorization Request"
        case .consent: "Consent Given"
        case .accountBlocked: "Blocked Account"
        case .addressBlocked: "Blocked IP Address"
        case .blockReleased: "User Login Block Released"
        case .tooManyLogins: "Blocked Account (too many logins)"
        case .breachedPassword: "Breached Password"
        case .breachedSignup: "Breached Password on Signup"
        case .breachedPasswordChange: "Breached Password on Password Change"
        case .failedNotification: "Failed Sending Notification"
        case .verification: "Success Verification Email"
        case .failedVerification: "Failed Verification Email"
        case .passwordChangeRequest: "Success Change Password Request"
        case .failedPasswordChangeRequest: "Failed Change Password Request"
        case .passwordChange: "Success Change Password"
        case .failedPasswordChange: "Failed Change Password"
        case .factorEnrolled: "Guardian Enrollment Complete"
        case .factorRemoved: "Guardian Unenroll Device"
        case .factorPassed: "Guardian Second Factor Authentication Succeeded"
        case .factorFailed: "Guardian Second Factor Authentication Failed"
        case .recoveryPassed: "Guardian Recovery Succeeded"
        case .recoveryFailed: "Guardian Recovery Failed"
        case .factorBlocked: "Guardian Too Many Failures"
        case .recoveryBlocked: "Guardian Too Many Recovery Failures"
        case .failedScript: "Actions Execution Failed"
        case .scripts: "Scripts Executed"
        case .apiOperation: "Success API Operation"
        case .failedAPIOperation: "Failed API Operation"
        }
    }

    /// The category that log streams are filtered by.
    package var category: LogEventCategory {
        switch self {
        case .login: .loginSuccess
        case .failedLogin, .wrongPassword, .unknownUser: .loginFail
        case .silentLogin: .silentSuccess
        case .failedSilentLogin: .silentFail
        case .signup, .invitationAccepted: .signupSuccess
        case .failedSignup, .failedInvitation: .signupFail
        case .logout, .backchannelLogout: .logoutSuccess
        case .failedLogout, .failedBackchannelLogout: .logoutFail
        case .codeExchange, .clientCredentials, .refresh, .passwordGrant, .passwordlessExchange, .deviceExchange,
            .tokenExchange, .assertionExchange, .revocation, .mfaOTPExchange, .mfaOOBExchange,
            .mfaRecoveryCodeExchange:
            .exchangeSuccess
        case .failedCodeExchange, .failedClientCredentials, .failedRefresh, .refreshTokenReuse, .failedPasswordGrant,
            .failedPasswordlessExchange, .failedDeviceExchange, .failedTokenExchange, .failedAssertionExchange,
            .failedDeviceAuthorization, .failedDeviceActivation, .deviceRefused, .failedPushedRequest,
            .failedMFAOTPExchange, .failedMFAOOBExchange, .failedMFARecoveryCodeExchange:
            .exchangeFail
        case .consent, .memberAdded, .blockReleased, .codeSent: .userSuccess
        case .factorEnrolled, .factorRemoved, .factorPassed, .recoveryPassed: .userSuccess
        case .factorFailed, .recoveryFailed: .userFail
        case .factorBlocked, .recoveryBlocked, .accountBlocked, .addressBlocked, .tooManyLogins, .breachedPassword,
            .breachedSignup,
            .breachedPasswordChange:
            .userNotification
        case .failedNotification: .systemNotification
        case .verification, .passwordChangeRequest, .passwordChange: .userSuccess
        case .failedVerification, .failedPasswordChangeRequest, .failedPasswordChange: .userFail
        case .failedScript, .scripts: .actions
        case .apiOperation: .managementSuccess
        case .failedAPIOperation: .managementFail
        }
    }

    /// Whether somebody is kept out by attack protection, whatever they know.
    package var isBlock: Bool { category == .userNotification }

    /// Whether it tells of something that went wrong.
    package var isFailure: Bool {
        switch category {
        case .loginFail, .silentFail, .signupFail, .logoutFail, .exchangeFail, .managementFail, .userNotification,
            .systemNotification, .userFail:
            true
        default: false
        }
    }
}

/// Auth0's categories of log events (`filters` of a log stream).
package enum LogEventCategory: String, Sendable, CaseIterable {
    case loginFail = "auth.login.fail"
    case loginNotification = "auth.login.notification"
    case loginSuccess = "auth.login.success"
    case logoutFail = "auth.logout.fail"
    case logoutSuccess = "auth.logout.success"
    case signupFail = "auth.signup.fail"
    case signupSuccess = "auth.signup.success"
    case silentFail = "auth.silent_auth.fail"
    case silentSuccess = "auth.silent_auth.success"
    case exchangeFail = "auth.token_exchange.fail"
    case exchangeSuccess = "auth.token_exchange.success"
    case managementFail = "management.fail"
    case managementSuccess = "management.success"
    case scim = "scim.event"
    case systemNotification = "system.notification"
    case userFail = "user.fail"
    case userNotification = "user.notification"
    case userSuccess = "user.success"
    case actions, other
}
