import OAuth

/// Where users come from: Auth0's connection.
package struct Connection: Sendable, Hashable {
    /// `con_` and 16 letters and digits.
    package var id: String
    package var name: String
    /// `auth0` for a database of ours.
    package var strategy: String
    package var displayName: String?
    /// The `client_id`s of the applications whose users may come from here.
    package var enabledClients: Set<String> = []
    /// Whether the users of every third-party application may come from here, those that registered themselves included.
    package var isDomainConnection = false
    /// Other names by which a password grant may ask for it.
    package var realms: [String] = []
    /// What only the strategy understands.
    package var options: JSONObject = [:]
    /// Auth0's other fields, kept and given back.
    package var other: JSONObject = [:]

    package init(id: String, name: String, strategy: String) {
        (self.id, self.name, self.strategy) = (id, name, strategy)
    }

    /// The strategy of database connections.
    package static let databaseStrategy = "auth0"

    /// - Parameter standardID: the `id` of a document that has none.
    /// - Throws: ``Document/Problem`` for the first member that is unknown or has a wrong value.
    package init(document: Document, standardID: String) throws(Document.Problem) {
        var document = document
        id = try document.string("id", most: 255) ?? standardID
        name = try document.requiredString("name")
        guard name.utf8.count <= 128, name.first != "-", name.last != "-",
            name.utf8.allSatisfy({ $0 < 0x80 }), name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "-" })
        else { throw document.problem("name", "must be at most 128 letters, digits and single hyphens") }
        strategy = try document.string("strategy") ?? Self.databaseStrategy
        displayName = try document.string("display_name")
        enabledClients = Set(try document.strings("enabled_clients") ?? [])
        realms = try document.strings("realms") ?? []
        options = try document.object("options") ?? [:]
        isDomainConnection = try document.bool("is_domain_connection", default: false)
        other = try document.remaining(known: [
            "authentication", "connected_accounts", "metadata", "show_as_button",
        ])
        _ = try PasswordPolicy(connection: self, path: document.path)
        _ = try ImportSource(connection: self, path: document.path)
    }

    /// The connection as Auth0 writes it.
    package var document: JSONObject {
        var members = other
        members["id"] = .string(id)
        members["name"] = .string(name)
        members["strategy"] = .string(strategy)
        members["display_name"] = displayName.map(JSONValue.string)
        if isDomainConnection { members["is_domain_connection"] = true }
        members["enabled_clients"] = JSONValue(enabledClients.sorted())
        if !realms.isEmpty { members["realms"] = JSONValue(realms) }
        members["options"] = .object(options)
        return members
    }

    /// Whether the application's users may come from here.
    package func serves(_ client: Client) -> Bool {
        enabledClients.contains(client.clientID) || isDomainConnection && !client.isFirstParty
    }

    package var isDatabase: Bool { strategy == Self.databaseStrategy }

    /// The strategies with providers that anybody can have an account at: Auth0's `isSocial`.
    package static let socialStrategies: Set<String> = [
        "apple", "facebook", "github", "google-oauth2", "linkedin", "oauth2", "windowslive",
    ]

    /// What Auth0 calls the kind of the strategy: the `strategy_type` of log events.
    package var strategyType: String {
        if isDatabase { return "database" }
        if ["email", "sms"].contains(strategy) { return "passwordless" }
        return Self.socialStrategies.contains(strategy) ? "social" : "enterprise"
    }

    /// Whether strangers may sign up; not as long as people come over from an old tenant, for somebody could take their
    /// address before they do.
    package var allowsSignup: Bool { options["disable_signup"]?.bool != true && !takesUsersOver }
    /// Whether people may come who have an account at an old tenant and none here.
    package var takesUsersOver: Bool { importSource?.createsUsers == true }
    package var hasBruteForceProtection: Bool { options["brute_force_protection"]?.bool != false }
}

