import Foundation
import Testing

/// docs/conformance.md says which test proves what each module of the OpenID Foundation's suite checks.
@Suite("The table of conformance modules")
struct ConformanceTableTests {
    private struct Row {
        let line: Int
        let module, tests: String
    }

    private static func rows() throws -> [Row] {
        try Repository.file("docs/conformance.md").lines.enumerated().compactMap { index, line in
            guard let match = line.firstMatch(of: /^\| `([a-zA-Z0-9_-]+)` \| (.*) \|$/) else { return nil }
            return Row(line: index + 1, module: String(match.1), tests: String(match.2))
        }
    }

    /// Whether a title has the module's name, or the part of it (`-no-state`) that tells it from one beside it.
    private static func names(_ module: String, _ title: Substring) -> Bool {
        title.split { " ,;:()".contains($0) }.contains { word in
            word == module || word.count > 8 && word.hasPrefix("-") && module.contains(word)
        }
    }

    @Test("Every test that the table names exists, and its title names the module")
    func testsExist() throws {
        var texts: [String: String] = [:]
        for file in try Repository.files("Tests") { texts[file.stem] = file.text }
        let rows = try Self.rows()
        #expect(rows.count > 60)
        for row in rows {
            let names = row.tests.matches(of: /`(\w+)\.(\w+)`/)
            #expect(!names.isEmpty || row.tests.hasPrefix("not yet: "), "line \(row.line): \(row.module)")
            for name in names {
                let text = try #require(texts[String(name.1)], "line \(row.line): there is no file \(name.1)")
                let test = try Regex("@Test\\(\\s*\"([^\"]*)\"[^@]*?\\n    func \(name.2)\\(")
                let title = text.firstMatch(of: test)?.output[1].substring ?? ""
                #expect(Self.names(row.module, title), "line \(row.line): \(name.0) with \(row.module) in its title")
            }
        }
    }

    @Test("Every conformance test is in the table")
    func tableIsComplete() throws {
        let rows = try Self.rows()
        for file in try Repository.files("Tests/FlowTests/Conformance") {
            for match in file.text.matches(of: /@Test\(\s*"(oidcc-[a-zA-Z0-9_-]+)[^@]*?\n    func (\w+)\(/) {
                let isListed = rows.contains { row in
                    row.module == match.1 && row.tests.contains("`\(file.stem).\(match.2)`")
                }
                #expect(isListed, "\(file): \(match.1)")
            }
        }
    }
}
