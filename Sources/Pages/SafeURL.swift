/// The URLs that a page may hold, by what it does with them. Tenants and clients bring their own, and a
/// `javascript:` URL runs in this server's name.
enum SafeURL {
    /// `url` where it is a picture to show.
    static func image(_ url: String) -> String? {
        isPath(url) || hasScheme(url, ["https:", "data:image/"]) ? url : nil
    }

    /// `url` where it is a place to go to.
    static func link(_ url: String) -> String? {
        isPath(url) || hasScheme(url, ["https:", "http:", "mailto:"]) ? url : nil
    }

    /// `url` where a form may be sent to it: any scheme, as applications have their own, but those that run
    /// in this page. Browsers ignore control characters in a scheme, so a URL with any is refused.
    static func formAction(_ url: String) -> String? {
        guard !url.unicodeScalars.contains(where: { $0.value <= 0x20 || $0.value == 0x7F }) else { return nil }
        return hasScheme(url, ["javascript:", "data:", "vbscript:", "blob:", "about:"]) ? nil : url
    }

    /// What tells a user where `url` leads: its host or, where an application's own scheme has none, the scheme.
    static func place(_ url: String) -> String {
        let parts = url.split(separator: ":", maxSplits: 1)
        let rest = parts.count == 2 ? parts[1] : ""
        let host = rest.hasPrefix("//") ? rest.dropFirst(2).prefix { !"/?#".contains($0) } : ""
        return host.isEmpty ? "\(parts.first ?? ""):" : String(host)
    }

    /// A value as a query carries it.
    static func queryValue(_ value: String) -> String {
        var encoded = ""
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                encoded += byte < 16 ? "%0" : "%"
                encoded += String(byte, radix: 16, uppercase: true)
            }
        }
        return encoded
    }

    /// `//host` and `/\host` lead to another server.
    private static func isPath(_ url: String) -> Bool {
        let bytes = Array(url.utf8.prefix(2))
        guard bytes.first == UInt8(ascii: "/") else { return false }
        return url.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "\\") }
            && !(bytes.count == 2 && bytes[1] == UInt8(ascii: "/"))
    }

    private static func hasScheme(_ url: String, _ schemes: [String]) -> Bool {
        schemes.contains { scheme in
            url.utf8.count > scheme.utf8.count
                && zip(url.utf8, scheme.utf8).allSatisfy { byte, expected in lowercased(byte) == expected }
        }
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
