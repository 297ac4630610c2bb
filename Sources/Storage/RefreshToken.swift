import Foundation
import OAuth

/// All refresh tokens that follow from one authorization; one is the newest, and reuse of an older one ends all.
package struct RefreshTokenFamily: Sendable {
    package let id: String
    /// The authorization code's `authorizationID`.
    package let authorizationID: String
    package let clientID: String
    package let userID: String
    package let audience: String?
    /// What the user granted; a refresh may ask for less, never for more.
    package let scope: Scope
    /// Single claims that the client has asked for.
    package let claims: ClaimsRequest?
    /// The session that the user signed in with; empty where there was none.
    package let sid: String
    package let authenticatedAt: Date
    /// When the user passed a second factor; nil for none.
    package let multiFactorAt: Date?
    package let showsAuthenticationTime: Bool
    /// Whether the family was made for a client whose tokens rotate; a client that changes sides loses its tokens.
    package let isRotating: Bool
    /// The end of the family whatever happens; fixed when the first token is issued.
    package let expiresAt: Date?
    /// What each exchange must prove to hold.
    package let confirmation: Confirmation
    /// The organization that the user has signed in to; nil for none.
    package let organizationID: String?
    /// When a script lets it end unless it is used before; nil for no such end.
    package var idleExpiresAt: Date?
    /// From where it was asked for; nil where nothing is known of that.
    package var firstDevice: SeenDevice?

    package init(
        id: String, authorizationID: String, clientID: String, userID: String, audience: String?, scope: Scope,
        claims: ClaimsRequest? = nil, sid: String, authenticatedAt: Date, multiFactorAt: Date? = nil,
        showsAuthenticationTime: Bool, isRotating: Bool, expiresAt: Date?, confirmation: Confirmation = Confirmation(),
        organizationID: String? = nil
    ) {
        (self.id, self.authorizationID, self.clientID, self.userID) = (id, authorizationID, clientID, userID)
        (self.audience, self.scope, self.claims, self.sid) = (audience, scope, claims, sid)
        (self.authenticatedAt, self.showsAuthenticationTime) = (authenticatedAt.storable, showsAuthenticationTime)
        (self.isRotating, self.expiresAt, self.confirmation) = (isRotating, expiresAt?.storable, confirmation)
        (self.organizationID, self.multiFactorAt) = (organizationID, multiFactorAt?.storable)
    }
}

/// One refresh token of a family.
package struct RefreshToken: Sendable {
    package let digest: String
    /// 0 for the first token of its family, one more for each that replaced it.
    package let generation: Int
    package let issuedAt: Date
    /// When it was last exchanged, or issued.
    package let lastUsedAt: Date
    /// When it was first replaced; nil for the newest.
    package let replacedAt: Date?
    /// From where it was exchanged last, or issued; nil where nothing is known of that.
    package let device: SeenDevice?
    package let family: RefreshTokenFamily
}

