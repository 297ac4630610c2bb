import OAuth
import Storage

/// What a connection's document has and has not, whoever writes it.
package enum ConnectionRules {
    /// A new database connection with Auth0's standard options.
    package static func completed(_ members: JSONObject) -> JSONObject {
        guard members["strategy"]?.string ?? Connection.databaseStrategy == Connection.databaseStrategy else {
            return members
        }
        var members = members
        let standard: JSONObject = ["passwordPolicy": "good", "brute_force_protection": true]
        members["options"] = .object((members["options"]?.object ?? [:]).merging(standard) { first, _ in first })
        return members
    }

    /// The members without the secrets of others, which this version does not use and so does not keep.
    package static func kept(_ members: JSONObject) -> JSONObject {
        var members = members
        if let options = members["options"]?.object {
            members["options"] = .object(ForeignSecrets.removed(from: options, path: "options").members)
        }
        return members
    }
}
