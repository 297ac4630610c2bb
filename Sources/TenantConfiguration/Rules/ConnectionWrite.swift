import AuthorizationServer
import OAuth
import Storage

/// A connection as it will be written, with the secrets of its options, which are kept apart from it and sealed.
package struct ConnectionWrite: Sendable {
    package let connection: Connection
    /// The secrets as they will be.
    package let secrets: JSONObject
    /// The secrets as they are.
    package let presentSecrets: JSONObject

    /// Takes the secrets out of `options`: what the connection's strategy says are some, and what the scripts of a custom
    /// database read.
    /// - Returns: the secrets; one that is to go is null.
    package static func takeSecrets(from members: inout JSONObject, _ strategies: ConnectionStrategies) -> JSONObject {
        if members["strategy"]?.string ?? Connection.databaseStrategy == Connection.databaseStrategy {
            guard var options = members["options"]?.object,
                let configuration = options.removeValue(forKey: CustomDatabase.configuration)
            else { return [:] }
            members["options"] = .object(options)
            return [CustomDatabase.configuration: configuration]
        }
        guard let strategy = members["strategy"]?.string.flatMap({ strategies[$0] }),
            var options = members["options"]?.object
        else { return [:] }
        let secrets = options.filter { strategy.secretOptions.contains($0.key) }
        for name in secrets.keys { options[name] = nil }
        members["options"] = .object(options)
        return secrets.mapValues { $0 == "" ? .null : $0 }
    }

    /// - Parameters:
    ///   - new: the secrets that the change brings; those that it does not name stay, as long as they go to the same provider.
    ///   - before: the connection as it is; nil for a new one.
    ///   - sealed: its sealed secrets.
    /// - Throws: ``Document/Problem`` for options that nobody could sign in with, and ``SecretBox/CannotOpen``.
    package init(
        _ connection: Connection, secrets new: JSONObject, replacing before: Connection?, sealed: String?,
        _ strategies: ConnectionStrategies, box: SecretBox, path: String
    ) throws {
        presentSecrets = try sealed.map { try JSON.decode(JSONObject.self, from: box.open($0)) } ?? [:]
        if connection.isDatabase {
            let configuration = try Self.configuration(
                new[CustomDatabase.configuration], present: presentSecrets, path: path)
            secrets = configuration.isEmpty ? [:] : [CustomDatabase.configuration: .object(configuration)]
            self.connection = connection
            return
        }
        let strategy = strategies[connection.strategy]
        let staysThere = strategy?.secretRecipients.allSatisfy { name in
            before?.options[name] == connection.options[name]
        }
        let kept = staysThere == true ? presentSecrets : [:]
        secrets = kept.merging(new) { $1 }.filter { $0.value != .null }
        self.connection = connection
        try strategies.check(connection, secrets: secrets, path: path)
    }

    /// What the scripts of a custom database will read. Nobody can read the values back, so those that the change does not
    /// name stay, and null takes one away; in place of the object it takes all away.
    /// - Throws: ``Document/Problem`` for what is no text.
    private static func configuration(
        _ new: JSONValue?, present: JSONObject, path: String
    ) throws(Document.Problem) -> JSONObject {
        let present = present[CustomDatabase.configuration]?.object ?? [:]
        let path = (path.isEmpty ? "" : path + ".") + "options.\(CustomDatabase.configuration)"
        guard let new else { return present }
        guard new != .null else { return [:] }
        guard let values = new.object else { throw Document.Problem(path: path, message: "must be an object") }
        for (name, value) in values.sorted(by: { $0.key < $1.key }) where value != .null {
            guard let text = value.string, text.utf8.count <= 16 << 10, !text.utf8.contains(0), name != "__proto__",
                (1...128).contains(name.utf8.count)
            else {
                throw Document.Problem(
                    path: "\(path).\(name.forDisplay)", message: "must be a text of 16 KB at most")
            }
            // Auth0 shows these, and they are worth nothing anywhere else.
            guard text.wholeMatch(of: /2\.0\$[0-9a-f]+\$[0-9a-f]+\$[0-9a-f]+/) == nil else {
                throw Document.Problem(
                    path: "\(path).\(name.forDisplay)", message: "is encrypted by Auth0; give the value itself")
            }
        }
        return present.merging(values) { $1 }.filter { $0.value != .null }
    }

    /// What is written where the secrets change; nil inside where none are left, nil where they stay.
    private func sealed(_ box: SecretBox) throws -> String?? {
        guard secrets != presentSecrets else { return nil }
        return .some(secrets.isEmpty ? nil : try box.seal(JSON.text(secrets)))
    }

    /// What saves the connection; sealing is done before, as it differs each time.
    package func saving(_ box: SecretBox) throws -> @Sendable (any SQLTransaction) throws -> Void {
        let sealed = try sealed(box)
        return { [connection] transaction in
            try ConnectionStore.save(connection, in: transaction)
            if case .some(let secrets) = sealed {
                try ConnectionStore.saveSecrets(secrets, of: connection.name, in: transaction)
            }
        }
    }

    /// The names of the secrets that change, with whether they were and will be there.
    package var changedSecrets: [(name: String, wasThere: Bool, isThere: Bool)] {
        Set(secrets.keys).union(presentSecrets.keys).sorted().compactMap { name in
            guard secrets[name] != presentSecrets[name] else { return nil }
            return (name, presentSecrets[name] != nil, secrets[name] != nil)
        }
    }
}

extension ConnectionRules {
    /// Auth0's strategies: those that the server has not are kept, and nobody signs in with them.
    package static let auth0Strategies: Set<String> = [
        "ad", "adfs", "amazon", "aol", "apple", "auth0", "auth0-oidc", "baidu", "bitbucket", "bitly", "box", "custom",
        "daccount", "dropbox", "dwolla", "email", "evernote", "evernote-sandbox", "exact", "facebook", "fitbit",
        "github",
        "google-apps", "google-oauth2", "instagram", "ip", "line", "linkedin", "oauth1", "oauth2", "office365", "oidc",
        "okta", "paypal", "paypal-sandbox", "pingfederate", "planningcenter", "salesforce", "salesforce-community",
        "salesforce-sandbox", "samlp", "sharepoint", "shop", "shopify", "sms", "soundcloud", "thirtysevensignals",
        "twitter", "untappd", "vkontakte", "waad", "weibo", "windowslive", "wordpress", "yahoo", "yandex",
    ]
}