/// The refresh tokens of the tenant.
package struct RefreshTokenStore: Sendable {
    let database: any SQLDatabase

    /// More for one user and client remove the oldest (Auth0's limit).
    package static let mostPerUserAndClient = 200

    /// Starts a family with its first token; of more than ``mostPerUserAndClient`` the oldest go.
    package static func insert(
        _ family: RefreshTokenFamily, firstToken digest: String, at now: Date, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO refresh_token_family (id, authorization_id, client_id, user_id, audience, scope, claims, sid,
                authenticated_at, shows_auth_time, rotating, created_at, expires_at, key_thumbprint,
                certificate_thumbprint, organization_id, multi_factor_at, idle_expires_at, first_device)
            VALUES (\(family.id), \(family.authorizationID), \(family.clientID), \(family.userID), \(family.audience),
                \(family.scope.text), \(family.claims?.text), \(family.sid), \(family.authenticatedAt),
                \(family.showsAuthenticationTime),
                \(family.isRotating), \(now), \(family.expiresAt), \(family.confirmation.keyThumbprint),
                \(family.confirmation.certificateThumbprint), \(family.organizationID), \(family.multiFactorAt),
                \(family.idleExpiresAt), \(family.firstDevice.map { try JSON.text($0) }))
            """)
        try insert(digest, generation: 0, familyID: family.id, at: now, from: family.firstDevice, in: transaction)
        try transaction.execute(
            """
            DELETE FROM refresh_token_family WHERE id IN (
                SELECT id FROM refresh_token_family
                WHERE user_id = \(family.userID) AND client_id = \(family.clientID) AND id <> \(family.id)
                ORDER BY created_at DESC, id DESC LIMIT 100 OFFSET \(mostPerUserAndClient - 1))
            """)
    }

    private static func insert(
        _ digest: String, generation: Int, familyID: String, at now: Date, from device: SeenDevice?,
        in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO refresh_token (digest, family_id, generation, issued_at, last_used_at, device)
            VALUES (\(digest), \(familyID), \(generation), \(now), \(now), \(device.map { try JSON.text($0) }))
            """)
    }

    /// Waits until nobody else works with the token's family, and keeps others out until the transaction ends: what is
    /// decided about one of its tokens must not be decided twice, nor while the family is being revoked.
    package static func lockFamily(ofToken digest: String, in transaction: any SQLTransaction) throws {
        try transaction.lock(
            """
            SELECT id FROM refresh_token_family
            WHERE id = (SELECT family_id FROM refresh_token WHERE digest = \(digest))
            """)
    }

    /// The token with its family, replaced or not.
    package static func find(digest: String, in transaction: any SQLTransaction) throws -> RefreshToken? {
        try transaction.row(
            """
            SELECT refresh_token.digest, generation, issued_at, last_used_at, replaced_at, device,
                refresh_token_family.*
            FROM refresh_token JOIN refresh_token_family ON refresh_token_family.id = refresh_token.family_id
            WHERE refresh_token.digest = \(digest)
            """
        ).map(RefreshToken.init)
    }

    /// Replaces the newest token by a new one. Of several that race, one wins: the statement changes the row only while
    /// it has not been replaced.
    /// - Parameter device: from where it is exchanged; nil where nothing is known of that.
    /// - Returns: whether this call replaced it.
    package static func rotate(
        _ token: RefreshToken, to digest: String, at now: Date, from device: SeenDevice? = nil,
        in transaction: any SQLTransaction
    ) throws -> Bool {
        let changed = try transaction.changes(
            """
            UPDATE refresh_token SET replaced_at = \(now), last_used_at = \(now)
            WHERE digest = \(token.digest) AND replaced_at IS NULL
            """)
        guard changed == 1 else { return false }
        try insert(
            digest, generation: token.generation + 1, familyID: token.family.id, at: now, from: device,
            in: transaction)
        return true
    }

    /// Binds a family, for all exchanges from now on; what it is bound to already stays.
    package static func bind(
        family id: String, to confirmation: Confirmation, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            UPDATE refresh_token_family
            SET key_thumbprint = COALESCE(key_thumbprint, \(confirmation.keyThumbprint)),
                certificate_thumbprint = COALESCE(certificate_thumbprint, \(confirmation.certificateThumbprint))
            WHERE id = \(id)
            """)
    }

    /// Notes an exchange of a token that does not rotate.
    /// - Parameter device: from where; nil where nothing is known of that.
    package static func touch(
        digest: String, at now: Date, from device: SeenDevice? = nil, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            UPDATE refresh_token SET last_used_at = \(now), device = COALESCE(\(device.map { try JSON.text($0) }), device)
            WHERE digest = \(digest)
            """)
    }

    /// Ends a family with all its tokens.
    package static func deleteFamily(_ id: String, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM refresh_token_family WHERE id = \(id)")
    }

    /// Takes back every token of a user that was issued with a session or without, the authorizations behind them, and what
    /// would still become tokens: codes that nobody has redeemed, and devices that were let in and have not asked since.
    package static func revokeAll(of userID: String, at now: Date, in transaction: any SQLTransaction) throws {
        // Before the tokens: whoever redeems at the same moment comes first, and is seen below, or finds nothing.
        try transaction.execute("DELETE FROM authorization_code WHERE user_id = \(userID) AND redeemed_at IS NULL")
        try transaction.execute("DELETE FROM device_code WHERE user_id = \(userID) AND status = 'approved'")
        let rows = try transaction.rows(
            """
            SELECT authorization_id FROM refresh_token_family WHERE user_id = \(userID)
            UNION SELECT authorization_id FROM access_token WHERE user_id = \(userID)
            """)
        for row in rows { try revoke(authorizationID: row.text("authorization_id"), at: now, in: transaction) }
    }

    /// Takes back everything that was issued for one authorization.
    package static func revoke(
        authorizationID: String, at now: Date, in transaction: any SQLTransaction
    ) throws {
        try RevokedAuthorizationStore.insert(authorizationID, at: now, in: transaction)
        try transaction.execute("DELETE FROM refresh_token_family WHERE authorization_id = \(authorizationID)")
        try transaction.execute("DELETE FROM access_token WHERE authorization_id = \(authorizationID)")
    }
}

extension RefreshToken {
    fileprivate init(_ row: SQLRow) throws {
        digest = try row.text("digest")
        generation = try row.integer("generation")
        issuedAt = try row.date("issued_at")
        lastUsedAt = try row.date("last_used_at")
        replacedAt = row.optionalDate("replaced_at")
        device = try row.device("device")
        family = try RefreshTokenFamily(row)
    }
}

extension RefreshTokenFamily {
    init(_ row: SQLRow) throws {
        self.init(
            id: try row.text("id"), authorizationID: try row.text("authorization_id"),
            clientID: try row.text("client_id"), userID: try row.text("user_id"),
            audience: row.optionalText("audience"), scope: try Scope(parsing: row.text("scope")),
            claims: try row.optionalText("claims").map(ClaimsRequest.init(parsing:)), sid: try row.text("sid"),
            authenticatedAt: try row.date("authenticated_at"), multiFactorAt: row.optionalDate("multi_factor_at"),
            showsAuthenticationTime: try row.bool("shows_auth_time"), isRotating: try row.bool("rotating"),
            expiresAt: row.optionalDate("expires_at"), confirmation: Confirmation(row),
            organizationID: row.optionalText("organization_id"))
        idleExpiresAt = row.optionalDate("idle_expires_at")
        firstDevice = try row.device("first_device")
    }
}
