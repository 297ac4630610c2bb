import Foundation
import Storage

/// A PostgreSQL server of the test run's own, started when the first test needs it, and gone with the process however
/// that ends: the server watches a pipe that closes then.
package final class TemporaryPostgres: Sendable {
    /// `postgres://…` without a schema.
    private let url: String
    /// Open for as long as the server is wanted.
    private let lifeline: Pipe

    private static let shared = Task { try TemporaryPostgres() }

    /// What the script said instead of an address.
    package struct NotStarted: Error, CustomStringConvertible {
        package let description: String
    }

    private init() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let (process, output) = (Process(), Pipe())
        lifeline = Pipe()
        process.executableURL = root.appending(path: "scripts/temporary-postgres")
        (process.standardInput, process.standardOutput) = (lifeline, output)
        try process.run()
        // The script's end of the pipe is its own; a copy here would keep the pipe open for ever.
        try lifeline.fileHandleForReading.close()
        var line = Data()
        while let byte = try output.fileHandleForReading.read(upToCount: 1), !byte.isEmpty, byte.first != 10 {
            line.append(byte)
        }
        url = String(decoding: line, as: UTF8.self)
        guard url.hasPrefix("postgres://") else {
            throw NotStarted(description: "scripts/temporary-postgres started no server; run it by hand to see why")
        }
    }

    /// An address in the run's server, of a schema that nobody else has.
    /// - Parameter parameters: further ones of the address, `name=value`.
    package static func newSchema(connections: Int = 4, parameters: [String] = []) async throws -> PostgresAddress {
        let schema = "test-" + UUID().uuidString.lowercased()
        let query = (["schema=\(schema)"] + parameters).joined(separator: "&")
        return try PostgresAddress("\(await url())?\(query)", connections: connections)
    }

    /// The address of the run's server, without a schema.
    package static func url() async throws -> String { try await shared.value.url }

    /// The port of the run's server on loopback.
    package static func port() async throws -> Int {
        try await Int(url().split(separator: ":").last?.prefix { $0 != "/" } ?? "") ?? 0
    }
}
