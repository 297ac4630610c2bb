import AuthorizationServer
import NIOCore
import OAuth

/// A URL that the server may ask, taken apart by hand: what is checked and what is sent are the same bytes, so no two
/// parsers can disagree about the host.
struct OutboundURL: Sendable, Equatable {
    let isSecure: Bool
    /// A name, or an IP address without brackets.
    let host: String
    /// Whether ``host`` is an IP address as it is usually written.
    let isAddress: Bool
    let port: Int
    /// Path and query, as they stand in the request line.
    let target: String

    private static let longest = 2048

    /// - Throws: ``OutboundFailure`` ``OutboundFailure/Kind/invalidURL`` for what is no https or http URL with a host, has
    ///   user info, a fragment or characters that no URL has.
    init(_ text: String) throws(OutboundFailure) {
        guard text.utf8.count <= Self.longest, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x5C }) else {
            throw Self.invalid(text, "is longer than \(Self.longest) characters or has some that no URL has")
        }
        guard let colon = text.firstRange(of: "://") else { throw Self.invalid(text, "is no absolute URL") }
        switch text[..<colon.lowerBound].lowercased() {
        case "https": isSecure = true
        case "http": isSecure = false
        default: throw Self.invalid(text, "is no https URL")
        }
        guard !text.contains("#") else { throw Self.invalid(text, "has a fragment, which is never sent") }
        let rest = text[colon.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.contains("@") else { throw Self.invalid(text, "has a user name or password") }
        let path = rest[authority.endIndex...]
        target = path.isEmpty ? "/" : path.hasPrefix("/") ? String(path) : "/\(path)"
        guard let (host, port) = Self.split(authority) else { throw Self.invalid(text, "has no valid host") }
        self.host = host.lowercased()
        self.port = port ?? (isSecure ? 443 : 80)
        isAddress = (try? SocketAddress(ipAddress: self.host, port: 0)) != nil
        guard isAddress || Self.isName(self.host) else { throw Self.invalid(text, "has no valid host") }
    }

    /// The `Host` header.
    var hostHeader: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }

    private static func split(_ authority: Substring) -> (String, Int?)? {
        let end: Substring.Index
        let host: Substring
        if authority.hasPrefix("[") {
            guard let bracket = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<bracket]
            guard host.contains(":") else { return nil }
            end = authority.index(after: bracket)
        } else {
            end = authority.firstIndex(of: ":") ?? authority.endIndex
            host = authority[..<end]
        }
        let port = authority[end...]
        if port.isEmpty { return (String(host), nil) }
        let digits = port.dropFirst()
        guard port.hasPrefix(":"), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int(digits), (1...65_535).contains(number)
        else { return nil }
        return (String(host), number)
    }

    /// Whether `host` is a DNS name. One that ends in a number is an address in a spelling (`127.1`, `0x7f000001`) that
    /// some read and some do not, and no name.
    private static func isName(_ host: String) -> Bool {
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        guard host.utf8.count <= 253, let last = labels.last,
            last.utf8.first.map({ !(0x30...0x39).contains($0) }) ?? false
        else { return false }
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.utf8.allSatisfy { byte in
                    (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x2D || byte == 0x5F
                }
        }
    }

    private static func invalid(_ text: String, _ problem: String) -> OutboundFailure {
        OutboundFailure(
            .invalidURL, "'\(text.forDisplay)' \(problem)",
            mend: "Give an absolute https URL without user name and fragment.")
    }
}
