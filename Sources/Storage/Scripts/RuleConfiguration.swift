import OAuth

/// A value that rules read as `configuration.KEY`. Whoever may set it cannot read it back.
package struct RuleConfiguration: Sendable, Hashable {
    package let key: String
    /// The value, sealed.
    package let sealedValue: String

    /// Bytes of a key and of a value at most.
    package static let longestKey = 127
    /// Bytes of a value at most.
    package static let longestValue = 4096

    package init(key: String, sealedValue: String) { (self.key, self.sealedValue) = (key, sealedValue) }

    /// Why a text cannot be a key; nil where it can.
    package static func problem(withKey key: String) -> String? {
        guard (1...longestKey).contains(key.utf8.count), key.wholeMatch(of: /[A-Za-z0-9_\-@*+:]+/) != nil else {
            return "may have letters, digits and any of _ - @ * + :, \(longestKey) at most"
        }
        return nil
    }
}

/// The values that the tenant's rules read.
package enum RuleConfigurationStore {
    /// Every value, in the order of the keys.
    package static func list(in transaction: any SQLTransaction) throws -> [RuleConfiguration] {
        try transaction.rows("SELECT * FROM rule_configuration ORDER BY config_key").map { row in
            RuleConfiguration(key: try row.text("config_key"), sealedValue: try row.text("sealed_value"))
        }
    }

    /// Inserts the value, or replaces the one with its key.
    package static func save(_ configuration: RuleConfiguration, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO rule_configuration (config_key, sealed_value)
            VALUES (\(configuration.key), \(configuration.sealedValue))
            ON CONFLICT (config_key) DO UPDATE SET sealed_value = excluded.sealed_value
            """)
    }

    /// Removes the value with this key.
    /// - Returns: whether there was one.
    package static func delete(_ key: String, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.changes("DELETE FROM rule_configuration WHERE config_key = \(key)") > 0
    }
}
