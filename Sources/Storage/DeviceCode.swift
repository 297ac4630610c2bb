import Foundation
import OAuth

/// The request of a device without a browser, which waits for a user somewhere else,
/// [RFC 8628](https://www.rfc-editor.org/rfc/rfc8628).
package struct DeviceCode: Sendable {
    package let digest: String
    /// The digest of the code that the user types; keyed, because the code is short.
    package let userCodeDigest: String
    /// Names everything that is issued for this request.
    package let authorizationID: String
    package let clientID: String
    /// What the device asked for; once approved, what the user granted.
    package let scope: Scope
    /// The API's identifier; nil for the userinfo endpoint alone.
    package let audience: String?
    package let expiresAt: Date
    /// Who let the device in; nil while nobody has.
    package var approval: Approval?

    /// A user's decision for the device, and how they had signed in.
    package struct Approval: Sendable {
        package let userID: String
        package let scope: Scope
        package let sid: String
        package let authenticatedAt: Date
        /// When the user passed a second factor; nil for none.
        package let multiFactorAt: Date?
        /// What scripts have changed of the device's tokens; nil where none ran.
        package let changes: ScriptChanges?

        package init(
            userID: String, scope: Scope, sid: String, authenticatedAt: Date, multiFactorAt: Date? = nil,
            changes: ScriptChanges? = nil
        ) {
            (self.userID, self.scope, self.sid, self.authenticatedAt) = (userID, scope, sid, authenticatedAt.storable)
            (self.multiFactorAt, self.changes) = (multiFactorAt?.storable, changes)
        }
    }

    package init(
        digest: String, userCodeDigest: String, authorizationID: String, clientID: String, scope: Scope,
        audience: String?, expiresAt: Date
    ) {
        (self.digest, self.userCodeDigest, self.authorizationID) = (digest, userCodeDigest, authorizationID)
        (self.clientID, self.scope, self.audience) = (clientID, scope, audience)
        self.expiresAt = expiresAt.storable
    }
}

/// The requests of devices, and for a day those that have ended.
package struct DeviceCodeStore: Sendable {
    let database: any SQLDatabase

    /// Seconds between two polls at first.
    package static let pollInterval = 5
    /// Seconds by which each poll that comes too early lengthens the interval (RFC 8628 §3.5).
    private static let penalty = 5
    /// Seconds that a poll may be early: the network does not carry each one equally fast.
    private static let tolerance = 0.5

    /// Keeps a request that is about to be answered.
    /// - Throws: ``SQLError/uniqueViolation(_:)`` where another device has the same user code.
    package static func insert(_ code: DeviceCode, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO device_code (digest, user_code_digest, authorization_id, client_id, scope, audience, status,
                poll_interval, expires_at)
            VALUES (\(code.digest), \(code.userCodeDigest), \(code.authorizationID), \(code.clientID),
                \(code.scope.text), \(code.audience), 'pending', \(pollInterval), \(code.expiresAt))
            """)
    }

    /// The request that waits for this user code.
    package func find(userCodeDigest: String, at now: Date) async throws -> DeviceCode? {
        try await database.readOnce { transaction in
            try transaction.row(
                """
                SELECT * FROM device_code
                WHERE user_code_digest = \(userCodeDigest) AND status = 'pending' AND expires_at > \(now)
                """
            ).map(DeviceCode.init)
        }
    }

    /// The request with this device code, where it still waits for a user.
    package func find(digest: String, at now: Date) async throws -> DeviceCode? {
        try await database.readOnce { transaction in
            try transaction.row(
                "SELECT * FROM device_code WHERE digest = \(digest) AND status = 'pending' AND expires_at > \(now)"
            ).map(DeviceCode.init)
        }
    }

    /// Lets the device in. Of several users who do so at once, the first counts.
    /// - Returns: whether the request still waited.
    package static func approve(
        digest: String, _ approval: DeviceCode.Approval, at now: Date, in transaction: any SQLTransaction
    ) throws -> Bool {
        try transaction.changes(
            """
            UPDATE device_code SET status = 'approved', user_id = \(approval.userID), scope = \(approval.scope.text),
                sid = \(approval.sid), authenticated_at = \(approval.authenticatedAt),
                multi_factor_at = \(approval.multiFactorAt),
                script_changes = \(approval.changes.map { try JSON.text($0.members) })
            WHERE digest = \(digest) AND status = 'pending' AND expires_at > \(now)
            """) == 1
    }

    /// Turns the device away.
    /// - Returns: whether the request still waited.
    @discardableResult
    package static func deny(digest: String, at now: Date, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.changes(
            """
            UPDATE device_code SET status = 'denied'
            WHERE digest = \(digest) AND status = 'pending' AND expires_at > \(now)
            """) == 1
    }

    /// What a device is told that asks whether a user has let it in.
    package enum Poll: Sendable {
        case pending
        /// Earlier than it was told to; the interval, in seconds, has just become longer.
        case tooEarly(interval: Int)
        case denied
        case expired
        /// Let in, and this poll is the one that may issue tokens.
        case redeemed(DeviceCode, DeviceCode.Approval)
        /// Unknown, redeemed already, or another client's.
        case refused
    }

    /// Answers a poll. Of several at once that find the device let in, one redeems the request, and another client's
    /// poll changes nothing.
    package static func poll(
        digest: String, clientID: String, at now: Date, in transaction: any SQLTransaction
    ) throws -> Poll {
        try transaction.lock("SELECT digest FROM device_code WHERE digest = \(digest)")
        let found = try transaction.row(
            "SELECT * FROM device_code WHERE digest = \(digest) AND client_id = \(clientID)")
        guard let found, let status = found.optionalText("status"), status != "redeemed" else { return .refused }
        let code = try DeviceCode(found)
        guard code.expiresAt > now else { return .expired }
        switch (status, code.approval) {
        case ("approved", let approval?):
            try transaction.execute("UPDATE device_code SET status = 'redeemed' WHERE digest = \(digest)")
            return .redeemed(code, approval)
        case ("pending", _): return try wait(found, digest, at: now, in: transaction)
        default: return .denied
        }
    }

    private static func wait(
        _ row: SQLRow, _ digest: String, at now: Date, in transaction: any SQLTransaction
    ) throws -> Poll {
        var interval = try row.integer("poll_interval")
        let sinceLast = row.optionalDate("polled_at").map(now.timeIntervalSince) ?? .infinity
        let isTooEarly = sinceLast < Double(interval) - tolerance
        if isTooEarly { interval += penalty }
        try transaction.execute(
            "UPDATE device_code SET polled_at = \(now), poll_interval = \(interval) WHERE digest = \(digest)")
        return isTooEarly ? .tooEarly(interval: interval) : .pending
    }
}

extension DeviceCode {
    fileprivate init(_ row: SQLRow) throws {
        digest = try row.text("digest")
        userCodeDigest = try row.text("user_code_digest")
        authorizationID = try row.text("authorization_id")
        clientID = try row.text("client_id")
        scope = try Scope(parsing: row.text("scope"))
        audience = row.optionalText("audience")
        expiresAt = try row.date("expires_at")
        approval = try row.optionalText("user_id").map { userID in
            Approval(
                userID: userID, scope: scope, sid: try row.text("sid"),
                authenticatedAt: try row.date("authenticated_at"),
                multiFactorAt: row.optionalDate("multi_factor_at"),
                changes: try row.optionalText("script_changes").map {
                    ScriptChanges(members: try JSON.decode(JSONObject.self, from: $0))
                })
        }
    }
}
