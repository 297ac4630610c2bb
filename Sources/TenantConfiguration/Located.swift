import Foundation
import OAuth
import Yams

/// Where something stands in a file, counted from 1.
package struct Location: Sendable, Hashable, CustomStringConvertible {
    package let file: String
    package let line: Int
    package var description: String { "\(file):\(line)" }
}

/// One problem of a tenant file.
package struct FileProblem: Sendable, Hashable, CustomStringConvertible {
    package let location: Location?
    package let path: String
    package let message: String

    package var description: String {
        (location.map { "\($0): " } ?? "") + (path.isEmpty ? "" : "\(path): ") + message
    }
}

/// Everything that is wrong with a tenant file, a line each.
package struct TenantFileError: Error, Sendable, CustomStringConvertible {
    package let problems: [FileProblem]
    package var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// A value of a file, with the line of each of its parts.
struct Located: Sendable {
    var value: JSONValue
    /// The location of each part by its path, such as `clients[0].callbacks`.
    private(set) var locations: [String: Location] = [:]
    /// The parts whose keywords have no value, or whose files are not there, where that is no problem.
    var unfilled: [FileProblem] = []

    /// Reads YAML, or JSON, which is YAML too, and puts in the values of its keywords.
    /// - Parameter isLenient: whether a keyword without a value is noted in ``unfilled`` and not refused.
    init(
        yaml: String, file: String, path: String, environment: [String: String], isLenient: Bool = false
    ) throws(TenantFileError) {
        let keywords = Keywords(in: yaml, environment: environment, file: file)
        let node: Node?
        do {
            node = try Yams.compose(yaml: keywords.text)
        } catch {
            let problem = (error as? YamlError).map { Self.problem($0, file) }
            throw TenantFileError(
                problems: keywords.problemsAtLineStarts
                    + [problem ?? FileProblem(location: nil, path: file, message: "\(error)")])
        }
        value = .null
        guard let node else { return }
        var reader = Reader(file: file, keywords: keywords, isLenient: isLenient)
        value = try reader.read(node, path: path)
        guard reader.problems.isEmpty else { throw TenantFileError(problems: reader.problems) }
        (locations, unfilled) = (reader.locations, reader.unfilled)
    }

    /// Nothing yet, for ``add(_:)``.
    init() { value = .null }

    private static func problem(_ error: YamlError, _ file: String) -> FileProblem {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            FileProblem(
                location: Location(file: file, line: mark.line), path: "",
                message: "not valid YAML: \(problem)"
                    + (context.map { " \($0.text), which starts in line \($0.mark.line)" } ?? ""))
        case .reader(let problem, let offset, _, let yaml):
            FileProblem(
                location: Location(
                    file: file, line: yaml.prefix(offset ?? 0).unicodeScalars.count { $0 == "\n" } + 1),
                path: "", message: "not valid YAML: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            FileProblem(
                location: Location(file: file, line: context.mark.line), path: "",
                message: "is there twice: \(duplicates.joined(separator: ", "))")
        default: FileProblem(location: Location(file: file, line: 1), path: "", message: "not valid YAML: \(error)")
        }
    }

    /// What a plain scalar is by YAML 1.2's core schema: 'no' and 'off' are texts.
    static func plain(_ text: String) -> JSONValue {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        default: break
        }
        guard let first = text.utf8.first, first < UInt8(ascii: ":"), text.utf8.count < 400,
            text.wholeMatch(of: /[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?/) != nil,
            let number = Double(text), number.isFinite
        else { return .string(text) }
        if let integer = Int64(text) { return .integer(integer) }
        // The database keeps 1.0 as 1, so they are the same value here too.
        return Int64(exactly: number).map(JSONValue.integer) ?? .number(number)
    }

    /// The problems, each with the location of its path where it has none of its own.
    func located(_ problems: [FileProblem]) -> [FileProblem] {
        problems.map { problem in
            FileProblem(
                location: problem.location ?? location(of: problem.path), path: problem.path, message: problem.message)
        }
    }

    /// The location of a path, or of the nearest part around it.
    func location(of path: String) -> Location? {
        var path = path
        while true {
            if let found = locations[path] { return found }
            guard let end = path.lastIndex(where: { $0 == "." || $0 == "[" }) else { return locations[""] }
            path = String(path[..<end])
        }
    }

    /// Adds another file's locations.
    mutating func add(_ other: Located) {
        locations.merge(other.locations) { first, _ in first }
        unfilled += other.unfilled
    }
}

