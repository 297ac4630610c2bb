import Foundation

/// Packages that `require` finds beside Portico's own modules: folders as npm fills them (`node_modules`), which an operator has
/// named. The server reads them, since a worker sees no files; what is in them runs in the sandbox, as all of a script does.
package struct ModuleFolder: Sendable {
    /// Their real paths, the first one first.
    private let roots: [String]

    /// The name of the call by which a worker asks for a module. A script has no such call.
    package static let call = "module"

    /// Bytes of one file at most.
    private static let mostBytes = 4 << 20

    /// Bytes of an asking file's path at most, and folders above it that are looked into.
    private static let (mostPath, mostLevels) = (4096, 64)

    /// Bytes of a question at most: a name and a path, as JSON writes them at worst.
    private static let mostQuestion = 32 << 10

    /// A file of a package.
    package struct File: Sendable, Equatable {
        /// Its real path, by which the package's other files ask for one another.
        package let path: String
        package let source: String
        /// A value instead of a script.
        package var isJSON: Bool { path.hasSuffix(".json") }
    }

    /// Why there is none.
    package struct Problem: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// - Parameter roots: the folders' paths; what is not there has nothing.
    package init(_ roots: [String]) {
        self.roots = roots.compactMap { Self.realPath(of: $0) }
    }

    /// The file that a name means, as Node looks for it.
    /// - Parameters:
    ///   - specifier: a package (`lodash`), a file of one (`lodash/get`), or one beside the asking file (`./get`).
    ///   - parent: the path of the asking file; nil for the tenant's script, which has no files beside it.
    /// - Returns: nil where there is none.
    /// - Throws: ``Problem`` where there is one that cannot be had.
    package func find(_ specifier: String, from parent: String?) throws(Problem) -> File? {
        guard !specifier.utf8.contains(0), specifier.utf8.count <= 512, parent.map(isPlace) ?? true else { return nil }
        if specifier.hasPrefix("./") || specifier.hasPrefix("../") || specifier == "." || specifier == ".." {
            guard let parent else { return nil }
            return try file(at: Self.folder(of: parent) + "/" + specifier)
        }
        guard let (package, inner) = Self.parts(of: specifier) else { return nil }
        for folder in folders(for: parent) {
            let place = "\(folder)/\(package)"
            guard Self.isFolder(place) else { continue }
            if let found = try file(at: try exported(inner, of: place)) { return found }
        }
        return nil
    }

    /// Whether a package of this name is there.
    package func contains(_ name: String) -> Bool { ((try? find(name, from: nil)) ?? nil) != nil }

    /// What a worker is told for a name: a JSON object with `path`, `source` and `isJSON`, or null.
    /// - Parameter arguments: the call's, a JSON object with `name` and, within a package, the asking file's path as `parent`.
    func answer(_ arguments: String) -> ScriptAnswer {
        guard arguments.utf8.count <= Self.mostQuestion,
            let question = try? JSONDecoder().decode(Question.self, from: Data(arguments.utf8))
        else { return .failure("Nobody understands that") }
        do {
            guard let file = try find(question.name, from: question.parent) else { return .value("null") }
            let answer = Answer(path: file.path, source: file.source, isJSON: file.isJSON)
            return .value(String(decoding: try JSONEncoder().encode(answer), as: UTF8.self))
        } catch {
            return .failure("\(error)")
        }
    }

    private struct Question: Decodable {
        let name: String
        let parent: String?
    }

    private struct Answer: Encodable {
        let path: String
        let source: String
        let isJSON: Bool
    }

    /// The package of a name, and what of it is meant.
    private static func parts(of specifier: String) -> (package: String, inner: String?)? {
        let parts = specifier.split(separator: "/", omittingEmptySubsequences: false)
        guard !parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }) else { return nil }
        let count = specifier.hasPrefix("@") ? 2 : 1
        guard parts.count >= count else { return nil }
        let inner = parts.dropFirst(count).joined(separator: "/")
        return (parts.prefix(count).joined(separator: "/"), inner.isEmpty ? nil : inner)
    }

    /// Where a file's packages are: in the `node_modules` of the folders above it, and in the roots.
    private func folders(for parent: String?) -> [String] {
        var folders: [String] = []
        if var folder = parent.map(Self.folder), holds(folder) {
            while holds(folder), folder.utf8.count > 1, folders.count < Self.mostLevels {
                if !folder.hasSuffix("/node_modules") { folders.append(folder + "/node_modules") }
                folder = Self.folder(of: folder)
            }
        }
        return folders + roots
    }

    /// What `package.json` of the package at `place` says of a name, or where it is without it.
    private func exported(_ inner: String?, of place: String) throws(Problem) -> String {
        guard let text = try text(at: place + "/package.json") else { return place + (inner.map { "/" + $0 } ?? "") }
        guard let description = try? JSONDecoder().decode(PackageDescription.self, from: Data(text.utf8)) else {
            throw Problem(description: "\(place)/package.json cannot be read")
        }
        if let exports = description.exports {
            guard let target = exports.target(of: inner.map { "./" + $0 } ?? ".") else {
                throw Problem(
                    description: "\(place) has nothing for require: it may be a package of ECMAScript modules alone")
            }
            return place + "/" + target
        }
        return place + "/" + (inner ?? description.main ?? "index.js")
    }

    /// The file that a path means: itself, with an ending, or the one of its folder.
    private func file(at path: String) throws(Problem) -> File? {
        let trimmed = path.hasSuffix("/") ? String(path.dropLast()) : path
        for candidate in [trimmed, trimmed + ".js", trimmed + ".cjs", trimmed + ".json"] {
            if let found = try read(candidate) { return found }
        }
        guard Self.isFolder(trimmed) else { return nil }
        for candidate in [trimmed + "/index.js", trimmed + "/index.cjs", trimmed + "/index.json"] {
            if let found = try read(candidate) { return found }
        }
        return nil
    }

    private func read(_ path: String) throws(Problem) -> File? {
        guard let real = Self.realPath(of: path), holds(real), let text = try text(at: real) else { return nil }
        return File(path: real, source: text)
    }

    private func text(at path: String) throws(Problem) -> String? {
        var isFolder: ObjCBool = false
        guard let real = Self.realPath(of: path), holds(real),
            FileManager.default.fileExists(atPath: real, isDirectory: &isFolder), !isFolder.boolValue
        else { return nil }
        guard let size = try? FileManager.default.attributesOfItem(atPath: real)[.size] as? Int,
            size <= Self.mostBytes
        else { throw Problem(description: "\(real) has more than \(Self.mostBytes >> 20) MB") }
        guard let data = FileManager.default.contents(atPath: real) else {
            throw Problem(description: "\(real) cannot be read; look at its owner and mode")
        }
        return String(decoding: data, as: UTF8.self)
    }

    /// Whether a real path is in one of the folders. A link that leads elsewhere leads nowhere.
    private func holds(_ path: String) -> Bool {
        roots.contains { path == $0 || path.hasPrefix($0 + "/") }
    }

    /// Whether a path is one that a worker can have from here: real, and in one of the folders.
    private func isPlace(_ path: String) -> Bool {
        path.utf8.count <= Self.mostPath && holds(path)
            && Self.realPath(of: path)?.utf8.elementsEqual(path.utf8) == true
    }

    private static func folder(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    /// The path without links and dots; nil where nothing is there.
    private static func realPath(of path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }
}

