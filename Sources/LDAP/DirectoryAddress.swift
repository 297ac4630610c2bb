/// Where a directory answers: an LDAP URL of a host and a port, and how the connection is protected.
package struct DirectoryAddress: Sendable, Hashable {
    /// How passwords travel.
    package enum Protection: Sendable, Hashable {
        /// TLS from the first byte, `ldaps`.
        case tls
        /// TLS before the first password, RFC 4513 §3.
        case startTLS
        /// None: whoever listens reads the passwords.
        case none
    }

    /// `ldap://host:port` or `ldaps://host:port`, as libldap takes it.
    package let url: String
    package let protection: Protection

    /// What is wrong with an address.
    package struct Problem: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// - Parameters:
    ///   - url: one URL without a path, a search and a user.
    ///   - startsTLS: whether an `ldap` connection is protected before it is used.
    /// - Throws: ``Problem`` that says what is expected.
    package init(url: String, startsTLS: Bool) throws(Problem) {
        let form = /(?<scheme>ldaps?):\/\/(?<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?<port>[0-9]{1,5}))?\/?/
        guard let match = try? form.ignoresCase().wholeMatch(in: url) else {
            throw Problem(
                description: "must be ldaps://host or ldap://host, with a :port where it is not the usual one")
        }
        if let port = match.port, !(1...65_535).contains(Int(port) ?? 0) {
            throw Problem(description: "has a port that does not exist; ports are 1 to 65535")
        }
        let scheme = match.scheme.lowercased()
        self.url = "\(scheme)://\(match.host)" + (match.port.map { ":\($0)" } ?? "")
        protection = scheme == "ldaps" ? .tls : startsTLS ? .startTLS : .none
    }
}
