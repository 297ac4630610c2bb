import Foundation
import OAuth
import Storage

/// What a grant has proved and tokens are made of.
package struct Authorization: Sendable {
    package let client: Client
    package let subject: Subject
    /// What was granted; an access token has the part of it that is not the server's own.
    package var scope: Scope
    /// The API that the access token is for; nil for the userinfo endpoint.
    package let resourceServer: RegisteredResourceServer?
    /// The subject's permissions for the API, where it enforces them.
    package var permissions: [String] = []
    /// The grant, as the `gty` claim names it; nil for the authorization code.
    package var grantName: String?
    /// The organization that the tokens are for; nil for none.
    package var organization: OrganizationClaims?
    /// The user's authentication; nil for a client of its own.
    package var authentication: Authentication?
    /// Where the access token is opaque: the token, whose row the grant has written.
    package var opaqueAccessToken: Secret?
    package var refreshToken: Secret?
    /// Single claims that the client has asked for.
    package var claims: ClaimsRequest?
    /// Names the user's authorization, which may be taken back while its signed tokens are out; nil where there is none.
    package var authorizationID: String?
    /// What whoever uses the access token must prove to hold.
    package var confirmation = Confirmation()
    /// Whether the access token must be bound because what it was exchanged for is.
    package var mustBeBound = false
    /// Who acts for the user, as the `act` claim names them (RFC 8693 §4.1).
    package var actor: JSONObject?
    /// When the access token ends at the latest, whatever its API says.
    package var latestExpiry: Date?
    /// What the answer says that it holds (RFC 8693 §2.2.1); nil for other grants.
    package var issuedTokenType: String?
    /// The user's next recovery code, where one was used; nil for none.
    package var recoveryCode: String?
    /// What scripts have changed of the tokens; nil where none ran.
    package var changes: ScriptChanges?
    /// Which endpoint hands the tokens out.
    package var channel = Channel.back

    /// The scope of the access token, and of the answer.
    package var tokenScope: Scope { changes?.scope(of: scope) ?? scope }

    /// The token endpoint answers the client itself; what the authorization endpoint answers passes through a browser.
    package enum Channel: Sendable { case back, front }

    /// Who the tokens are about.
    package enum Subject: Sendable {
        case user(User)
        case client

        package var user: User? { if case .user(let user) = self { user } else { nil } }
    }

    /// How and when the user signed in.
    package struct Authentication: Sendable {
        /// The browser's session; nil where the user signed in without one.
        package let sid: String?
        package let authenticatedAt: Date
        /// When the user passed a second factor; nil for none.
        package var multiFactorAt: Date?
        package let showsTime: Bool
        package let nonce: String?
    }
}
