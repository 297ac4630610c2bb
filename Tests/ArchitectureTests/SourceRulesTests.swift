import Foundation
import Testing

@Suite("Rules of the sources")
struct SourceRulesTests {
    @Test("No file has more than 400 lines")
    func length() throws {
        for file in try Repository.files("Sources") + Repository.files("Tests") + Repository.files("examples") {
            #expect(file.lines.count <= 400, "\(file) has \(file.lines.count) lines")
        }
    }

    @Test("Nothing traps on what the world sends: no force, no fatalError")
    func force() throws {
        for file in try Repository.files("Sources") + Repository.files("examples") {
            for (number, line) in file.code.enumerated() {
                #expect(!Self.forces(line), "\(file):\(number + 1): \(file.lines[number])")
            }
        }
    }

    /// Whether a line of code traps where a value is absent: `try!`, `as!`, a `!` behind a value or a type.
    private static func forces(_ line: Substring) -> Bool {
        line.contains(/[\w)\]}>?]!(?!=)/) || line.contains(/fatalError\(|nonisolated\(unsafe\)/)
    }

    @Test(
        "The rule sees what forces, and only that",
        arguments: [
            ("try! f()", true), ("x as! Int", true), ("a!.b", true), ("a()!", true), ("a[0]!", true),
            ("var a: Int!", true),
            ("a!\t", true), ("f(a!, b)", true), ("fatalError()", true), ("a != b", false), ("!a", false),
            ("a && !b", false),
            ("if !a {", false), ("(!a)", false), ("a !== b", false), ("[!a]", false), ("a ? !b : c", false),
        ])
    func rule(line: String, expected: Bool) {
        #expect(Self.forces(line[...]) == expected)
    }

    @Test("What the compiler cannot prove about concurrency a comment proves")
    func unchecked() throws {
        for file in try Repository.files("Sources") + Repository.files("examples") {
            for (number, line) in file.code.enumerated() where line.contains("@unchecked Sendable") {
                let proof = file.lines[..<number].reversed().prefix { $0.trimmedStart.hasPrefix("//") }
                #expect(proof.contains { $0.contains("@unchecked Sendable") }, "\(file):\(number + 1)")
            }
        }
    }

    /// Functions that a protocol asks for: its own comment says what they do.
    private static let witnesses: Set<String> = [
        "appendInterpolation", "appendLiteral", "close", "configurationChanges", "content", "encode", "hash", "read",
        "readOnce", "redeem", "run", "send", "write",
        "==", "<",
    ]

    @Test("Every package type and function says what it is")
    func documentation() throws {
        let declaration =
            /^\s*package (?:\w+ )*?(?:(?:struct|enum|class|protocol|actor|typealias) (\w+)|func (\w+|[<=]+))/
        for file in try Repository.files("Sources") {
            let (lines, code) = (file.lines, file.code)
            for (number, line) in code.enumerated() {
                guard let match = line.firstMatch(of: declaration) else { continue }
                let name = String(match.1 ?? match.2 ?? "")
                guard match.1 != nil || !Self.witnesses.contains(name) else { continue }
                let above = lines[..<number].last { !$0.trimmedStart.hasPrefix("@") }
                #expect(above?.trimmedStart.hasPrefix("///") == true, "\(file):\(number + 1): \(name)")
            }
        }
    }

    @Test("Package is the widest access, and tests see what the program sees")
    func access() throws {
        for file in try Repository.files("Sources") {
            for (number, line) in file.code.enumerated() {
                #expect(!line.contains(/^\s*(?:@\w+ +)?(?:public|open)\s/), "\(file):\(number + 1)")
            }
        }
    }

    @Test("Nothing names the machine that it was written on, and nothing is left for later")
    func leftovers() throws {
        // The words are put together, so that this file does not have them.
        let folders = try Regex("(?:^|[^\\w.])/(" + ["wor" + "k", "roo" + "t"].joined(separator: "|") + ")/")
        let later = try Regex(
            "(?:^|\\W)(" + ["TO" + "DO", "FIX" + "ME", "XX" + "X"].joined(separator: "|") + ")(?:$|\\W)")
        for file in try Repository.files("", []) {
            for (number, line) in file.lines.enumerated() {
                #expect(!line.contains(folders), "\(file):\(number + 1)")
                #expect(!line.contains(later), "\(file):\(number + 1)")
            }
        }
    }
}

extension Substring {
    fileprivate var trimmedStart: Substring { drop { $0 == " " } }
}
