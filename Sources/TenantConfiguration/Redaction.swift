import OAuth

/// Keeps secrets out of what is written down.
package enum Redaction {
    /// As ``ForeignSecrets/plain(_:)`` has them. `refresh_token` is not among them: an application's is no secret but
    /// settings.
    private static let names: Set<String> = [
        "password", "passwordhash", "custompasswordhash", "secrets", "accesstoken", "refreshtokenvalue", "authtoken",
        "secretkey", "secretaccesskey", "httpauthorization",
    ]

    /// What names of secrets end in.
    private static let endings = ["secret", "apikey", "privatekey"]

    /// The object with a mark in the place of each secret.
    package static func redacted(_ members: JSONObject) -> JSONObject {
        JSONObject(
            uniqueKeysWithValues: members.map {
                ($0.key, isSecret($0.key, $0.value) ? "[REDACTED]" : redacted($0.value))
            })
    }

    private static func redacted(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let object): .object(redacted(object))
        case .array(let array): .array(array.map(redacted))
        default: value
        }
    }

    private static func isSecret(_ name: String, _ value: JSONValue) -> Bool {
        switch value {
        // Whether there is one is no secret.
        case .null, .bool: return false
        default: break
        }
        let plain = ForeignSecrets.plain(name)
        return names.contains(plain) || endings.contains { plain.hasSuffix($0) }
    }
}
