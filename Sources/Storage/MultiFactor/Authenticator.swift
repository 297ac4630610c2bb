import Foundation

/// A user's app for one-time codes, [RFC 6238](https://www.rfc-editor.org/rfc/rfc6238): the second factor `otp`. A user has
/// one at most.
package struct Authenticator: Sendable, Equatable {
    /// Auth0's `totp|dev_…`.
    package let id: String
    package let userID: String
    /// What app and server share, sealed: the server has to compute with it.
    package let sealedSecret: String
    /// The time step of the code that was accepted last; no code of it or before is accepted again (RFC 6238 §5.2).
    package let lastStep: Int64
    package let enrolledAt: Date
    package let lastUsedAt: Date

    package init(id: String, userID: String, sealedSecret: String, lastStep: Int64, enrolledAt: Date) {
        (self.id, self.userID, self.sealedSecret, self.lastStep) = (id, userID, sealedSecret, lastStep)
        (self.enrolledAt, lastUsedAt) = (enrolledAt.storable, enrolledAt.storable)
    }
}

/// The apps that users have enrolled.
package enum AuthenticatorStore {
    /// Enrols an app where the user has none. Of several that are enrolled at the same time one is.
    /// - Returns: whether it is this one.
    package static func enroll(_ authenticator: Authenticator, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.changes(
            """
            INSERT INTO authenticator (user_id, id, sealed_secret, last_step, enrolled_at, last_used_at)
            VALUES (\(authenticator.userID), \(authenticator.id), \(authenticator.sealedSecret),
                \(Int(authenticator.lastStep)), \(authenticator.enrolledAt), \(authenticator.lastUsedAt))
            ON CONFLICT (user_id) DO NOTHING
            """) == 1
    }

    /// The app of a user; nil where there is none.
    package static func find(of userID: String, in transaction: any SQLTransaction) throws -> Authenticator? {
        try transaction.row("SELECT * FROM authenticator WHERE user_id = \(userID)").map(Authenticator.init)
    }

    /// The app with an id; nil where there is none.
    package static func find(id: String, in transaction: any SQLTransaction) throws -> Authenticator? {
        try transaction.row("SELECT * FROM authenticator WHERE id = \(id)").map(Authenticator.init)
    }

    /// Uses the code of a time step. Of several that use it at the same time, or use one of before, one succeeds.
    /// - Returns: whether the code may be accepted.
    package static func use(
        step: Int64, of id: String, at now: Date, in transaction: any SQLTransaction
    ) throws -> Bool {
        try transaction.changes(
            """
            UPDATE authenticator SET last_step = \(Int(step)), last_used_at = \(now)
            WHERE id = \(id) AND last_step < \(Int(step))
            """) == 1
    }

    /// Gives a user's app, phone and recovery code to another user, who has neither app nor phone.
    static func move(from userID: String, to otherID: String, in transaction: any SQLTransaction) throws {
        guard try find(of: otherID, in: transaction) == nil,
            try PhoneAuthenticatorStore.find(of: otherID, in: transaction) == nil
        else { return }
        let apps = try transaction.changes(
            "UPDATE authenticator SET user_id = \(otherID) WHERE user_id = \(userID)")
        let phones = try transaction.changes(
            "UPDATE phone_authenticator SET user_id = \(otherID) WHERE user_id = \(userID)")
        guard apps + phones > 0 else { return }
        try transaction.execute("DELETE FROM recovery_code WHERE user_id = \(otherID)")
        try transaction.execute("UPDATE recovery_code SET user_id = \(otherID) WHERE user_id = \(userID)")
        try RememberedBrowserStore.forget(of: userID, in: transaction)
    }

    /// What wrong codes of a user's are counted by.
    package static func triesSubject(_ userID: String) -> String { "second factor \(userID)" }

    /// What wrong codes that were sent to a user are counted by: a right one forgives no wrong codes of the app.
    package static func sentTriesSubject(_ userID: String) -> String { "sent second factor \(userID)" }

    /// What wrong recovery codes of a user's are counted by.
    package static func recoveryTriesSubject(_ userID: String) -> String { "recovery code \(userID)" }

    /// Takes one of a user's factors away. With the last one everything goes that belongs to it.
    /// - Parameter id: an app's or a phone's.
    /// - Returns: whether it was one of this user's.
    package static func remove(id: String, of userID: String, in transaction: any SQLTransaction) throws -> Bool {
        let removed =
            try transaction.changes("DELETE FROM authenticator WHERE id = \(id) AND user_id = \(userID)")
            + transaction.changes("DELETE FROM phone_authenticator WHERE id = \(id) AND user_id = \(userID)")
        guard removed > 0 else { return false }
        let isLast = try find(of: userID, in: transaction) == nil
        if try isLast && PhoneAuthenticatorStore.find(of: userID, in: transaction) == nil {
            try remove(of: userID, in: transaction)
        } else {
            try forgetPassed(of: userID, in: transaction)
        }
        return true
    }

    /// Lets nothing count any more that was gained by a factor.
    private static func forgetPassed(of userID: String, in transaction: any SQLTransaction) throws {
        try RememberedBrowserStore.forget(of: userID, in: transaction)
        try transaction.execute("UPDATE session SET multi_factor_at = NULL WHERE user_id = \(userID)")
        try MFATokenStore.forget(of: userID, in: transaction)
    }

    /// Takes a user's second factors away, with the recovery code and the browsers that were to need none. Sessions in which one
    /// was passed are as if it had not been, and wrong codes are forgotten.
    /// - Returns: whether there was any.
    @discardableResult
    package static func remove(of userID: String, in transaction: any SQLTransaction) throws -> Bool {
        let hadApp = try transaction.changes("DELETE FROM authenticator WHERE user_id = \(userID)") > 0
        let hadPhone = try PhoneAuthenticatorStore.remove(of: userID, in: transaction)
        let hadCode = try transaction.changes("DELETE FROM recovery_code WHERE user_id = \(userID)") > 0
        try forgetPassed(of: userID, in: transaction)
        for subject in [triesSubject(userID), sentTriesSubject(userID), recoveryTriesSubject(userID)] {
            _ = try RateLimitStore.clear(subject, in: transaction)
        }
        return hadApp || hadPhone || hadCode
    }
}

extension Authenticator {
    fileprivate init(_ row: SQLRow) throws {
        id = try row.text("id")
        userID = try row.text("user_id")
        sealedSecret = try row.text("sealed_secret")
        lastStep = Int64(try row.integer("last_step"))
        enrolledAt = try row.date("enrolled_at")
        lastUsedAt = try row.date("last_used_at")
    }
}
