import Foundation
import OAuth
import Storage
import TenantConfiguration
import Testing

@Suite("Importing many users")
struct LargeImportTests {
    /// The reader takes this many bytes of the file at a time.
    private static let chunk = 1 << 16

    @Test("A chunk's border may fall anywhere: in texts, escapes, UTF-8 and between users")
    func borders() async throws {
        let rows = [
            #"{"email": "a@example.com", "name": "\"\\{é😀}[\u00e9]", "user_metadata": {"a": ["}", {"b": "]"}]}}"#,
            #"{"email": "b@example.com", "name": "é\\"}"#,
        ]
        let text = "[" + rows.joined(separator: ", ") + "]"
        let bytes = text.utf8.count
        try await Tenant.run { tenant in
            for shift in 0..<bytes {
                // The white space moves the border through the text, byte by byte.
                let padding = String(repeating: " ", count: Self.chunk - shift)
                let report = try await UserImportTests.run(padding + text, in: tenant, upsert: true)
                #expect(report.rejected.isEmpty && report.inserted + report.updated == 2, "\(shift): \(report.text)")
                let name = try await UserImportTests.user("a@example.com", in: tenant)?.user.profile["name"]
                #expect(name == "\"\\{é😀}[é]")
            }
        }
    }

    @Test("Five thousand users are taken in batches; the progress grows to exactly 1")
    func fiveThousand() async throws {
        try await Tenant.run { tenant in
            let rows = (0..<5000).map { index in
                index == 2500
                    ? #"{"email": "broken"}"#
                    : #"{"email": "user\#(index)@example.com", "user_id": "\#(index)", "name": "User"}"#
            }
            let text = "[\n" + rows.joined(separator: ",\n") + "\n]" + String(repeating: "\n", count: 2 * Self.chunk)
            var seen: [UserImport.Progress] = []
            let report = try await UserImportTests.run(text, in: tenant) { seen.append($0) }
            #expect((report.inserted, report.rejected.map(\.index)) == (4999, [2501]))
            #expect(try await tenant.stores.users.list(limit: 6000).count == 4999)
            #expect(seen.last?.processed == 5000)
            #expect(seen.last?.fraction == 1)
            #expect(
                zip(seen, seen.dropFirst()).allSatisfy { $0.fraction <= $1.fraction && $0.processed <= $1.processed })
            #expect(seen.contains { $0.fraction > 0 && $0.fraction < 1 })

            let again = try await UserImportTests.run(text, in: tenant, upsert: true)
            #expect((again.inserted, again.updated) == (0, 4999))
        }
    }

    @Test(
        "An empty file, array or line has no users, and its progress is 1", arguments: ["", "[]", "\n\n", "\u{FEFF}"])
    func empty(text: String) async throws {
        try await Tenant.run { tenant in
            var fractions: [Double] = []
            let report = try await UserImportTests.run(text, in: tenant) { fractions.append($0.fraction) }
            #expect(report.text == "0 inserted, 0 updated, 0 rejected.")
            #expect(fractions == [1])
        }
    }

    @Test("What a file rejects is told in the order of its rows, though batches are written later")
    func order() async throws {
        try await Tenant.run { tenant in
            let report = try await UserImportTests.run(
                """
                {"email": "a@example.com"}
                {"email": "a@example.com"}
                {"email": "broken"}
                {"email": "a@example.com"}
                """, in: tenant)
            #expect(report.rejected.map(\.index) == [2, 3, 4])
        }
    }
}
