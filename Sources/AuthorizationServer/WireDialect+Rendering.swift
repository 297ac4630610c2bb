import Foundation
import OAuth
import Storage

/// Everything that the two dialects write differently, in this one file.
extension WireDialect {
    /// An error as the token endpoint and its siblings answer it.
    package struct RenderedError: Sendable, Equatable {
        package let status: Int
        package let code: String
        package let description: String
    }

    /// The status, code and text with which the token endpoint answers `error` in this dialect.
    package func render(_ error: OAuthError) -> RenderedError {
        let code = code(of: error)
        let isUnauthorized = error.reason == .clientAuthentication || self == .auth0 && error.reason == .mfaToken
        let status = isUnauthorized ? 401 : status(of: code)
        return RenderedError(status: status, code: code.rawValue, description: description(of: error))
    }

    /// Where Auth0 promises what this server does not do, the standard dialect says less.
    private func description(of error: OAuthError) -> String {
        guard self == .auth0, error.reason == .bruteForce else { return error.description }
        return error.description + " We've sent you a notification via your preferred contact method with instructions "
            + "on how to unblock it."
    }

    private func code(of error: OAuthError) -> OAuthError.Code {
        switch (self, error.reason) {
        case (.standard, .audience), (.standard, .passwordAudience): .invalidTarget
        case (.auth0, .clientAuthentication): .accessDenied
        case (.auth0, .userIsBlocked): .unauthorized
        case (.auth0, .redirectURIMismatch): .unauthorizedClient
        case (.auth0, .audience), (.auth0, .clientGrantScope): .accessDenied
        default: error.code
        }
    }

    private func status(of code: OAuthError.Code) -> Int {
        switch code {
        case .invalidClient, .invalidToken: return 401
        case .insufficientScope, .mfaRequired: return 403
        case .endpointDisabled: return 404
        case .serverError: return 500
        case .temporarilyUnavailable: return 503
        case .tooManyAttempts, .tooManyLogins, .tooManyRequests: return 429
        default: break
        }
        guard self == .auth0 else { return 400 }
        switch code {
        case .invalidGrant, .unauthorizedClient, .accessDenied, .authorizationPending, .expiredToken: return 403
        case .slowDown: return 429
        case .unauthorized, .passwordLeaked: return 401
        case .unsupportedGrantType, .unsupportedResponseType: return 501
        default: return 400
        }
    }

    /// `updated_at`: a number of seconds (OpenID Connect Core §5.1), or Auth0's text.
    func updatedAt(_ date: Date) -> JSONValue {
        switch self {
        case .standard: .integer(Int64(date.timeIntervalSince1970))
        case .auth0: .string(date.formatted(.iso8601WithMilliseconds))
        }
    }

    /// Whether a request without `response_type` is told to the client, which RFC 6749 §4.1.2.1 asks for, or shown as
    /// a page, which Auth0 does.
    package var redirectsMissingResponseType: Bool { self == .standard }

    /// Whether a password grant that asks for `openid` alone gets all of OpenID Connect's scopes, as with Auth0.
    var widensOpenIDForPasswords: Bool { self == .auth0 }

    /// Whether revoking a signed access token, which cannot be done, is answered as if it were, which Auth0 does, or as
    /// RFC 7009 §2.2.1 says.
    var ignoresSignedRevocation: Bool { self == .auth0 }
}
