import Crypto
import Foundation
import Logging
import OAuth
import Storage

/// Where passwords are known from that others have lost.
package protocol BreachedPasswordSource: Sendable {
    /// The hashes of a range: what follows the first five digits, in upper case, of each SHA-1 that begins with them.
    /// - Throws: whatever keeps it from telling.
    func suffixes(of prefix: String) async throws -> Set<Substring>
}

/// Looks passwords up among those that others have lost. Nobody is told a password: a source sees five of the forty digits
/// of its SHA-1, which hundreds of passwords have (k-anonymity).
package struct BreachedPasswords: Sendable {
    private let source: (any BreachedPasswordSource)?
    private let logger: Logger

    package init(source: (any BreachedPasswordSource)?, logger: Logger) {
        (self.source, self.logger) = (source, logger)
    }

    /// Whether others have lost the password. Where the source does not tell, it counts as not lost: nobody is kept out for
    /// the failure of somebody else's server.
    package func contains(_ password: String) async -> Bool {
        if Self.isTest(password) { return true }
        guard let source else { return false }
        let hash = Insecure.SHA1.hash(data: Data(password.utf8)).map { String(format: "%02X", $0) }.joined()
        do {
            return try await source.suffixes(of: String(hash.prefix(5))).contains(hash.dropFirst(5))
        } catch is CancellationError {
            return false
        } catch {
            logger.error(
                "whether others have lost a password cannot be told, and it is taken for not lost",
                metadata: ["cause": "\(error)"])
            return false
        }
    }

    /// Auth0's own to try it with: they always count as lost.
    private static func isTest(_ password: String) -> Bool {
        password.hasPrefix("AUTH0-TEST-") || password == "Paaf213XXYYZZ"
    }

    /// The lines of a range, `SUFFIX:COUNT`; a count of 0 is padding.
    static func suffixes(_ lines: String) -> Set<Substring> {
        var suffixes: Set<Substring> = []
        for line in lines.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.first?.utf8.count == 35, parts.count == 1 || parts[1] != "0" else { continue }
            suffixes.insert(Substring(parts[0].uppercased()))
        }
        return suffixes
    }
}

extension Services {
    /// Whether a password that somebody chooses must be another one, because others have lost it. One that is only noted is a
    /// log event.
    /// - Parameter trail: whose password it is.
    func isRefused(
        _ password: String, at stage: BreachedPasswordDetection.Stage, _ trail: LogTrail
    ) async throws -> Bool {
        let shields = try await configuration.sections().breachedPasswords.shields(at: stage)
        guard !shields.isEmpty, await breachedPasswords.contains(password) else { return false }
        if shields.contains(.block) { return true }
        log(
            stage == .signup ? .breachedSignup : .breachedPasswordChange, trail,
            description: "Chose a password that is known from a data breach")
        return false
    }
}

/// A server that answers `GET …/range/21BD1` as Have I Been Pwned's does.
package struct BreachedPasswordAPI: BreachedPasswordSource {
    private let outbound: any OutboundHTTP
    private let address: String

    /// The answer is no range.
    package struct Refused: Error, CustomStringConvertible {
        package let status: Int
        package var description: String { "the server of breached passwords answered with \(status)" }
    }

    /// A range has some thousand lines of forty characters.
    private static let mostBytes = 1 << 20

    /// - Parameter address: what stands before the five digits, with a slash at its end.
    package init(outbound: any OutboundHTTP, address: String) { (self.outbound, self.address) = (outbound, address) }

    /// - Throws: ``OutboundFailure`` or ``Refused``.
    package func suffixes(of prefix: String) async throws -> Set<Substring> {
        let answer = try await outbound.send(
            OutboundRequest(.get, address + prefix, accept: "text/plain", mostBytes: Self.mostBytes))
        guard answer.status == 200 else { throw Refused(status: answer.status) }
        return BreachedPasswords.suffixes(String(decoding: answer.body, as: UTF8.self))
    }
}

/// A file of SHA-1 hashes in their order, a line each, as Have I Been Pwned's downloader makes it: `HASH` or `HASH:COUNT`.
/// Nothing of it is kept in memory.
package struct BreachedPasswordFile: BreachedPasswordSource {
    private let file: URL

    package init(file: URL) { self.file = file }

    /// Lines are this long at most.
    private static let longestLine = 64
    private static let piece = 1 << 15

    /// - Throws: an error of the file system.
    package func suffixes(of prefix: String) async throws -> Set<Substring> {
        let handle = try FileHandle(forReadingFrom: file)
        defer { try? handle.close() }
        var (low, high) = (UInt64(0), try handle.seekToEnd())
        // The last place whose next line is before the range, nearly: a piece behind it has the rest.
        while high - low > UInt64(Self.piece) {
            let middle = low + (high - low) / 2
            let line = try Self.line(after: middle, in: handle)
            if line.map({ $0.prefix(5).uppercased() < prefix }) ?? false { low = middle } else { high = middle }
        }
        return try Self.range(prefix, from: low, in: handle)
    }

    /// The first whole line after an offset.
    private static func line(after offset: UInt64, in handle: FileHandle) throws -> Substring? {
        try handle.seek(toOffset: offset)
        let text = String(decoding: try handle.read(upToCount: 2 * longestLine) ?? Data(), as: UTF8.self)
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        return lines.count > 1 ? lines[1] : nil
    }

    private static func range(_ prefix: String, from offset: UInt64, in handle: FileHandle) throws -> Set<Substring> {
        try handle.seek(toOffset: offset)
        var (found, rest): (Set<Substring>, String) = ([], "")
        while let data = try handle.read(upToCount: piece), !data.isEmpty {
            var lines = (rest + String(decoding: data, as: UTF8.self))
                .split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            rest = lines.popLast().map(String.init) ?? ""
            if add(lines, prefix, to: &found) { return found }
        }
        _ = add([Substring(rest)], prefix, to: &found)
        return found
    }

    /// - Returns: whether the lines have gone beyond the range.
    private static func add(_ lines: [Substring], _ prefix: String, to found: inout Set<Substring>) -> Bool {
        for line in lines {
            let hash = line.prefix { $0.isHexDigit }.uppercased()
            guard hash.utf8.count == 40 else { continue }
            if hash.hasPrefix(prefix) { found.insert(Substring(hash.dropFirst(5))) }
            if hash.prefix(5) > prefix { return true }
        }
        return false
    }
}