/// Turns YAML's nodes into values.
private struct Reader {
    let file: String
    let keywords: Keywords
    let isLenient: Bool
    var locations: [String: Location] = [:]
    var problems: [FileProblem] = []
    var unfilled: [FileProblem] = []
    private var parts = 0

    /// Aliases may unfold into more than this; a file that does is an attack or a mistake.
    private static let mostParts = 200_000

    init(file: String, keywords: Keywords, isLenient: Bool) {
        (self.file, self.keywords, self.isLenient) = (file, keywords, isLenient)
    }

    mutating func read(_ node: Node, path: String) throws(TenantFileError) -> JSONValue {
        parts += 1
        let location = node.mark.map { Location(file: file, line: $0.line) }
        guard parts <= Self.mostParts else {
            throw TenantFileError(problems: [
                FileProblem(
                    location: location, path: "",
                    message:
                        "the file unfolds into more than \(Self.mostParts) values; use fewer aliases or several files")
            ])
        }
        if let location { locations[path] = location }
        switch node {
        case .scalar(let scalar):
            let value = self.scalar(scalar, path: path)
            // Databases end a text there.
            if Self.holdsNUL(value) {
                problems.append(FileProblem(location: location, path: path, message: "must not hold the character NUL"))
            }
            return value
        case .sequence(let sequence):
            var array: [JSONValue] = []
            for (index, element) in sequence.enumerated() { array.append(try read(element, path: "\(path)[\(index)]")) }
            return .array(array)
        case .mapping(let mapping): return .object(try members(of: mapping, path: path))
        case .alias: return .null
        }
    }

    private mutating func members(of mapping: Node.Mapping, path: String) throws(TenantFileError) -> JSONObject {
        var object: JSONObject = [:]
        for (key, element) in mapping {
            let location = key.mark.map { Location(file: file, line: $0.line) }
            guard let name = key.scalar.map({ scalar($0, path: path).string ?? $0.string }) else {
                problems.append(FileProblem(location: location, path: path, message: "a name must be a text"))
                continue
            }
            let child = path.isEmpty ? name : "\(path).\(name)"
            guard object[name] == nil else {
                problems.append(FileProblem(location: location, path: child, message: "is there twice"))
                continue
            }
            object[name] = try read(element, path: child)
            // The name's line is where a reader looks, even where the value starts further down.
            if let location { locations[child] = location }
        }
        return object
    }

    private static func holdsNUL(_ value: JSONValue) -> Bool {
        switch value {
        case .string(let text): text.utf8.contains(0)
        case .array(let array): array.contains(where: holdsNUL)
        case .object(let object): object.contains { $0.key.utf8.contains(0) || holdsNUL($0.value) }
        default: false
        }
    }

    private mutating func scalar(_ scalar: Node.Scalar, path: String) -> JSONValue {
        let isPlain =
            switch scalar.style {
            case .singleQuoted, .doubleQuoted, .literal, .folded: false
            default: true
            }
        if let replaced = keywords.replace(in: scalar.string, isPlain: isPlain) {
            guard isLenient else {
                problems += replaced.problems
                return replaced.value
            }
            unfilled += replaced.problems.map { FileProblem(location: $0.location, path: path, message: $0.message) }
            return replaced.value
        }
        return isPlain ? Located.plain(scalar.string) : .string(scalar.string)
    }
}
