import Foundation
import Testing

@testable import TenantConfiguration

@Suite("Files packed with gzip are read as they are")
struct GunzipTests {
    /// 60 users, a line each, as gzip packs them: with codes of their own and references to what was before.
    private static let users = """
        H4sIAAAAAAACA43Wy0oDQRBG4b1PEXotMnXLxZVvIoMOGMigqIFA9N0lW09D/9tuzqo/quvazl/L5/PxtT1u2nz+fp\
        t+pna/acs6H0+3s9v19LRc5vXjtDy8vK/t9+7KyBDZOHJEPo4CUYyjRJTjqBDVONoi2o6jHaLdONoj2o+jA6KD8Lgk\
        YYqJDgpBhZGFCS6MMEyQYaRhgg0jDhN0GHmY4MMIxAQhRiImGDEiMUGJU4kLSpxKXJkdneEhKHEqcUGJU4kLSpxKXF\
        DiVOKCEqcSF5Q4lbigxKnEBSVBJSEoCSoJQUlQSSh/TOeTEZQElYSgJKgkBCVBJSEoCSoJQUlQSQhKgkpCUJJUkoKS\
        pJIUlCSVpKAkqSSVXaSzjAhKkkpSUJJUkoKSpJIUlCSVpKAkqSQFJUUlJSgpKilBSVFJCUqKSkpQUlRSys7aWVoFJU\
        UlJSgpKilBSVFJCUqKSuq/kj8BM4mf0AwAAA==
        """
    /// A line in a block with the fixed codes.
    private static let short = """
        H4sIAAAAAAACA6tWSlSyMqzlAgBGo+h0CAAAAA==
        """
    /// A line in a block that is not packed.
    private static let stored = """
        H4sIAAAAAAAEAwEIAPf/eyJiIjoyfQqxbzrwCAAAAA==
        """

    private func unpack(_ packed: Data) throws -> String {
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try packed.write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let gunzip = Gunzip(handle: try FileHandle(forReadingFrom: file))
        var bytes: [UInt8] = []
        while true {
            let piece = try gunzip.next()
            if piece.isEmpty { return String(decoding: bytes, as: UTF8.self) }
            bytes += piece
        }
    }

    private func data(_ text: String) throws -> Data { try #require(Data(base64Encoded: text)) }

    @Test("RFC 1951: every kind of block, and several files one after the other")
    func blocks() throws {
        let lines = (0..<60).map { "{\"user_id\": \"auth0|\($0)\", \"email\": \"user\($0)@example.com\"}\n" }
        #expect(try unpack(data(Self.users)) == lines.joined())
        #expect(try unpack(data(Self.short)) == "{\"a\":1}\n")
        #expect(try unpack(data(Self.stored)) == "{\"b\":2}\n")
        #expect(try unpack(data(Self.short) + data(Self.stored)) == "{\"a\":1}\n{\"b\":2}\n")
    }

    @Test("RFC 1952: a file that is cut off or damaged is refused, wherever it is")
    func damaged() throws {
        let packed = try data(Self.users)
        for length in stride(from: 3, to: packed.count, by: 17) {
            #expect(throws: Gunzip.Damaged.self) { try unpack(packed.prefix(length)) }
        }
        for place in stride(from: 12, to: packed.count, by: 23) {
            var other = packed
            other[place] ^= 0x55
            #expect(throws: Gunzip.Damaged.self) { try unpack(other) }
        }
    }

    @Test("An import reads users from a packed file")
    func users() async throws {
        try await Tenant.run { tenant in
            try await tenant.apply("databases: [{name: Users}]")
            let file = tenant.folder.appending(path: "users.ndjson.gz")
            try data(Self.users).write(to: file)
            let report = try await UserImport(stores: tenant.stores, connection: "Users").run(file: file, upsert: false)
            #expect(report.inserted == 60 && report.rejected.isEmpty, "\(report.text)")
        }
    }
}
