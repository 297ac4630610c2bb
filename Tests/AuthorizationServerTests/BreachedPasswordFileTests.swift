import Crypto
import Foundation
import Testing

@testable import AuthorizationServer

@Suite("Passwords that others have lost")
struct BreachedPasswordFileTests {
    private static func hash(_ text: String) -> String {
        Insecure.SHA1.hash(data: Data(text.utf8)).map { String(format: "%02X", $0) }.joined()
    }

    /// Runs `body` with what tells whether a password is in a file of this text.
    private static func run(_ text: String, _ body: ((String) async throws -> Bool) async throws -> Void) async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try Data(text.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let source = BreachedPasswordFile(file: file)
        try await body { password in
            let hash = hash(password)
            return try await source.suffixes(of: String(hash.prefix(5))).contains(hash.dropFirst(5))
        }
    }

    @Test(
        "A file of hashes in their order is looked into at the right place, with counts and without",
        arguments: [true, false])
    func file(hasCounts: Bool) async throws {
        // More than one piece, and the first and the last line.
        let hashes = (0..<3000).map { Self.hash("lost-\($0)") }.sorted()
        let lines = hashes.map { hasCounts ? "\($0):7" : $0 }.joined(separator: hasCounts ? "\r\n" : "\n")
        let ends = Set([hashes.first, hashes.last].compactMap(\.self))
        try await Self.run(lines) { contains in
            for number in 0..<3000 where ends.contains(Self.hash("lost-\(number)")) || number % 97 == 0 {
                let isThere = try await contains("lost-\(number)")
                #expect(isThere, "\(number)")
            }
            for number in 0..<50 {
                let isThere = try await contains("kept-\(number)")
                #expect(!isThere, "\(number)")
            }
        }
    }

    @Test("An empty file has none, and one that is gone says so")
    func nothing() async throws {
        try await Self.run("") { contains in
            let isThere = try await contains("anything")
            #expect(!isThere)
        }
        await #expect(throws: (any Error).self) {
            _ = try await BreachedPasswordFile(file: URL(filePath: "/nowhere/at-all")).suffixes(of: "00000")
        }
    }

    @Test("The lines of a range: a count of 0 is padding, and what is no suffix is none")
    func range() {
        let suffix = String(repeating: "a", count: 35)
        #expect(BreachedPasswords.suffixes("\(suffix):2\r\n") == [Substring(suffix.uppercased())])
        #expect(BreachedPasswords.suffixes("\(suffix):0\nshort:3\n<html>").isEmpty)
    }
}
