/// The modules that `require` finds.
package enum ScriptModules {
    /// In their order of names. Those of Node are there as `node:` and name, too.
    package static let available = node + packages

    /// Node's own.
    package static let node = [
        "assert", "buffer", "crypto", "events", "http", "https", "path", "querystring", "url", "util",
    ]

    /// What npm has under these names, as far as a login's scripts use it.
    package static let packages = [
        "@auth0/rule-utilities", "auth0", "axios", "bcrypt", "jsonwebtoken", "node-fetch", "request", "request-promise",
        "request-promise-native", "slack-notify", "uuid",
    ]

    /// Whether `require` finds `name`, which may end in a version (`axios@1.7.2`).
    package static func contains(_ name: String) -> Bool {
        if name.hasPrefix("node:") { return node.contains(String(name.dropFirst("node:".count))) }
        // A scope's own @ comes first.
        guard let at = name.dropFirst().firstIndex(of: "@") else { return available.contains(name) }
        return available.contains(String(name[..<at]))
    }
}
