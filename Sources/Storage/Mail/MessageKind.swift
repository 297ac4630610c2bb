/// What mails there are, by the names of Auth0's templates.
package enum MessageKind: String, Sendable, CaseIterable {
    case verifyEmail = "verify_email"
    case verifyEmailByCode = "verify_email_by_code"
    case resetEmail = "reset_email"
    case resetEmailByCode = "reset_email_by_code"
    case welcomeEmail = "welcome_email"
    case blockedAccount = "blocked_account"
    case stolenCredentials = "stolen_credentials"
    case enrollmentEmail = "enrollment_email"
    case mfaOutOfBandCode = "mfa_oob_code"
    case userInvitation = "user_invitation"
    /// Auth0's of old, kept and given back; ``resetEmail`` is what is sent.
    case changePassword = "change_password"
    /// Auth0's of old, kept and given back; ``resetEmail`` is what is sent.
    case passwordReset = "password_reset"
    /// Auth0's for a flow that is not here; kept and given back.
    case asyncApproval = "async_approval"
    /// What a passwordless connection sends. Its template belongs to the connection and not to the tenant.
    case passwordless = "passwordless_email"

    /// Whether it is a template of the tenant's.
    package var hasTemplate: Bool { self != .passwordless }

    /// Whether this server sends it.
    package var isSent: Bool { ![.changePassword, .passwordReset, .asyncApproval].contains(self) }
}
