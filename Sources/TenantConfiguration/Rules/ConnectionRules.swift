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

    /// Checks the custom database scripts: their names, which name files in an export, and that they are texts.
    /// - Throws: ``Document/Problem`` for the first that is not of letters, digits and `_`, or too long.
    package static func checkScripts(of members: JSONObject, path: String = "") throws(Document.Problem) {
        guard let scripts = members["options"]?.object?["customScripts"]?.object else { return }
        for (name, script) in scripts.sorted(by: { $0.key < $1.key }) where script != .null {
            guard let text = script.string, text.utf8.count <= 100 << 10 else {
                throw Document.Problem(
                    path: (path.isEmpty ? "" : path + ".") + "options.customScripts.\(name.forDisplay)",
                    message: "must be a script of 100 KB at most")
            }
        }
        for name in scripts.keys.sorted() where name.wholeMatch(of: /[A-Za-z0-9_]{1,64}/) == nil {
            throw Document.Problem(
                path: (path.isEmpty ? "" : path + ".") + "options.customScripts",
                message: "has a script named '\(name.forDisplay)'; names are letters, digits and _")
        }
    }

    /// The members without the secrets of others, which this version does not use and so does not keep.
    package static func kept(_ members: JSONObject) -> JSONObject {
        var members = members
        if let options = members["options"]?.object {
            members["options"] = .object(ForeignSecrets.removed(from: options, path: "options").members)
        }
        return members
    }

    /// Refuses a change by which the secret for the old tenant would be forgotten in silence: it is for the application of
    /// the tenant that it was given for, and is shown to no other.
    /// - Throws: ``Document/Problem``.
    package static func checkImportSecret(
        of connection: Connection, before: Connection, _ transaction: any SQLTransaction
    ) throws {
        guard connection.options[ImportSource.option] != nil, !connection.keepsImportSecret(of: before),
            try ConnectionStore.sealedImportSecrets(in: transaction)[before.name] != nil
        else { return }
        throw Document.Problem(
            path: "options.portico_import.client_secret",
            message: "is needed: the one that is kept is for another tenant or application; where the new one has "
                + "none, take portico_import out first")
    }
}
