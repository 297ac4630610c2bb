import OAuth

/// The secrets of other providers in Auth0's free-form settings, such as the `client_secret` of a GitHub connection.
///
/// This version signs nobody in with them, and the database keeps no secret in the clear: they are left out and named.
package enum ForeignSecrets {
    /// In lower case and without `_` and `-`.
    private static let names: Set<String> = [
        "accesstoken", "apitoken", "authtoken", "bearertoken", "clientsecretjwt", "decryptionkey", "passphrase",
        "password", "refreshtoken", "secretaccesskey", "secretkey", "signingkey", "storageaccesskey", "twiliotoken",
    ]

    /// What names of secrets end in, such as `appSecret`.
    private static let endings = ["secret", "apikey", "privatekey"]

    /// What custom database scripts read, each member a secret.
    private static let scriptSettings = "configuration"

    /// Its members are ways to sign in, `password` among them, with settings of their own.
    private static let methods = "authentication_methods"

    /// The object without its secrets, and the paths of what was left out.
    package static func removed(from members: JSONObject, path: String) -> (members: JSONObject, paths: [String]) {
        removed(from: members, path: path, areMethods: false)
    }

    private static func removed(
        from members: JSONObject, path: String, areMethods: Bool
    ) -> (members: JSONObject, paths: [String]) {
        var (kept, paths): (JSONObject, [String]) = ([:], [])
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            let child = "\(path).\(name)"
            if !(areMethods && value.object != nil), isSecret(name, value) {
                paths.append(child)
            } else {
                let inner = removed(from: value, path: child, areMethods: name == methods)
                kept[name] = inner.value
                paths += inner.paths
            }
        }
        return (kept, paths)
    }

    private static func removed(
        from value: JSONValue, path: String, areMethods: Bool = false
    ) -> (value: JSONValue, paths: [String]) {
        switch value {
        case .object(let object):
            let inner = removed(from: object, path: path, areMethods: areMethods)
            return (.object(inner.members), inner.paths)
        case .array(let array):
            let inner = array.enumerated().map { removed(from: $0.element, path: "\(path)[\($0.offset)]") }
            return (.array(inner.map(\.value)), inner.flatMap(\.paths))
        default: return (value, [])
        }
    }

    private static func isSecret(_ name: String, _ value: JSONValue) -> Bool {
        switch value {
        // Whether something is on is no secret.
        case .null, .bool: return false
        case .array(let array) where array.isEmpty: return false
        case .object(let object) where object.isEmpty: return false
        case .object, .array: if name.lowercased() == scriptSettings { return true }
        default: break
        }
        let plain = plain(name)
        return names.contains(plain) || endings.contains { plain.hasSuffix($0) }
    }

    /// A name as the names of secrets are compared: `clientSecret` and `Client-Secret` are `client_secret`.
    package static func plain(_ name: String) -> String { name.lowercased().filter { $0 != "_" && $0 != "-" } }
}
