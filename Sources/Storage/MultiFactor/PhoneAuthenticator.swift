import Foundation

/// A phone that a user has proved to read text messages on: the second factor `sms`. A user has one at most.
package struct PhoneAuthenticator: Sendable, Equatable {
    /// Auth0's `sms|dev_…`.
    package let id: String
    package let userID: String
    /// In E.164.
    package let number: String
    package let enrolledAt: Date
    package let lastUsedAt: Date

    package init(id: String, userID: String, number: String, enrolledAt: Date) {
        (self.id, self.userID, self.number) = (id, userID, number)
        (self.enrolledAt, lastUsedAt) = (enrolledAt.storable, enrolledAt.storable)
    }

    /// What others may see of the number: its last four digits.
    package var maskedNumber: String {
        String(repeating: "X", count: max(number.count - 4, 0)) + number.suffix(4)
    }
}

/// The phones that users have enrolled.
package enum PhoneAuthenticatorStore {
    /// Enrols a phone where the user has none. Of several that are enrolled at the same time one is.
    /// - Returns: whether it is this one.
    package static func enroll(_ phone: PhoneAuthenticator, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.changes(
            """
            INSERT INTO phone_authenticator (user_id, id, phone_number, enrolled_at, last_used_at)
            VALUES (\(phone.userID), \(phone.id), \(phone.number), \(phone.enrolledAt), \(phone.lastUsedAt))
            ON CONFLICT (user_id) DO NOTHING
            """) == 1
    }

    /// The phone of a user; nil where there is none.
    package static func find(of userID: String, in transaction: any SQLTransaction) throws -> PhoneAuthenticator? {
        try transaction.row("SELECT * FROM phone_authenticator WHERE user_id = \(userID)")
            .map(PhoneAuthenticator.init)
    }

    /// The phone with an id; nil where there is none.
    package static func find(id: String, in transaction: any SQLTransaction) throws -> PhoneAuthenticator? {
        try transaction.row("SELECT * FROM phone_authenticator WHERE id = \(id)").map(PhoneAuthenticator.init)
    }

    /// Notes that a code was read on it.
    package static func touch(of userID: String, at now: Date, in transaction: any SQLTransaction) throws {
        try transaction.execute("UPDATE phone_authenticator SET last_used_at = \(now) WHERE user_id = \(userID)")
    }

    /// Takes a user's phone away.
    /// - Returns: whether there was one.
    static func remove(of userID: String, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.changes("DELETE FROM phone_authenticator WHERE user_id = \(userID)") > 0
    }
}

extension PhoneAuthenticator {
    fileprivate init(_ row: SQLRow) throws {
        id = try row.text("id")
        userID = try row.text("user_id")
        number = try row.text("phone_number")
        enrolledAt = try row.date("enrolled_at")
        lastUsedAt = try row.date("last_used_at")
    }
}
