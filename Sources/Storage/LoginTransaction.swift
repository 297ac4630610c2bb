import Foundation
import OAuth

/// An authorization request that waits for its user: what `state=` on the pages refers to.
///
/// It belongs to the browser that started it, and to no other: the page's address alone opens nothing.
package struct LoginTransaction: Sendable {
    /// The digest of the `state` of the pages.
    package let digest: String
    /// The digest of the cookie of the browser that started it.
    package let browserDigest: String
    package let clientID: String
    package let createdAt: Date
    package let expiresAt: Date
    package var progress: Progress
    fileprivate let parameters: [String: String]

    /// What the transaction ends in.
    package enum Purpose: Sendable, Equatable {
        /// An answer to the client of an authorization request, whose parameters are here as they were sent.
        case authorization(Parameters)
        /// A device that is let in, by the digest of its code.
        case device(codeDigest: String)

        package var isDevice: Bool { if case .device = self { true } else { false } }
    }

    package var purpose: Purpose {
        progress.deviceCodeDigest.map(Purpose.device) ?? .authorization(Parameters(trusted: parameters))
    }

    /// The account that the user has chosen where the request asks which (`prompt=select_account`).
    package enum AccountChoice: Sendable, Codable, Equatable {
        /// The one of the session with this digest.
        case session(digest: String)
        /// One that has yet to log in.
        case another
    }

    /// What the user has chosen where the request names no organization and the application asks for one.
    package enum OrganizationChoice: Sendable, Codable, Equatable {
        case organization(id: String)
        /// An account of the user's own, in none.
        case personal
    }

    /// How far the user is with the request's invitation.
    package enum InvitationProgress: String, Sendable, Codable {
        /// The user goes on by logging in, or by signing up.
        case login, signup
        /// The user has become a member.
        case accepted
        /// Somebody else has signed in than was invited.
        case refused
    }

    /// What the user has answered so far.
    package struct Progress: Sendable, Codable, Equatable {
        /// The digest of the session that a login in this transaction made; prompts for a login are then satisfied.
        package var sessionDigest: String?
        package var accountChoice: AccountChoice?
        package var organizationChoice: OrganizationChoice?
        package var invitation: InvitationProgress?
        /// The scope that a user allowed in this transaction, and which user.
        package var consentedScope: String?
        package var consentedUserID: String?
        /// How far the user is with the second factor.
        package var factor: FactorProgress?
        /// The digest of the session whose user is asked for consent; nobody else's is taken.
        package var consentSessionDigest: String?
        /// The digest of the session whose user is asked for an organization; nobody else's are shown.
        package var pickerSessionDigest: String?
        /// How far the tenant's scripts are.
        package var scripts: ScriptProgress?
        /// Whether the user refused.
        package var isDenied = false
        /// Beside the answers, because only parameters that a client has sent are kept beside them.
        fileprivate var deviceCodeDigest: String?

        package init() {}
    }

    package init(
        digest: String, browserDigest: String, clientID: String, purpose: Purpose, createdAt: Date, expiresAt: Date
    ) {
        (self.digest, self.browserDigest, self.clientID) = (digest, browserDigest, clientID)
        (self.createdAt, self.expiresAt, progress) = (createdAt.storable, expiresAt.storable, Progress())
        switch purpose {
        case .authorization(let sent): parameters = sent.all
        case .device(let codeDigest): (parameters, progress.deviceCodeDigest) = ([:], codeDigest)
        }
    }
}

/// The login transactions that are under way.
package struct LoginTransactionStore: Sendable {
    let database: any SQLDatabase

    /// A browser that opens more loses the oldest.
    package static let mostPerBrowser = 10

    /// The transaction where this browser started it and its hour has not passed.
    package func find(digest: String, browserDigest: String, at now: Date) async throws -> LoginTransaction? {
        try await database.readOnce { try Self.find(digest: digest, browserDigest: browserDigest, at: now, in: $0) }
    }

    /// The transaction where this browser started it and its hour has not passed.
    package static func find(
        digest: String, browserDigest: String, at now: Date, in transaction: any SQLTransaction
    ) throws -> LoginTransaction? {
        try transaction.row(
            """
            SELECT * FROM login_transaction
            WHERE digest = \(digest) AND browser_digest = \(browserDigest) AND expires_at > \(now)
            """
        ).map(LoginTransaction.init)
    }

    /// Whether the transaction waits for its user, in whichever browser.
    package func isUnderWay(digest: String, at now: Date) async throws -> Bool {
        try await database.readOnce { transaction in
            try transaction.row(
                "SELECT digest FROM login_transaction WHERE digest = \(digest) AND expires_at > \(now)") != nil
        }
    }

    /// Waits until nobody else answers the transaction, and keeps others out until the database's transaction ends.
    package static func lock(digest: String, in transaction: any SQLTransaction) throws {
        try transaction.lock("SELECT digest FROM login_transaction WHERE digest = \(digest)")
    }

    /// Starts a transaction; of more than ``mostPerBrowser`` the browser loses the oldest.
    package static func insert(_ login: LoginTransaction, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO login_transaction (digest, browser_digest, client_id, parameters, progress, created_at,
                expires_at)
            VALUES (\(login.digest), \(login.browserDigest), \(login.clientID), \(JSON.text(login.parameters)),
                \(JSON.text(login.progress)), \(login.createdAt), \(login.expiresAt))
            """)
        try transaction.execute(
            """
            DELETE FROM login_transaction WHERE digest IN (
                SELECT digest FROM login_transaction
                WHERE browser_digest = \(login.browserDigest) AND digest <> \(login.digest)
                ORDER BY created_at DESC, digest LIMIT 100 OFFSET \(mostPerBrowser - 1))
            """)
    }

    /// Keeps what the user has answered.
    package static func update(
        _ progress: LoginTransaction.Progress, digest: String, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            "UPDATE login_transaction SET progress = \(JSON.text(progress)) WHERE digest = \(digest)")
    }

    /// Ends a transaction; whoever deletes the row may answer the request, and nobody else.
    /// - Returns: whether this call ended it.
    package static func delete(digest: String, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.changes("DELETE FROM login_transaction WHERE digest = \(digest)") == 1
    }
}

extension LoginTransaction {
    fileprivate init(_ row: SQLRow) throws {
        digest = try row.text("digest")
        browserDigest = try row.text("browser_digest")
        clientID = try row.text("client_id")
        parameters = try row.json("parameters")
        progress = try row.json("progress")
        createdAt = try row.date("created_at")
        expiresAt = try row.date("expires_at")
    }
}
