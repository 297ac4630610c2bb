/// Which IP addresses are the public internet's. Whoever can make the server ask a URL must not reach with it what only
/// the server reaches: its own machine, its network, its cloud's metadata.
enum PublicAddress {
    /// The networks of IANA's special-purpose registry for IPv4 that are not globally reachable, and multicast.
    private static let forbiddenV4: [(network: UInt32, prefix: UInt32)] = [
        (0x0000_0000, 8),  // this network
        (0x0A00_0000, 8),  // private
        (0x6440_0000, 10),  // shared by customers of a carrier (RFC 6598)
        (0x7F00_0000, 8),  // loopback
        (0xA9FE_0000, 16),  // link-local, and clouds' metadata
        (0xAC10_0000, 12),  // private
        (0xC000_0000, 24),  // protocol assignments
        (0xC000_0200, 24),  // documentation
        (0xC058_6300, 24),  // 6to4 relays
        (0xC0A8_0000, 16),  // private
        (0xC612_0000, 15),  // benchmarks
        (0xC633_6400, 24),  // documentation
        (0xCB00_7100, 24),  // documentation
        (0xE000_0000, 3),  // multicast, reserved, broadcast
    ]

    /// Whether `address`, 4 bytes or 16, is reachable by everybody, and so not through this server alone.
    static func contains(_ address: [UInt8]) -> Bool {
        switch address.count {
        case 4: isPublicV4(address[...])
        case 16: isPublicV6(address)
        default: false
        }
    }

    /// Whether `address` is this machine.
    static func isLoopback(_ address: [UInt8]) -> Bool {
        let plain = unmapped(address)
        return plain.count == 4 ? plain[0] == 127 : plain == Array(repeating: 0, count: 15) + [1]
    }

    /// The IPv4 address in an IPv4-mapped IPv6 one, or `address` itself.
    static func unmapped(_ address: [UInt8]) -> [UInt8] {
        address.count == 16 && address.starts(with: mapped) ? Array(address.suffix(4)) : address
    }

    private static let mapped: [UInt8] = Array(repeating: 0, count: 10) + [0xFF, 0xFF]
    /// 64:ff9b::/96, by which networks without IPv4 reach it (RFC 6052).
    private static let nat64: [UInt8] = [0, 0x64, 0xFF, 0x9B] + Array(repeating: 0, count: 8)

    private static func isPublicV4(_ address: ArraySlice<UInt8>) -> Bool {
        let number = address.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return !forbiddenV4.contains { (number ^ $0.network) >> (32 - $0.prefix) == 0 }
    }

    private static func isPublicV6(_ address: [UInt8]) -> Bool {
        if address.starts(with: mapped) || address.starts(with: nat64) { return isPublicV4(address.suffix(4)) }
        // Everything outside of 2000::/3 is loopback, unique local, link-local, site-local, multicast, IPv4-compatible,
        // local NAT64 or not assigned.
        guard address[0] & 0xE0 == 0x20 else { return false }
        let first = UInt16(address[0]) << 8 | UInt16(address[1])
        let second = UInt16(address[2]) << 8 | UInt16(address[3])
        switch first {
        // Teredo, ORCHID and other protocol assignments (2001::/23); documentation (2001:db8::/32).
        case 0x2001: return second > 0x01FF && second != 0x0DB8
        // 6to4 carries an IPv4 address, whose network it reaches.
        case 0x2002: return false
        // Documentation (3fff::/20).
        case 0x3FFF: return second > 0x0FFF
        default: return true
        }
    }
}
