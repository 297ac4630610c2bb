import Foundation
import OAuth
import Storage

/// A request that this client may make: its redirect URI is registered, its response type allowed, its API known.
package struct VerifiedAuthorizationRequest: Sendable {
    package let client: Client
    package let target: ResponseTarget
    package let request: AuthorizationRequest
    package let resourceServer: RegisteredResourceServer?
    /// The users whom the client expects, by their ids; nil where anybody will do.
    let expectedSubjects: Set<String>?
    /// What the request has to do with organizations.
    var organizations: RequestedOrganization
    /// Whether a device is let in by it, and no application answered.
    var isForDevice = false
    private let sentRedirectURI: String?

    init(
        _ verified: VerifiedClient, _ request: AuthorizationRequest, resourceServer: RegisteredResourceServer?,
        expectedSubjects: Set<String>?, organizations: RequestedOrganization = .none
    ) {
        (client, target, sentRedirectURI) = (verified.client, verified.target, verified.sentRedirectURI)
        (self.request, self.resourceServer, self.expectedSubjects) = (request, resourceServer, expectedSubjects)
        self.organizations = organizations
    }

    /// What is asked for, as scripts would have it. An ID token that was asked for needs `openid` whatever they say.
    func scope(targeted changes: ScriptChanges?) -> Scope {
        let (asked, target) = (request.scope, changes?.target(of: request.scope) ?? request.scope)
        guard request.responseType.contains(.idToken), !target.contains(Scope.openID) else { return target }
        return asked.filter { $0 == Scope.openID }.union(target)
    }

    /// The organization whose members alone may sign in; nil for a login of their own, or until the user has chosen.
    package var organization: LoginOrganization? { organizations.organization }

    /// What whoever signs in accepts by it.
    package var invitation: OrganizationInvitation? { organizations.invitation }

    /// Whether the user may go on without an organization.
    package var allowsPersonalLogin: Bool { client.organizations.usage == .allow }

    /// When a page asks for the organization, be it answered already or not; nil where none does.
    var organizationPrompt: RequestedOrganization.Question? {
        guard client.organizations.usage != .deny, request.organization == nil else { return nil }
        switch client.organizations.requireBehavior {
        case .noPrompt: return nil
        case .preLoginPrompt: return .beforeLogin
        case .postLoginPrompt: return .afterLogin
        }
    }

    /// Seconds until a code that nobody redeems is worth nothing.
    static let codeLifetime: TimeInterval = 300

    /// With `prompt=none` a page is an error instead, OpenID Connect Core §3.1.2.6.
    func refuseIfSilent(_ page: AuthorizationOutcome.LoginPage) throws(OAuthError) {
        guard request.prompt.contains(.none) else { return }
        switch page {
        case .login, .signup: throw OAuthError(.loginRequired, "Login required")
        case .mfaOTPEnrollment, .mfaOTPChallenge, .mfaSMSEnrollment, .mfaSMSChallenge, .mfaEmailChallenge,
            .mfaRecoveryCodeChallenge, .mfaRecoveryCodeEnrollment:
            throw OAuthError(.loginRequired, "Multifactor authentication required")
        case .selectAccount: throw OAuthError(.accountSelectionRequired, "Account selection required")
        case .consent: throw OAuthError(.consentRequired, "Consent required")
        case .organization, .organizationPicker:
            throw OAuthError(.interactionRequired, "Organization selection required")
        case .invitation: throw OAuthError(.interactionRequired, "An invitation must be accepted")
        }
    }

    /// Whether ID tokens tell when the user authenticated: the request had `max_age`, or asked for a login or the claim, or the
    /// client has registered `require_auth_time` (OpenID Connect Core §2).
    var showsAuthenticationTime: Bool {
        request.maxAge != nil || request.prompt.contains(.login) || request.claims?.idToken["auth_time"] != nil
            || client.openID.requiresAuthenticationTime
    }

    func code(
        _ secret: Secret, authorizationID: String, _ access: RequestedAccess, _ session: Session, at now: Date
    ) -> AuthorizationCode {
        var code = AuthorizationCode(
            digest: secret.digest, authorizationID: authorizationID, clientID: client.clientID,
            userID: session.userID, redirectURI: sentRedirectURI, scope: access.scope,
            audience: access.resourceServer?.resourceServer.identifier, nonce: request.nonce,
            proofKey: request.proofKey, claims: request.claims, sid: session.sid,
            authenticatedAt: session.authenticatedAt,
            showsAuthenticationTime: showsAuthenticationTime,
            expiresAt: now.addingTimeInterval(Self.codeLifetime), keyThumbprint: request.dpopKeyThumbprint,
            organizationID: organization?.organization.id, changes: access.changes)
        code.multiFactorAt = session.multiFactorAt
        return code
    }
}