/// What a database connection asks of a password: Auth0's levels, each with all that the one before it asks.
package struct PasswordPolicy: Sendable, Hashable {
    /// How much is asked, from nothing on.
    package enum Level: String, Sendable, CaseIterable, Comparable {
        case none, low, fair, good, excellent

        package static func < (left: Level, right: Level) -> Bool {
            (Self.allCases.firstIndex(of: left) ?? 0) < (Self.allCases.firstIndex(of: right) ?? 0)
        }
    }

    package let level: Level
    package let minimumLength: Int

    package init(level: Level, minimumLength: Int? = nil) {
        self.level = level
        let standard =
            switch level {
            case .none: 1
            case .low: 6
            case .fair, .good: 8
            case .excellent: 10
            }
        self.minimumLength = minimumLength ?? standard
    }

    /// The policy in a connection's `options`; `good` where it names none.
    package init(connection: Connection, path: String = "connection") throws(Document.Problem) {
        var options = Document(connection.options, path: path.isEmpty ? "options" : path + ".options")
        let level = try options.oneOf("passwordPolicy", Level.self) ?? .good
        var complexity = try options.document("password_complexity_options")
        self.init(level: level, minimumLength: try complexity?.integer("min_length", in: 1...128))
    }
}

/// The connections of the tenant.
package struct ConnectionStore: Sendable {
    let database: any SQLDatabase

    /// The connection with this name, or nil where there is none.
    package func find(name: String) async throws -> Connection? {
        try await database.readOnce { try Self.find(name: name, in: $0) }
    }

    /// The connection with this name, or nil where there is none.
    package static func find(name: String, in transaction: any SQLTransaction) throws -> Connection? {
        try transaction.row("SELECT * FROM connection WHERE name = \(name)").map(Connection.init)
    }

    /// The connection with this id, or nil where there is none.
    package static func find(id: String, in transaction: any SQLTransaction) throws -> Connection? {
        try transaction.row("SELECT * FROM connection WHERE id = \(id)").map(Connection.init)
    }

    /// Every connection, in the order of the names.
    package func list() async throws -> [Connection] {
        try await database.readOnce { try Self.list(in: $0) }
    }

    /// Every connection, in the order of the names.
    package static func list(in transaction: any SQLTransaction) throws -> [Connection] {
        try transaction.rows("SELECT * FROM connection ORDER BY name").map(Connection.init)
    }

    /// Inserts the connection, or replaces the one with its name. The secret for the old tenant goes where the connection
    /// asks another tenant, or as another application, than before: nobody else may be sent it.
    package static func save(_ connection: Connection, in transaction: any SQLTransaction) throws {
        let before = try find(name: connection.name, in: transaction)
        try transaction.execute(
            """
            INSERT INTO connection (id, name, strategy, document)
            VALUES (\(connection.id), \(connection.name), \(connection.strategy), \(JSON.text(connection.document)))
            ON CONFLICT (name) DO UPDATE SET id = excluded.id, strategy = excluded.strategy,
                document = excluded.document
            """)
        if before.map({ connection.keepsImportSecret(of: $0) }) == false {
            try transaction.execute(
                "UPDATE connection SET sealed_import_secret = NULL WHERE name = \(connection.name)")
        }
        try TenantStore.configurationChanged(in: transaction)
    }

    /// Keeps a connection from being removed until the transaction ends, and so from getting a user whom its removal overlooks.
    /// - Returns: whether there still is one.
    package static func hold(id: String, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.lock("SELECT id FROM connection WHERE id = \(id)")
        return try transaction.row("SELECT id FROM connection WHERE id = \(id)") != nil
    }

    /// Removes the connection with this name, where there is one; its users stay.
    package static func delete(name: String, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM connection WHERE name = \(name)")
        try TenantStore.configurationChanged(in: transaction)
    }
}

extension Connection {
    fileprivate init(_ row: SQLRow) throws {
        try self.init(document: Document(row.json("document"), path: "connection"), standardID: row.text("id"))
    }
}
