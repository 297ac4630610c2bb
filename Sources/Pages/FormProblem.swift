/// Why a form comes back to its user.
package enum FormProblem: Sendable, Equatable {
    case wrongCredentials
    /// The account is locked after too many failed logins.
    case blocked
    case tooManyAttempts
    /// Too much has failed from this address.
    case suspiciousAddress
    /// The password is right, and others have lost it.
    case breachedPassword
    /// The password that was chosen is one that others have lost.
    case breachedNewPassword
    case emailRequired
    case emailInvalid
    /// The address is of no domain whose users sign in anywhere.
    case unknownDomain
    case passwordRequired
    /// The password breaks some of the connection's rules; all are given, each with whether it holds.
    case passwordTooWeak([PasswordRule])
    /// The password and its repetition differ.
    case passwordMismatch
    /// Too many mails are asked for.
    case tooManyRequests
    /// The account could not be made; it is not said whether there is one already.
    case signupFailed
    case signupDisabled
    /// People come with the accounts that they have elsewhere.
    case signupTakesOver
    /// Too many passwords wait to be checked.
    case busy
    /// Whoever could tell whether the password is right does not answer.
    case cannotVerify
    /// Whoever has the password does not change it.
    case passwordNotChanged
    /// The form's transaction or its CSRF token is no longer good.
    case expiredForm
    /// Neither an address nor a number that codes are sent to.
    case addressInvalid
    /// The code is not the one that was sent, or no longer good.
    case wrongCode
    /// The code is not what the user's app shows, or was used before.
    case wrongFactorCode
    /// The code is not the user's recovery code.
    case wrongRecoveryCode
    /// Too many wrong codes of the second factor were tried.
    case tooManyFactorCodes
    /// Too many codes were asked for.
    case tooManyCodes
    /// What sends codes does not.
    case codeNotSent
    /// The code of a device is none, or no longer.
    case userCodeInvalid
    /// Too many such codes were tried.
    case tooManyUserCodes
    /// No organization has the name that was typed.
    case organizationInvalid
    /// An account can only be made for the e-mail address that was invited.
    case notInvited
    /// The tenant refuses the account, in words of its own.
    case refused(String)

    /// What a problem is about, hence where it is shown.
    package enum Subject: Sendable {
        case form, credentials, email, password
    }

    /// What the problem is about.
    package var subject: Subject {
        switch self {
        case .wrongCredentials: .credentials
        case .emailRequired, .emailInvalid, .unknownDomain, .notInvited: .email
        case .passwordRequired, .passwordTooWeak, .passwordMismatch, .breachedNewPassword: .password
        case .blocked, .tooManyAttempts, .suspiciousAddress, .breachedPassword, .signupFailed, .signupDisabled,
            .signupTakesOver, .busy, .cannotVerify, .passwordNotChanged, .expiredForm, .addressInvalid, .wrongCode,
            .tooManyCodes,
            .codeNotSent, .userCodeInvalid, .tooManyUserCodes, .organizationInvalid, .tooManyRequests,
            .wrongFactorCode, .wrongRecoveryCode, .tooManyFactorCodes, .refused:
            .form
        }
    }

    /// Its key in the section `problems` of the texts.
    package var key: String {
        switch self {
        case .wrongCredentials: "wrongCredentials"
        case .blocked: "blocked"
        case .tooManyAttempts: "tooManyAttempts"
        case .suspiciousAddress: "suspiciousAddress"
        case .breachedPassword: "breachedPassword"
        case .breachedNewPassword: "breachedNewPassword"
        case .emailRequired: "emailRequired"
        case .emailInvalid: "emailInvalid"
        case .unknownDomain: "unknownDomain"
        case .passwordRequired: "passwordRequired"
        case .passwordTooWeak: "passwordTooWeak"
        case .passwordMismatch: "passwordMismatch"
        case .tooManyRequests: "tooManyRequests"
        case .signupFailed: "signupFailed"
        case .signupDisabled: "signupDisabled"
        case .signupTakesOver: "signupTakesOver"
        case .busy: "busy"
        case .cannotVerify: "cannotVerify"
        case .passwordNotChanged: "passwordNotChanged"
        case .expiredForm: "expiredForm"
        case .addressInvalid: "addressInvalid"
        case .wrongCode: "wrongCode"
        case .tooManyCodes: "tooManyCodes"
        case .wrongFactorCode: "wrongFactorCode"
        case .wrongRecoveryCode: "wrongRecoveryCode"
        case .tooManyFactorCodes: "tooManyFactorCodes"
        case .codeNotSent: "codeNotSent"
        case .userCodeInvalid: "userCodeInvalid"
        case .tooManyUserCodes: "tooManyUserCodes"
        case .organizationInvalid: "organizationInvalid"
        case .notInvited: "notInvited"
        case .refused: "signupFailed"
        }
    }

    /// What is shown in place of the texts' own words; nil for those.
    var words: String? { if case .refused(let words) = self { words } else { nil } }
}

/// One demand of a connection's password policy.
package struct PasswordRule: Sendable, Equatable {
    /// The demand in the user's language, such as "At least 8 characters".
    package let text: String
    /// Whether the password that was tried meets it.
    package let satisfied: Bool

    package init(text: String, satisfied: Bool) {
        self.text = text
        self.satisfied = satisfied
    }
}
