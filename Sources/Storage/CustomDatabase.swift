import OAuth

/// The scripts by which a database connection asks a user database that somebody else has: Auth0's
/// `options.enabledDatabaseCustomization` with `options.customScripts`.
package struct CustomDatabase: Sendable, Hashable {
    /// What a script does, by its name in `customScripts`.
    package enum Script: String, Sendable, CaseIterable {
        case login
        case getUser = "get_user"
        case create, verify
        case changePassword = "change_password"
        case changeEmail = "change_email"
        case changeUsername = "change_username"
        case delete
    }

    /// The member of `options` with the scripts.
    package static let option = "customScripts"
    /// The member of `options` with what the scripts read as `configuration`; it is a secret.
    package static let configuration = "configuration"

    private let sources: [String: String]
    /// Whether users come over one by one, with their passwords: Auth0's `import_mode`. Otherwise the other database has
    /// them, and their passwords, for good.
    package let imports: Bool
    /// Whether scripts get a `context` before their callback, whatever they declare: Auth0's `enable_script_context`.
    package let usesContext: Bool

    /// - Returns: nil where the connection has no such scripts, or does not use them.
    package init?(connection: Connection) {
        guard connection.isDatabase, connection.options["enabledDatabaseCustomization"]?.bool == true,
            let scripts = connection.options[Self.option]?.object
        else { return nil }
        sources = scripts.compactMapValues { $0.string.flatMap { $0.isEmpty ? nil : $0 } }
        guard !sources.isEmpty else { return nil }
        imports = connection.options["import_mode"]?.bool == true
        usesContext = connection.options["enable_script_context"]?.bool == true
    }

    /// The source of a script; nil where there is none.
    package func source(of script: Script) -> String? { sources[script.rawValue] }

    /// The scripts that there are, in their order.
    package var scripts: [Script] { Script.allCases.filter { sources[$0.rawValue] != nil } }
}

extension Connection {
    /// The scripts of the database that has the connection's users and their passwords; nil where this server has them.
    package var externalDatabase: CustomDatabase? {
        CustomDatabase(connection: self).flatMap { $0.imports ? nil : $0 }
    }

    /// The scripts of the database that users come over from; nil where there is none, or where an old tenant is asked
    /// instead (``importSource``).
    package var importingDatabase: CustomDatabase? {
        guard importSource == nil else { return nil }
        return CustomDatabase(connection: self).flatMap { $0.imports ? $0 : nil }
    }
}
