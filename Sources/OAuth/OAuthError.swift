/// What the protocol answers when it refuses, [RFC 6749 §4.1.2.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1)
/// and [§5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2).
package struct OAuthError: Error, Sendable, Equatable {
    /// The registered word for a kind of refusal.
    package struct Code: RawRepresentable, Sendable, Hashable {
        package let rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }

        package static let accessDenied = Code(rawValue: "access_denied")
        package static let associationRequired = Code(rawValue: "association_required")
        package static let accountSelectionRequired = Code(rawValue: "account_selection_required")
        package static let authorizationPending = Code(rawValue: "authorization_pending")
        package static let consentRequired = Code(rawValue: "consent_required")
        package static let expiredToken = Code(rawValue: "expired_token")
        package static let interactionRequired = Code(rawValue: "interaction_required")
        package static let endpointDisabled = Code(rawValue: "endpoint_disabled")
        package static let invalidClient = Code(rawValue: "invalid_client")
        package static let invalidClientMetadata = Code(rawValue: "invalid_client_metadata")
        package static let invalidDPoPProof = Code(rawValue: "invalid_dpop_proof")
        package static let invalidGrant = Code(rawValue: "invalid_grant")
        package static let invalidRedirectURI = Code(rawValue: "invalid_redirect_uri")
        package static let invalidRequest = Code(rawValue: "invalid_request")
        package static let invalidScope = Code(rawValue: "invalid_scope")
        package static let invalidTarget = Code(rawValue: "invalid_target")
        package static let invalidToken = Code(rawValue: "invalid_token")
        package static let insufficientScope = Code(rawValue: "insufficient_scope")
        package static let mfaRequired = Code(rawValue: "mfa_required")
        package static let loginRequired = Code(rawValue: "login_required")
        package static let serverError = Code(rawValue: "server_error")
        package static let slowDown = Code(rawValue: "slow_down")
        package static let temporarilyUnavailable = Code(rawValue: "temporarily_unavailable")
        package static let tooManyAttempts = Code(rawValue: "too_many_attempts")
        package static let tooManyLogins = Code(rawValue: "too_many_logins")
        package static let passwordLeaked = Code(rawValue: "password_leaked")
        package static let tooManyRequests = Code(rawValue: "too_many_requests")
        package static let unapprovedSoftwareStatement = Code(rawValue: "unapproved_software_statement")
        package static let unauthorized = Code(rawValue: "unauthorized")
        package static let unauthorizedClient = Code(rawValue: "unauthorized_client")
        package static let unmetAuthenticationRequirements = Code(rawValue: "unmet_authentication_requirements")
        package static let unsupportedChallengeType = Code(rawValue: "unsupported_challenge_type")
        package static let unsupportedGrantType = Code(rawValue: "unsupported_grant_type")
        package static let unsupportedResponseType = Code(rawValue: "unsupported_response_type")
        package static let unsupportedTokenType = Code(rawValue: "unsupported_token_type")
        package static let useDPoPNonce = Code(rawValue: "use_dpop_nonce")
    }

    package let code: Code
    /// For the developer of the client; Auth0's text where clients match on it.
    package let description: String
    /// What to change so that it works; shown in development only.
    package let hint: String?
    /// Which of several refusals that share a code this is, for the dialects to tell apart.
    package let reason: Reason?
    /// Seconds after which another attempt is worth it; nil where that is not known.
    package let retryAfter: Int?
    /// What the answer has beside the error's own members, such as Auth0's `mfa_token`.
    package var members: JSONObject = [:]

    /// A refusal that Auth0 answers in another way than the RFCs do.
    package enum Reason: Sendable {
        /// The client did not prove who it is.
        case clientAuthentication
        /// The client's assertion is not good.
        case clientAssertion
        /// The `redirect_uri` of a token request is not the authorization request's.
        case redirectURIMismatch
        /// No API has the `audience` asked for, or the client may not ask for it.
        case audience
        /// As ``audience``, asked for with a password.
        case passwordAudience
        /// Somebody has the right password of a blocked user.
        case userIsBlocked
        /// Too many wrong passwords.
        case bruteForce
        /// The client asked for scopes that its client grant does not give.
        case clientGrantScope
        /// The `mfa_token` has expired.
        case mfaToken
        /// A rule or an action did not end well.
        case failedScript
    }

    package init(
        _ code: Code, _ description: String, hint: String? = nil, reason: Reason? = nil, retryAfter: Int? = nil
    ) {
        (self.code, self.description, self.hint, self.reason) = (code, description, hint, reason)
        self.retryAfter = retryAfter
    }
}

extension OAuthError {
    /// The error whose description says how to mend it as well, for where nothing else is told and only developers hear it.
    package var withHint: OAuthError {
        var error = OAuthError(
            code, hint.map { "\(description) \($0)" } ?? description, hint: hint, reason: reason,
            retryAfter: retryAfter)
        error.members = members
        return error
    }

    /// The request is malformed, or a parameter is missing or repeated.
    package static func invalidRequest(_ description: String, hint: String? = nil) -> OAuthError {
        OAuthError(.invalidRequest, description, hint: hint)
    }

    /// A required parameter is missing or empty.
    package static func missingParameter(_ name: String) -> OAuthError {
        OAuthError(
            .invalidRequest, "Missing required parameter: \(name)",
            hint: "Add '\(name)' to the request, with a value that is not empty.")
    }

    /// The code or refresh token is unknown, expired, revoked, used, or another client's.
    package static func invalidGrant(_ description: String, hint: String? = nil) -> OAuthError {
        OAuthError(.invalidGrant, description, hint: hint)
    }

    /// The user has to pass a second factor, and here is no browser to do it in.
    package static let multiFactorRequired = OAuthError(.mfaRequired, "Multifactor authentication required")

    /// The user or the server refused.
    package static func accessDenied(_ description: String, hint: String? = nil, reason: Reason? = nil) -> OAuthError {
        OAuthError(.accessDenied, description, hint: hint, reason: reason)
    }

    /// The client did not prove who it is; the same words whether it is unknown or its secret is wrong.
    package static func invalidClient(hint: String) -> OAuthError {
        OAuthError(.invalidClient, "Unauthorized", hint: hint, reason: .clientAuthentication)
    }

    /// The one answer to everything that the server did not foresee; the cause goes to the log.
    package static let serverError = OAuthError(
        .serverError, "The server could not complete the request. Its log names the cause under the request id.")
}
