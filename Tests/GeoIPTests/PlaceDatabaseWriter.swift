import Foundation

/// Writes databases in MaxMind's format, version 2.0, as small as tests want them: one network of IPv4 each.
enum PlaceDatabaseWriter {
    /// What a database can say.
    indirect enum Value {
        case text(String)
        case double(Double)
        case number(UInt32)
        case short(UInt16)
        case long(UInt64)
        case list([Value])
        case map([(String, Value)])
    }

    /// A database that says `value` of every address whose first bits are those of `network`.
    static func database(_ network: [UInt8], bits: Int, _ value: Value) -> Data {
        // A node for each bit: one way leads on, and the other one to nothing.
        let count = bits
        var nodes = Data()
        for depth in 0..<count {
            let bit = network[depth / 8] >> (7 - depth % 8) & 1
            let next = UInt32(depth == count - 1 ? count + 16 : depth + 1)
            for side in [0, 1] as [UInt8] { nodes.append(contentsOf: bytes(side == bit ? next : UInt32(count), 3)) }
        }
        let metadata = Value.map([
            ("binary_format_major_version", .short(2)), ("binary_format_minor_version", .short(0)),
            ("build_epoch", .long(1_780_000_000)), ("database_type", .text("Test")),
            ("description", .map([("en", .text("A test's"))])), ("ip_version", .short(4)),
            ("languages", .list([.text("en")])), ("node_count", .number(UInt32(count))), ("record_size", .short(24)),
        ])
        return nodes + Data(repeating: 0, count: 16) + encoded(value)
            + Data([0xAB, 0xCD, 0xEF]) + Data("MaxMind.com".utf8) + encoded(metadata)
    }

    private static func bytes(_ number: UInt32, _ count: Int) -> [UInt8] {
        (0..<count).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * UInt32($0))) }
    }

    private static func encoded(_ value: Value) -> Data {
        switch value {
        case .text(let text): control(2, text.utf8.count) + Data(text.utf8)
        case .double(let number): control(3, 8) + withUnsafeBytes(of: number.bitPattern.bigEndian) { Data($0) }
        case .number(let number): control(6, 4) + Data(bytes(number, 4))
        case .short(let number): control(5, 2) + withUnsafeBytes(of: number.bigEndian) { Data($0) }
        case .long(let number): control(9, 8) + withUnsafeBytes(of: number.bigEndian) { Data($0) }
        case .list(let values): values.reduce(control(11, values.count)) { $0 + encoded($1) }
        case .map(let members):
            members.reduce(control(7, members.count)) { $0 + encoded(.text($1.0)) + encoded($1.1) }
        }
    }

    /// The kinds above 7 stand in a second byte.
    private static func control(_ kind: UInt8, _ size: Int) -> Data {
        let first = (kind > 7 ? 0 : kind << 5) | UInt8(min(size, 29))
        let extended: [UInt8] = kind > 7 ? [kind - 7] : []
        let rest: [UInt8] = size >= 29 ? [UInt8(size - 29)] : []
        return Data([first] + extended + rest)
    }
}
