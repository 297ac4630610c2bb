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

    /// Aliases may unfold into more than this; a file that does is an attack or a mistake.
    private static let mostParts = 200_000

    /// Reads YAML, or JSON, which is YAML too.
    init(yaml: String, file: String, path: String) throws(TenantFileError) {
        let node: Node?
        do {
            node = try Yams.compose(yaml: yaml)
        } catch let error as YamlError {
            throw TenantFileError(problems: [Self.problem(error, file)])
        } catch {
            throw TenantFileError(problems: [FileProblem(location: nil, path: file, message: "\(error)")])
        }
        value = .null
        guard let node else { return }
        var parts = 0
        value = try read(node, path: path, file: file, parts: &parts)
    }

    private static func problem(_ error: YamlError, _ file: String) -> FileProblem {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            FileProblem(location: Location(file: file, line: mark.line), path: "", message: "not valid YAML: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            FileProblem(
                location: Location(file: file, line: context.mark.line), path: "",
                message: "named twice: \(duplicates.map { "\($0)" }.joined(separator: ", "))")
        default: FileProblem(location: Location(file: file, line: 1), path: "", message: "not valid YAML: \(error)")
        }
    }

    private mutating func read(
        _ node: Node, path: String, file: String, parts: inout Int
    ) throws(TenantFileError) -> JSONValue {
        parts += 1
        guard parts <= Self.mostParts else {
            throw TenantFileError(problems: [FileProblem(location: nil, path: file, message: "too many values")])
        }
        if let mark = node.mark { locations[path] = Location(file: file, line: mark.line) }
        switch node {
        case .scalar(let scalar): return Self.scalar(scalar, node)
        case .sequence(let sequence):
            var array: [JSONValue] = []
            for (index, element) in sequence.enumerated() {
                array.append(try read(element, path: "\(path)[\(index)]", file: file, parts: &parts))
            }
            return .array(array)
        case .mapping(let mapping):
            var object: JSONObject = [:]
            for (key, element) in mapping {
                let name = key.string ?? ""
                let child = path.isEmpty ? name : "\(path).\(name)"
                object[name] = try read(element, path: child, file: file, parts: &parts)
                // The name's line is where a reader looks, even where the value starts further down.
                if let mark = key.mark { locations[child] = Location(file: file, line: mark.line) }
            }
            return .object(object)
        case .alias: return .null
        }
    }

    private static func scalar(_ scalar: Node.Scalar, _ node: Node) -> JSONValue {
        switch scalar.style {
        case .singleQuoted, .doubleQuoted, .literal, .folded: return .string(scalar.string)
        default: break
        }
        if node.null != nil { return .null }
        // Only YAML 1.2's booleans: 'no' and 'off' are texts.
        if scalar.string == "true" || scalar.string == "false" { return .bool(scalar.string == "true") }
        if let integer = Int64(scalar.string) { return .integer(integer) }
        if scalar.string.contains(where: \.isNumber), let number = Double(scalar.string) { return .number(number) }
        return .string(scalar.string)
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

    mutating func merge(_ other: Located) { locations.merge(other.locations) { first, _ in first } }
}
