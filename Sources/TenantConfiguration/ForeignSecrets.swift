import OAuth

/// The secrets of other providers in Auth0's free-form settings, such as the `client_secret` of a GitHub connection.
///
/// This version signs nobody in with them, and the database keeps no secret in the clear: they are left out and named.
package enum ForeignSecrets {
    private static let names: Set<String> = [
        "client_secret", "clientSecret", "app_secret", "consumer_secret", "consumerSecret", "api_key", "apiKey",
        "api_secret", "private_key", "privateKey", "password", "secret", "secret_key", "secretKey", "secretAccessKey",
        "access_token", "refresh_token", "auth_token", "twilio_token", "signing_secret", "signing_key", "signingKey",
        "decryptionKey", "client_secret_jwt", "storageAccessKey",
    ]

    /// What custom database scripts read, each member a secret.
    private static let secretObjects: Set<String> = ["configuration", "decryptionKey", "signing_key", "signingKey"]

    /// The object without its secrets, and the paths of what was left out.
    package static func removed(from members: JSONObject, path: String) -> (members: JSONObject, paths: [String]) {
        var (kept, paths): (JSONObject, [String]) = ([:], [])
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            let child = "\(path).\(name)"
            switch value {
            case .string where names.contains(name): paths.append(child)
            case .object(let object):
                if secretObjects.contains(name), !object.isEmpty {
                    paths.append(child)
                } else {
                    let inner = removed(from: object, path: child)
                    kept[name] = .object(inner.members)
                    paths += inner.paths
                }
            default: kept[name] = value
            }
        }
        return (kept, paths)
    }
}
