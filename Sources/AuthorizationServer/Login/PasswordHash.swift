import CArgon2
import CBcrypt
import Foundation
import OAuth

/// A stored password hash in its own text form, whatever made it.
package enum PasswordHash {
    /// OWASP's parameters for Argon2id: 19 MiB, two passes, one lane.
    private static let memory: UInt32 = 19_456
    private static let passes: UInt32 = 2
    private static let lanes: UInt32 = 1
    private static let prefix = "$argon2id$v=19$m=\(memory),t=\(passes),p=\(lanes)$"

    /// A longer password is refused unread: hashing it would be work that anybody can order.
    package static let longestPassword = 1024

    /// The system could not hash: out of memory.
    package struct Failure: Error {}

    /// Takes about 30 ms of one core and 19 MiB.
    package static func make(_ password: String) throws -> String {
        let (bytes, salt) = (Array(password.utf8), RandomBytes.make(16))
        var encoded = [CChar](
            repeating: 0, count: argon2_encodedlen(passes, memory, lanes, 16, 32, Argon2_id))
        let status = argon2id_hash_encoded(
            passes, memory, lanes, bytes, bytes.count, salt, salt.count, 32, &encoded, encoded.count)
        guard status == ARGON2_OK.rawValue else { throw Failure() }
        return String(decoding: encoded.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// A hash of today's parameters that no known password made: checking against it takes as long as against a user's.
    static func unmatchable() -> String {
        let (salt, hash) = (RandomBytes.make(16), RandomBytes.make(32))
        return prefix
            + [salt, hash].map { Data($0).base64EncodedString().replacing("=", with: "") }.joined(separator: "$")
    }

    /// Whether `stored` is a hash that ``verify(_:against:)`` can check, Argon2id, Argon2i or bcrypt, at a cost that a login
    /// may have: whoever brings the hash decides what checking it takes.
    package static func isSupported(_ stored: String) -> Bool {
        if isBcrypt(stored) { return (4...14).contains(Int(stored.dropFirst(4).prefix(2)) ?? 0) }
        guard isArgon2(stored),
            let costs = stored.firstMatch(of: /\$m=([0-9]{1,7}),t=([0-9]{1,2}),p=([0-9]{1,2})\$/),
            let memory = Int(costs.1), let passes = Int(costs.2), let lanes = Int(costs.3)
        else { return false }
        return memory <= 262_144 && passes <= 16 && lanes <= 16
    }

    /// Whether `password` made `stored`; false for a hash of a kind that is not supported.
    package static func verify(_ password: String, against stored: String) -> Bool {
        guard password.utf8.count <= longestPassword else { return false }
        if isArgon2(stored) {
            let bytes = Array(password.utf8)
            let type = stored.hasPrefix("$argon2id$") ? Argon2_id : Argon2_i
            return argon2_verify(stored, bytes, bytes.count, type) == ARGON2_OK.rawValue
        }
        return isBcrypt(stored) && bcrypt(password, setting: stored).map { ConstantTime.equal($0, stored) } == true
    }

    /// A bcrypt hash, for scripts that keep some elsewhere.
    /// - Parameter rounds: the cost, 4 to 10.
    /// - Returns: nil for what bcrypt cannot hash.
    static func bcrypt(_ password: String, rounds: Int) -> String? {
        guard (4...10).contains(rounds), password.utf8.count <= longestPassword else { return nil }
        return bcrypt(password, setting: "$2b$\(rounds < 10 ? "0" : "")\(rounds)$\(RandomBytes.alphanumeric(22))")
    }

    /// Whether the next login should replace the hash with one of today's parameters.
    package static func needsUpgrade(_ stored: String) -> Bool { !stored.hasPrefix(prefix) }

    private static func isArgon2(_ stored: String) -> Bool {
        stored.hasPrefix("$argon2id$") || stored.hasPrefix("$argon2i$")
    }

    private static func isBcrypt(_ stored: String) -> Bool {
        ["$2a$", "$2b$", "$2y$"].contains { stored.hasPrefix($0) } && stored.utf8.count == 60
    }

    private static func bcrypt(_ password: String, setting: String) -> String? {
        // crypt reads a C string; what follows a NUL would not count.
        guard !password.utf8.contains(0) else { return nil }
        var data = crypt_data()
        return withUnsafeMutablePointer(to: &data) { pointer -> String? in
            guard let hash = crypt_rn(password, setting, pointer, Int32(MemoryLayout<crypt_data>.size)) else {
                return nil
            }
            return String(cString: hash)
        }
    }
}
