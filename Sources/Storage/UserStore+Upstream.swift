import Foundation
import OAuth

extension UserStore {
    /// An account at another provider, and the user who signs in with it.
    package struct UpstreamAccount: Sendable {
        /// The account's own row.
        package let identity: User
        /// The user whose identity it is; the account itself where it is nobody else's.
        package let user: User
    }

    /// Who signs in with an account at another provider; nil where nobody has yet.
    /// - Parameter id: the account's id with provider, such as `github|583231`.
    package static func upstreamAccount(_ id: String, in transaction: any SQLTransaction) throws -> UpstreamAccount? {
        guard let row = try transaction.row("SELECT * FROM user_account WHERE user_id = \(id)") else { return nil }
        let identity = try User(row)
        guard let primaryID = row.optionalText("primary_user_id") else {
            return UpstreamAccount(identity: identity, user: identity)
        }
        return try find(primaryID, in: transaction).map { UpstreamAccount(identity: identity, user: $0) }
    }

    /// Brings an account to what its provider says of it, and nothing else: metadata and block stay.
    package static func updateUpstream(_ account: User, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            UPDATE user_account SET email = \(account.email), email_verified = \(account.isEmailVerified),
                profile = \(JSON.text(account.profile)), updated_at = \(account.updatedAt)
            WHERE user_id = \(account.id)
            """)
        guard let row = try transaction.row("SELECT * FROM user_account WHERE user_id = \(account.id)") else { return }
        try UserTerm.replace(User(row), of: account.id, in: transaction)
    }

    /// Keeps the tokens that a provider gave with an account, sealed; they replace those of the last login.
    package static func saveUpstreamTokens(
        _ sealed: String, of id: String, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO upstream_token (user_id, sealed_tokens) VALUES (\(id), \(sealed))
            ON CONFLICT (user_id) DO UPDATE SET sealed_tokens = excluded.sealed_tokens
            """)
    }

    /// The sealed tokens that providers gave, by the ids of the accounts.
    package static func upstreamTokens(
        of ids: [String], in transaction: any SQLTransaction
    ) throws -> [String: String] {
        guard !ids.isEmpty else { return [:] }
        let rows = try transaction.rows(
            "SELECT * FROM upstream_token WHERE user_id IN (\(values: ids.map(\.sqlValue)))")
        return Dictionary(try rows.map { (try $0.text("user_id"), try $0.text("sealed_tokens")) }) { $1 }
    }
}
