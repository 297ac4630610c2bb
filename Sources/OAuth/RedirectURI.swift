/// The `redirect_uri` of a request without its fragment: well formed, not yet trusted.
///
/// It is kept as sent: nothing is decoded, folded or normalised, so that what is compared is what the browser gets.
package struct RedirectURI: Sendable, Hashable {
    package let text: String

    /// Drops the fragment (the tutorials: everything after the hash is removed).
    /// - Returns: nil for what cannot be an absolute URI that a browser may be sent to: no scheme, a dangerous scheme,
    ///   white space, control or non-ASCII characters, backslashes, a user part before the host, or with http and https
    ///   anything but a host and the digits of a port.
    package init?(_ sent: String) {
        let text = String(sent.prefix { $0 != "#" })
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\\") }),
            text.utf8.count <= 2048,
            let colon = text.firstIndex(of: ":"), Self.isAllowedScheme(text[..<colon])
        else { return nil }
        self.text = text
        if authority.contains("@") { return nil }
        if ["http", "https"].contains(scheme.lowercased()), !isHostAndPort { return nil }
    }

    /// Whether the authority is a host and, after a colon, the digits of a port; nothing may stand behind `[::1]`.
    private var isHostAndPort: Bool {
        let port = authority.dropFirst(host.utf8.count)
        return !host.isEmpty && authority.hasPrefix(host)
            && (port.isEmpty || port.first == ":" && port.count > 1 && port.dropFirst().allSatisfy(\.isNumber))
    }

    /// Schemes that run code or read files in the browser instead of leaving it.
    private static let dangerousSchemes: Set<String> = [
        "javascript", "data", "vbscript", "file", "blob", "about", "filesystem", "view-source", "ws", "wss", "ftp",
    ]

    private static func isAllowedScheme(_ scheme: Substring) -> Bool {
        guard let first = scheme.first, first.isASCII, first.isLetter,
            scheme.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) })
        else { return false }
        return !dangerousSchemes.contains(scheme.lowercased())
    }

    /// The scheme as sent.
    package var scheme: String { String(text.prefix { $0 != ":" }) }

    /// Host and port: what stands between `//` and the path.
    package var authority: String {
        let rest = text.dropFirst(scheme.utf8.count + 1)
        guard rest.hasPrefix("//") else { return "" }
        return String(rest.dropFirst(2).prefix { $0 != "/" && $0 != "?" })
    }

    /// The host without its port.
    package var host: String {
        let authority = authority
        if authority.hasPrefix("[") { return String(authority.prefix { $0 != "]" }) + "]" }
        return String(authority.prefix { $0 != ":" })
    }

    /// `scheme://host[:port]`.
    package var origin: String { "\(scheme)://\(authority)" }

    /// Everything after the authority.
    var afterAuthority: Substring { text.dropFirst(scheme.utf8.count + 3 + authority.utf8.count) }

    /// Whether the URI is on this machine, [RFC 8252 §7.3](https://www.rfc-editor.org/rfc/rfc8252#section-7.3).
    package var isLoopback: Bool {
        ["localhost", "127.0.0.1", "[::1]"].contains(host.lowercased())
    }

    /// Whether this server may be told to ask it: by https or, on this machine, http.
    package var isAskable: Bool { scheme == "https" || scheme == "http" && isLoopback }

    /// The URI with its query removed, for logout's comparison.
    package var withoutQuery: String { String(text.prefix { $0 != "?" }) }
}
