#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A range of IP addresses in CIDR notation, such as `10.0.0.0/8` or `::1`.
package struct AddressRange: Sendable, Hashable {
    /// As it was written.
    package let text: String
    private let network: [UInt8]
    private let prefix: Int

    /// nil for a text that is no address, or has a prefix longer than its address.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let bytes = IPAddress.bytes(String(parts[0])) else { return nil }
        let longest = bytes.count * 8
        guard let prefix = parts.count == 2 ? Int(parts[1]) : longest, (0...longest).contains(prefix) else {
            return nil
        }
        (self.text, network, self.prefix) = (text, bytes, prefix)
    }

    /// Whether `address`, 4 bytes or 16, is one of the range.
    package func contains(_ address: [UInt8]) -> Bool {
        guard address.count == network.count else { return false }
        for bit in 0..<prefix where (address[bit / 8] ^ network[bit / 8]) & (0x80 >> UInt8(bit % 8)) != 0 {
            return false
        }
        return true
    }
}

/// IP addresses as bytes: 4 for IPv4, 16 for IPv6; an IPv4 address inside an IPv6 one counts as the IPv4 address.
package enum IPAddress {
    /// nil for a text that is no address.
    package static func bytes(_ text: String) -> [UInt8]? {
        var v4 = [UInt8](repeating: 0, count: 4)
        if inet_pton(AF_INET, text, &v4) == 1 { return v4 }
        var v6 = [UInt8](repeating: 0, count: 16)
        guard inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
        let isMapped = v6.prefix(10).allSatisfy { $0 == 0 } && v6[10] == 0xFF && v6[11] == 0xFF
        return isMapped ? Array(v6.suffix(4)) : v6
    }

    /// The address as it is written.
    package static func text(_ bytes: [UInt8]) -> String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        guard inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// What one household or server has: the address itself, or the /64 network of an IPv6 address.
    package static func bucket(_ bytes: [UInt8]) -> String {
        bytes.count == 4
            ? bytes.map(String.init).joined(separator: ".")
            : bytes.prefix(8).map { String($0, radix: 16) }.joined(separator: ":") + "::/64"
    }
}
