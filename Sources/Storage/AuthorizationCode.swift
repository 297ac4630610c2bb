import Foundation
import OAuth

/// An authorization code and what it stands for, [RFC 6749 §4.1.2](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2).
package struct AuthorizationCode: Sendable {
    package let digest: String
    /// Names everything that is issued for this code, so that a replay can take it back.
    package let authorizationID: String
    package let clientID: String
    package let userID: String
    /// As sent in the authorization request; nil where it was left out.
    package let redirectURI: String?
    package let scope: Scope
    package let audience: String?
    package let nonce: String?
    package let proofKey: ProofKey?
    /// Single claims that the client has asked for.
    package let claims: ClaimsRequest?
    package let sid: String
    package let authenticatedAt: Date
    /// When the user passed a second factor; nil for none.
    package var multiFactorAt: Date?
    /// Whether the ID token has `auth_time`: the request had `max_age`, or asked for a login.
    package let showsAuthenticationTime: Bool
    package let expiresAt: Date
    /// The thumbprint of the key that the redemption must prove; nil for a code that is bound to none.
    package let keyThumbprint: String?
    /// The organization that the user has signed in to; nil for none.
    package let organizationID: String?
    /// What scripts have changed of the tokens that the code is for; nil where none ran.
    package let changes: ScriptChanges?

    package init(
        digest: String, authorizationID: String, clientID: String, userID: String, redirectURI: String?, scope: Scope,
        audience: String?, nonce: String?, proofKey: ProofKey?, claims: ClaimsRequest? = nil, sid: String,
        authenticatedAt: Date, showsAuthenticationTime: Bool, expiresAt: Date, keyThumbprint: String? = nil,
        organizationID: String? = nil, changes: ScriptChanges? = nil
    ) {
        (self.digest, self.authorizationID, self.clientID, self.userID) = (digest, authorizationID, clientID, userID)
        (self.redirectURI, self.scope, self.audience, self.nonce) = (redirectURI, scope, audience, nonce)
        (self.proofKey, self.claims, self.sid) = (proofKey, claims, sid)
        self.authenticatedAt = authenticatedAt.storable
        (self.showsAuthenticationTime, self.expiresAt) = (showsAuthenticationTime, expiresAt.storable)
        (self.keyThumbprint, self.organizationID, self.changes) = (keyThumbprint, organizationID, changes)
    }
}

/// The codes that wait for their redemption, and for the rest of their ten minutes those that were redeemed.
package struct AuthorizationCodeStore: Sendable {
    let database: any SQLDatabase

    /// Keeps a code that is about to be issued.
    package static func insert(_ code: AuthorizationCode, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO authorization_code (digest, authorization_id, client_id, user_id, redirect_uri, scope, audience,
                nonce, code_challenge, code_challenge_method, claims, sid, authenticated_at, shows_auth_time, expires_at,
                key_thumbprint, organization_id, script_changes, multi_factor_at)
            VALUES (\(code.digest), \(code.authorizationID), \(code.clientID), \(code.userID), \(code.redirectURI),
                \(code.scope.text), \(code.audience), \(code.nonce), \(code.proofKey?.challenge),
                \(code.proofKey?.method.rawValue), \(code.claims?.text), \(code.sid), \(code.authenticatedAt),
                \(code.showsAuthenticationTime), \(code.expiresAt), \(code.keyThumbprint),
                \(code.organizationID), \(code.changes.map { try JSON.text($0.members) }), \(code.multiFactorAt))
            """)
    }

    /// What presenting a code comes to.
    package enum Redemption: Sendable {
        case redeemed(AuthorizationCode)
        /// It was redeemed before; the id names what must be taken back.
        case replayed(authorizationID: String)
        /// Unknown, expired, or another client's.
        case refused
    }

    /// Redeems a code at most once, whoever races for it: one statement decides, and it changes a row only while
    /// nobody has. Another client's code is left alone, so that presenting it cannot spend it.
    package static func redeem(
        digest: String, clientID: String, at now: Date, in transaction: any SQLTransaction
    ) throws -> Redemption {
        let redeemed = try transaction.row(
            """
            UPDATE authorization_code SET redeemed_at = \(now)
            WHERE digest = \(digest) AND client_id = \(clientID) AND redeemed_at IS NULL AND expires_at > \(now)
            RETURNING *
            """)
        if let redeemed { return .redeemed(try AuthorizationCode(redeemed)) }
        let replayed = try transaction.row(
            """
            SELECT authorization_id FROM authorization_code
            WHERE digest = \(digest) AND client_id = \(clientID) AND redeemed_at IS NOT NULL
            """)
        return try replayed.map { .replayed(authorizationID: try $0.text("authorization_id")) } ?? .refused
    }
}

extension AuthorizationCode {
    fileprivate init(_ row: SQLRow) throws {
        digest = try row.text("digest")
        authorizationID = try row.text("authorization_id")
        clientID = try row.text("client_id")
        userID = try row.text("user_id")
        redirectURI = row.optionalText("redirect_uri")
        scope = try Scope(parsing: row.text("scope"))
        audience = row.optionalText("audience")
        nonce = row.optionalText("nonce")
        proofKey = try ProofKey(
            Parameters(trusted: [
                "code_challenge": row.optionalText("code_challenge") ?? "",
                "code_challenge_method": row.optionalText("code_challenge_method") ?? "",
            ]))
        claims = try row.optionalText("claims").map(ClaimsRequest.init(parsing:))
        sid = try row.text("sid")
        authenticatedAt = try row.date("authenticated_at")
        multiFactorAt = row.optionalDate("multi_factor_at")
        showsAuthenticationTime = try row.bool("shows_auth_time")
        expiresAt = try row.date("expires_at")
        keyThumbprint = row.optionalText("key_thumbprint")
        organizationID = row.optionalText("organization_id")
        changes = try row.optionalText("script_changes").map {
            ScriptChanges(members: try JSON.decode(JSONObject.self, from: $0))
        }
    }
}
