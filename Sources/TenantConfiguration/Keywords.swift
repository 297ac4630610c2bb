import Foundation
import OAuth

/// The Deploy CLI's replacement of `##KEY##` and `@@KEY@@` by values of the environment.
///
/// It happens in the text, before YAML is read, as the Deploy CLI does it. A value is written so that it stays one value:
/// quoted where it stands alone, escaped where it stands in quotes.
struct Keywords {
    let environment: [String: String]
    let file: String

    func replace(in text: String) throws(TenantFileError) -> String {
        var problems: [FileProblem] = []
        var lines: [String] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            // A comment may explain a keyword without having it.
            guard line.contains("##") || line.contains("@@"), line.first(where: { !$0.isWhitespace }) != "#" || isKeywordLine(line)
            else {
                lines.append(String(line))
                continue
            }
            var missing: Set<String> = []
            lines.append(replaceText(in: replaceJSON(in: String(line), &missing), &missing))
            for key in missing.sorted() {
                problems.append(
                    FileProblem(
                        location: Location(file: file, line: index + 1), path: "",
                        message: "\(key) is not in the environment; set it, for example: export \(key)=…"))
            }
        }
        guard problems.isEmpty else { throw TenantFileError(problems: problems) }
        return lines.joined(separator: "\n")
    }

    /// A line that is a keyword and nothing else is a value, not a comment.
    private func isKeywordLine(_ line: Substring) -> Bool {
        line.trimmingCharacters(in: .whitespaces).wholeMatch(of: /##[A-Za-z0-9_]+##/) != nil
    }

    /// `@@KEY@@`, quoted or not: the JSON that the variable holds, or its text.
    private func replaceJSON(in line: String, _ missing: inout Set<String>) -> String {
        var found: Set<String> = []
        let replaced = line.replacing(/(["']?)@@([A-Za-z0-9_]+)@@\1/) { match in
            guard let value = environment[String(match.2)] else {
                found.insert(String(match.2))
                return String(match.0)
            }
            return (try? JSON.decode(JSONValue.self, from: value)).flatMap { try? JSON.text($0) } ?? Self.quoted(value)
        }
        missing.formUnion(found)
        return replaced
    }

    /// `##KEY##`: the variable's text.
    private func replaceText(in line: String, _ missing: inout Set<String>) -> String {
        var result = ""
        var rest = line[...]
        while let match = rest.firstMatch(of: /##([A-Za-z0-9_]+)##/) {
            result += rest[..<match.range.lowerBound]
            if let value = environment[String(match.1)] {
                result += written(value, after: result, before: rest[match.range.upperBound...])
            } else {
                missing.insert(String(match.1))
            }
            rest = rest[match.range.upperBound...]
        }
        return result + rest
    }

    private func written(_ value: String, after: String, before: Substring) -> String {
        switch Self.openQuote(in: after) {
        case "\"": return String(Self.quoted(value).dropFirst().dropLast())
        case "'": return value.replacing("'", with: "''")
        default: break
        }
        let left = after.trimmingCharacters(in: .whitespaces)
        let standsAlone = (left.isEmpty || left.hasSuffix(":") || left.hasSuffix("-")) && before.allSatisfy(\.isWhitespace)
        let isPlain = value == "true" || value == "false" || Double(value) != nil
        return standsAlone && !isPlain ? Self.quoted(value) : value
    }

    /// The quote that is open at the end of `text`, if any.
    private static func openQuote(in text: String) -> Character? {
        var open: Character?
        var isEscaped = false
        for character in text {
            if isEscaped {
                isEscaped = false
            } else if character == "\\", open == "\"" {
                isEscaped = true
            } else if character == open {
                open = nil
            } else if open == nil, character == "\"" || character == "'" {
                open = character
            }
        }
        return open
    }

    private static func quoted(_ value: String) -> String { (try? JSON.text(value)) ?? "\"\"" }
}
