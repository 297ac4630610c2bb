import Foundation
import OAuth
import Storage

/// A tenant's configuration in the format of Auth0's Deploy CLI: one YAML file, or a folder.
package struct TenantFile: Sendable {
    /// What the file has of each kind that it names at all; an empty list says that there shall be none.
    let entries: [ResourceType: [Entry]]
    /// Kinds that this version does not have, and where they stand.
    let notSupported: [(name: String, location: Location?)]
    /// What the plan leaves alone.
    let excluded: ExcludedResources
    /// What the folder has and an export does not, as paths.
    let foreign: [String]
    private let source: Located

    /// Everything that the file says.
    var value: JSONValue { source.value }

    /// The parts whose keywords have no value, or whose files are not there.
    var unfilled: [FileProblem] { source.unfilled }

    /// One resource of the file.
    struct Entry: Sendable {
        let members: JSONObject
        /// Such as `clients[0]`.
        let path: String
    }

    /// Reads a YAML or JSON file with the files that it names, or an export's folder.
    /// - Parameters:
    ///   - environment: the values of `##KEY##` and `@@KEY@@`.
    ///   - isLenient: whether keywords without a value, and what no export has, are noted and not refused.
    /// - Throws: ``TenantFileError`` with everything that is wrong.
    package init(
        contentsOf url: URL, environment: [String: String], isLenient: Bool = false
    ) throws(TenantFileError) {
        var isFolder: ObjCBool = false
        let path = url.path(percentEncoded: false)
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw TenantFileError(problems: [FileProblem(location: nil, path: path, message: "there is no such file")])
        }
        let excluded = ExcludedResources(environment: environment)
        if isFolder.boolValue {
            var folder = TenantFolder(url, environment: environment, isLenient: isLenient)
            try self.init(folder.read(), excluded: excluded, foreign: folder.foreign, isLenient: isLenient)
            return
        }
        var source = try Located(
            yaml: Self.text(of: url), file: url.relativePath, path: "", environment: environment, isLenient: isLenient)
        var texts = ExportTexts(
            root: url.absoluteURL.deletingLastPathComponent(), environment: environment,
            isLenient: isLenient)
        source.value = texts.filled(source.value)
        let problems = source.located(texts.problems)
        guard isLenient || problems.isEmpty else { throw TenantFileError(problems: problems) }
        source.unfilled += problems
        try self.init(source, excluded: excluded, isLenient: isLenient)
    }

    /// Reads YAML; `name` is what messages call it.
    package init(yaml: String, name: String, environment: [String: String]) throws(TenantFileError) {
        try self.init(
            Located(yaml: yaml, file: name, path: "", environment: environment),
            excluded: ExcludedResources(environment: environment))
    }

    /// What another file said, without its lines.
    init(value: JSONValue, excluded: ExcludedResources, isLenient: Bool = false) throws(TenantFileError) {
        var source = Located()
        source.value = value
        try self.init(source, excluded: excluded, isLenient: isLenient)
    }

    private init(
        _ source: Located, excluded: ExcludedResources, foreign: [String] = [], isLenient: Bool = false
    ) throws(TenantFileError) {
        guard let members = source.value.object else {
            throw TenantFileError(problems: [
                FileProblem(
                    location: source.location(of: ""), path: "",
                    message: "a tenant file is a mapping with names such as clients: and databases:")
            ])
        }
        var problems: [FileProblem] = []
        var entries: [ResourceType: [Entry]] = [:]
        var notSupported: [(name: String, location: Location?)] = []
        var foreign = foreign
        for (name, value) in members.sorted(by: { $0.key < $1.key }) where !excluded.covers(kind: name) {
            if let type = ResourceType(rawValue: name) {
                // A name with nothing after it says nothing; only an empty list says that there shall be none.
                guard value != .null else { continue }
                do {
                    entries[type] = try Self.entries(of: type, value, source).filter {
                        !excluded.covers(type, $0.members["name"]?.string)
                    }
                } catch {
                    problems += error.problems
                }
            } else if ResourceType.notSupported.contains(name) {
                if !Self.isEmpty(value) { notSupported.append((name, source.location(of: name))) }
            } else if isLenient {
                foreign.append(name)
            } else {
                let hint = ResourceType.suggestion(for: name).map { "; did you mean \($0)?" } ?? ""
                problems.append(
                    FileProblem(
                        location: source.location(of: name), path: name, message: "is no kind of resource\(hint)"))
            }
        }
        guard problems.isEmpty else { throw TenantFileError(problems: problems) }
        (self.entries, self.notSupported, self.source) = (entries, notSupported, source)
        (self.excluded, self.foreign) = (excluded, foreign)
    }

    /// An export has a file or a list even for what the tenant has none of.
    static func isEmpty(_ value: JSONValue) -> Bool {
        value == .null || value.array?.isEmpty == true || value.object?.values.allSatisfy(isEmpty) == true
    }

    private static func entries(
        of type: ResourceType, _ value: JSONValue, _ source: Located
    ) throws(TenantFileError) -> [Entry] {
        func problem(_ path: String, _ message: String) -> TenantFileError {
            TenantFileError(problems: [FileProblem(location: source.location(of: path), path: path, message: message)])
        }
        if type.isSingle {
            guard let members = value.object else { throw problem(type.rawValue, "must be a mapping") }
            return [Entry(members: members, path: type.rawValue)]
        }
        guard let list = value.array else { throw problem(type.rawValue, "must be a list") }
        var entries: [Entry] = []
        for (index, element) in list.enumerated() {
            let path = "\(type.rawValue)[\(index)]"
            guard let members = element.object else { throw problem(path, "must be a mapping") }
            entries.append(Entry(members: members, path: path))
        }
        return entries
    }

    /// A problem with a part of the file, at its line.
    func problem(_ path: String, _ message: String) -> FileProblem {
        FileProblem(location: source.location(of: path), path: path, message: message)
    }

    /// No tenant needs more, and reading takes a second for each few megabytes.
    private static let largestFile = 8 << 20

    static func text(of url: URL) throws(TenantFileError) -> String {
        func problem(_ message: String) -> TenantFileError {
            TenantFileError(problems: [FileProblem(location: nil, path: url.relativePath, message: message)])
        }
        var bytes = Data()
        do {
            let handle = try FileHandle(forReadingFrom: url)
            defer { try? handle.close() }
            while bytes.count <= largestFile, let chunk = try handle.read(upToCount: 1 << 20), !chunk.isEmpty {
                bytes += chunk
            }
        } catch {
            throw problem("cannot be read: \(error.localizedDescription)")
        }
        guard bytes.count <= largestFile else { throw problem("is larger than 8 MiB; use the folder form") }
        guard let text = String(data: bytes, encoding: .utf8) else { throw problem("is not UTF-8; save it as UTF-8") }
        return text
    }
}
