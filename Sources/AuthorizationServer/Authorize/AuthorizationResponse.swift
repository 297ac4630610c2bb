import OAuth

/// An answer to the client of an authorization request: parameters for a target that was verified.
package struct AuthorizationResponse: Sendable {
    package let target: ResponseTarget
    /// In the order in which they are sent.
    package let parameters: [(name: String, value: String)]
    /// The session of the browser, where its cookie is to be kept in another way from now on; nil where it stays as it is.
    package internal(set) var session: PasswordLogin.NewSession?

    init(_ parameters: [(name: String, value: String)], to target: ResponseTarget) {
        self.target = target
        self.parameters =
            parameters + (target.state.map { [(name: "state", value: $0)] } ?? [])
            + (target.issuer.map { [(name: "iss", value: $0)] } ?? [])
    }

    /// The refusal of a request, [RFC 6749 §4.1.2.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1).
    package init(_ error: OAuthError, to target: ResponseTarget) {
        self.init(
            [(name: "error", value: error.code.rawValue), (name: "error_description", value: error.description)],
            to: target)
    }
}

/// What happens next to an authorization request.
package enum AuthorizationOutcome: Sendable {
    /// The request is answered.
    case respond(AuthorizationResponse)
    /// The user is asked something; `state` names the transaction, and the target is where its answer will go.
    case prompt(LoginPage, state: Secret, ResponseTarget)
    /// The user signs in somewhere else; the target is where the answer will go in the end.
    case depart(UpstreamDeparture.Destination, ResponseTarget)

    /// The pages that a transaction may lead to.
    package enum LoginPage: String, Sendable {
        case login, signup, consent, organization, invitation
        case organizationPicker = "organization-picker"
        case selectAccount = "select-account"
        case mfaOTPEnrollment = "mfa-otp-enrollment"
        case mfaOTPChallenge = "mfa-otp-challenge"
        case mfaSMSEnrollment = "mfa-sms-enrollment"
        case mfaSMSChallenge = "mfa-sms-challenge"
        case mfaEmailChallenge = "mfa-email-challenge"
        case mfaRecoveryCodeChallenge = "mfa-recovery-code-challenge"
        case mfaRecoveryCodeEnrollment = "mfa-recovery-code-enrollment"
    }
}
