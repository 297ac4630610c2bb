import Foundation

/// The codes that were sent to addresses and wait to be typed, and the links that wait to be opened: for each connection,
/// address and place where it may be used the newest alone, code or link.
package enum PasswordlessCodeStore {
    /// Wrong codes after which the right one is void.
    package static let mostTries = 3

    /// What a code that somebody has typed is.
    package enum Verdict: Sendable, Equatable {
        /// The right one; nobody else can use it any more.
        case right
        case wrong
        /// There is none: it has expired, was used, or was guessed at too often.
        case none
    }

    /// Keeps a code that is about to be sent, in place of the one before.
    /// - Parameters:
    ///   - subject: a digest of whom the code is for, and where it may be typed.
    ///   - code: a keyed digest, for codes are short; of a link the digest of what it carries.
    ///   - sealedLink: what only the server may know of a link; nil for a code.
    package static func save(
        subject: String, code: String, sealedLink: String? = nil, expiresAt: Date, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO passwordless_code (subject_digest, code_digest, tries, expires_at, sealed_link)
            VALUES (\(subject), \(code), 0, \(expiresAt), \(sealedLink))
            ON CONFLICT (subject_digest) DO UPDATE SET code_digest = excluded.code_digest, tries = 0,
                expires_at = excluded.expires_at, sealed_link = excluded.sealed_link
            """)
    }

    /// What was sealed with a link that waits; nil for one that was used, was replaced, or has expired. Looking uses nothing.
    package static func sealedLink(digest: String, at now: Date, in transaction: any SQLTransaction) throws -> String? {
        try transaction.row(
            "SELECT sealed_link FROM passwordless_code WHERE code_digest = \(digest) AND expires_at > \(now)"
        )?.optionalText("sealed_link")
    }

    /// Uses a link: of those who open it at the same time one succeeds.
    package static func redeemLink(digest: String, at now: Date, in transaction: any SQLTransaction) throws -> Verdict {
        let isRight =
            try transaction.changes(
                """
                DELETE FROM passwordless_code
                WHERE code_digest = \(digest) AND sealed_link IS NOT NULL AND expires_at > \(now)
                """) == 1
        return isRight ? .right : .none
    }

    /// Takes one try, and with the right code the code. Both count whoever tries at the same time: the try is taken before the
    /// code is compared, and one statement takes the code.
    package static func redeem(
        subject: String, code: String, at now: Date, in transaction: any SQLTransaction
    ) throws -> Verdict {
        let hasTry =
            try transaction.changes(
                """
                UPDATE passwordless_code SET tries = tries + 1
                WHERE subject_digest = \(subject) AND tries < \(mostTries) AND expires_at > \(now)
                """) == 1
        guard hasTry else { return .none }
        let isRight =
            try transaction.changes(
                "DELETE FROM passwordless_code WHERE subject_digest = \(subject) AND code_digest = \(code)") == 1
        return isRight ? .right : .wrong
    }

    static func expired(by now: Date, limit: Int) -> SQL {
        """
        DELETE FROM passwordless_code WHERE subject_digest IN (
            SELECT subject_digest FROM passwordless_code WHERE expires_at <= \(now) LIMIT \(limit))
            AND expires_at <= \(now)
        """
    }
}
