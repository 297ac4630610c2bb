import Foundation
import OAuth

/// The tenant that the users of a database come from, and that is asked for a password as long as there is no hash of it
/// here: `options.portico_import` beside Auth0's `options.import_mode`.
package struct ImportSource: Sendable, Hashable {
    /// The old tenant's address, with a slash at its end.
    package let issuer: String
    /// The application there that asks, by the grant password-realm.
    package let clientID: String
    /// The connection there.
    package let realm: String
    /// Whether people may come who have an account there and none here.
    package let createsUsers: Bool

    /// The name of the settings in `options`.
    package static let option = "portico_import"

    /// The settings of a connection, whether or not it is in import mode; nil where it has none.
    /// - Throws: ``Document/Problem`` for settings that nobody could be asked by.
    package init?(connection: Connection, path: String = "connection") throws(Document.Problem) {
        var options = Document(connection.options, path: path.isEmpty ? "options" : path + ".options")
        guard var settings = try options.document(Self.option) else { return nil }
        let domain = try settings.requiredString("domain", most: 255)
        guard let issuer = Self.issuer(domain) else {
            throw settings.problem("domain", "must be a domain such as example.auth0.com, or its https:// address")
        }
        self.issuer = issuer
        clientID = try settings.requiredString("client_id", most: 255)
        realm = try settings.string("realm", most: 255) ?? connection.name
        createsUsers = try settings.bool("create_users", default: false)
        // It comes with the settings and is kept apart from them.
        _ = try settings.string("client_secret", most: 1024)
        _ = try settings.remaining(known: [])
    }

    private static func issuer(_ domain: String) -> String? {
        let url = URLComponents(string: domain.contains("://") ? domain : "https://" + domain)
        guard let url, ["https", "http"].contains(url.scheme), let host = url.host, !host.isEmpty, url.user == nil,
            url.password == nil, url.query == nil, url.fragment == nil, ["", "/"].contains(url.path)
        else { return nil }
        return "\(url.scheme ?? "https")://\(host)\(url.port.map { ":\($0)" } ?? "")/"
    }
}

extension Connection {
    /// Whom to ask for the passwords that there are no hashes of; nil where nobody.
    package var importSource: ImportSource? {
        guard isDatabase, options["import_mode"]?.bool == true else { return nil }
        return (try? ImportSource(connection: self)) ?? nil
    }

    /// Whether the secret for the old tenant is still for the same application of the same tenant.
    /// - Parameter before: the connection as it was.
    package func keepsImportSecret(of before: Connection) -> Bool {
        guard let (old, new) = try? (ImportSource(connection: before), ImportSource(connection: self)), let old, let new
        else { return false }
        return (old.issuer, old.clientID) == (new.issuer, new.clientID)
    }
}

extension ConnectionStore {
    /// The sealed secret of the application that asks the old tenant; nil where the connection has none.
    package func sealedImportSecret(of name: String) async throws -> String? {
        try await database.readOnce { transaction in
            try transaction.row("SELECT sealed_import_secret FROM connection WHERE name = \(name)")?
                .optionalText("sealed_import_secret")
        }
    }

    /// The sealed secrets of the connections that have one, by their names.
    package static func sealedImportSecrets(in transaction: any SQLTransaction) throws -> [String: String] {
        let rows = try transaction.rows(
            "SELECT name, sealed_import_secret FROM connection WHERE sealed_import_secret IS NOT NULL")
        return Dictionary(try rows.map { (try $0.text("name"), try $0.text("sealed_import_secret")) }) { $1 }
    }

    /// Keeps the secret of the application that asks the old tenant.
    package static func saveImportSecret(
        _ sealed: String, of name: String, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute("UPDATE connection SET sealed_import_secret = \(sealed) WHERE name = \(name)")
    }
}

/// How far the passwords of a database have come.
package struct PasswordCount: Sendable, Equatable {
    package let connection: String
    package let users: Int
    /// Users whose password has a hash here.
    package let withHash: Int
    /// Those of them whose hash is from the time that was asked for.
    package let recently: Int
}

extension UserStore {
    /// Counts the users of each connection, and the hashes of their passwords.
    /// - Parameter since: from when on a hash is a recent one.
    package func passwordCounts(since: Date) async throws -> [PasswordCount] {
        try await database.readOnce { transaction in
            try transaction.rows(
                """
                SELECT connection, COUNT(*) AS users, COUNT(user_password.user_id) AS hashes,
                    COUNT(CASE WHEN changed_at >= \(since) THEN 1 END) AS recent
                FROM user_account LEFT JOIN user_password ON user_password.user_id = user_account.user_id
                GROUP BY connection ORDER BY connection
                """
            ).map { row in
                PasswordCount(
                    connection: try row.text("connection"), users: try row.integer("users"),
                    withHash: try row.integer("hashes"), recently: try row.integer("recent"))
            }
        }
    }

    /// How many users come from a connection.
    package static func count(connection: String, in transaction: any SQLTransaction) throws -> Int {
        try transaction.row("SELECT COUNT(*) AS users FROM user_account WHERE connection = \(connection)")?
            .integer("users") ?? 0
    }

    /// Keeps the hash of a password that somebody else has verified, unless there is one meanwhile.
    package static func keepPasswordHash(
        _ hash: String, of userID: String, at now: Date, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO user_password (user_id, hash, changed_at) VALUES (\(userID), \(hash), \(now))
            ON CONFLICT (user_id) DO NOTHING
            """)
    }
}
