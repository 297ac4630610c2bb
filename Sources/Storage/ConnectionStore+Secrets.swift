import OAuth

/// The secrets of connections, such as the `client_secret` of a GitHub connection: a sealed JSON object of the members of
/// `options` that they are.
extension ConnectionStore {
    /// The sealed secrets of a connection; nil where it has none.
    package func sealedSecrets(of name: String) async throws -> String? {
        try await database.readOnce { transaction in
            try transaction.row("SELECT sealed_secrets FROM connection WHERE name = \(name)")?
                .optionalText("sealed_secrets")
        }
    }

    /// The sealed secrets of the connections that have any, by their names.
    package static func sealedSecrets(in transaction: any SQLTransaction) throws -> [String: String] {
        let rows = try transaction.rows(
            "SELECT name, sealed_secrets FROM connection WHERE sealed_secrets IS NOT NULL")
        return Dictionary(try rows.map { (try $0.text("name"), try $0.text("sealed_secrets")) }) { $1 }
    }

    /// Keeps a connection's secrets; nil removes them.
    package static func saveSecrets(
        _ sealed: String?, of name: String, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute("UPDATE connection SET sealed_secrets = \(sealed) WHERE name = \(name)")
    }
}
