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

    /// Takes the secret for the old tenant out of `options.portico_import`: it is sealed and kept apart.
    /// - Returns: the secret, where the members have one.
    /// - Throws: ``Document/Problem`` where it is no text.
    package static func takeImportSecret(from members: inout JSONObject) throws(Document.Problem) -> String? {
        guard var options = members["options"]?.object, var settings = options[ImportSource.option]?.object else {
            return nil
        }
        var document = Document(settings, path: "options.\(ImportSource.option)")
        let secret = try document.string("client_secret", most: 1024)
        settings["client_secret"] = nil
        options[ImportSource.option] = .object(settings)
        members["options"] = .object(options)
        return secret
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