/// What `package.json` says of where a package begins.
private struct PackageDescription: Decodable {
    let main: String?
    let exports: Exports?

    private enum Member: CodingKey { case main, exports }

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Member.self)
        // Some write `false` there, for browsers.
        main = try? members.decode(String.self, forKey: .main)
        exports = try? members.decode(Exports.self, forKey: .exports)
    }

    /// The targets of names, each by condition.
    indirect enum Exports: Decodable {
        case target(String)
        case conditions([(String, Exports)])
        case none

        private struct Key: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init?(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init(from decoder: any Decoder) throws {
            if let text = try? decoder.singleValueContainer().decode(String.self) {
                self = .target(text)
            } else if let members = try? decoder.container(keyedBy: Key.self) {
                self = .conditions(
                    try members.allKeys.map { ($0.stringValue, try members.decode(Exports.self, forKey: $0)) })
            } else {
                self = .none
            }
        }

        /// What a name of the package's leads to: `.`, or `./file`.
        func target(of name: String) -> String? {
            if case .conditions(let members) = self, members.contains(where: { $0.0.hasPrefix(".") }) {
                if let member = members.first(where: { $0.0 == name }) { return member.1.required }
                return Self.patterned(name, members)
            }
            return name == "." ? required : nil
        }

        /// `./*` and `./features/*.js`: the longest beginning that fits leads.
        private static func patterned(_ name: String, _ members: [(String, Exports)]) -> String? {
            let fitting = members.compactMap { key, value -> (start: Substring, middle: Substring, value: Exports)? in
                guard let star = key.firstIndex(of: "*") else { return nil }
                let (start, end) = (key[..<star], key[key.index(after: star)...])
                guard name.hasPrefix(start), name.hasSuffix(end), name.count >= start.count + end.count else {
                    return nil
                }
                return (start, name.dropFirst(start.count).dropLast(end.count), value)
            }
            guard let best = fitting.max(by: { $0.start.count < $1.start.count }) else { return nil }
            return best.value.required?.replacing("*", with: best.middle)
        }

        /// The target for `require`.
        private var required: String? {
            switch self {
            case .target(let text): return text
            case .none: return nil
            case .conditions(let members):
                // A decoder does not keep the order of members; `require` is the closest of these.
                for condition in ["require", "node", "default"] {
                    if let found = members.first(where: { $0.0 == condition })?.1.required { return found }
                }
                return nil
            }
        }
    }
}
