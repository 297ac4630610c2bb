import Foundation
import OAuth
import Storage

/// A tenant's configuration in the format of Auth0's Deploy CLI: one YAML file, or a folder.
package struct TenantFile: Sendable {
    /// What the file has of each kind that it names at all; an empty list says that there shall be none.
    let entries: [ResourceType: [Entry]]
    /// Kinds that this version does not have, and where they stand.
    let notSupported: [(name: String, location: Location?)]
    private let source: Located

    /// One resource of the file.
    struct Entry: Sendable {
        let members: JSONObject
        /// Such as `clients[0]`.
        let path: String
    }

    /// Reads a YAML or JSON file, or an export's folder.
    /// - Parameter environment: the values of `##KEY##` and `@@KEY@@`.
    /// - Throws: ``TenantFileError`` with everything that is wrong.
    package init(contentsOf url: URL, environment: [String: String]) throws {
        var isFolder: ObjCBool = false
        let path = url.path(percentEncoded: false)
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw TenantFileError(problems: [FileProblem(location: nil, path: path, message: "there is no such file")])
        }
        if isFolder.boolValue {
            try self.init(folder: url, environment: environment)
        } else {
            try self.init(yaml: Self.text(of: url), name: url.relativePath, environment: environment)
        }
    }

    /// Reads YAML; `name` is what messages call it.
    package init(yaml: String, name: String, environment: [String: String]) throws(TenantFileError) {
        let text = try Keywords(environment: environment, file: name).replace(in: yaml)
        try self.init(Located(yaml: text, file: name, path: ""))
    }

    private init(_ source: Located) throws(TenantFileError) {
        guard let members = source.value.object else {
            throw TenantFileError(problems: [
                FileProblem(
                    location: source.location(of: ""), path: "",
                    message: "a tenant file is a mapping with names such as clients: and databases:")
            ])
        }
        var problems: [FileProblem] = []
        var entries: [ResourceType: [Entry]] = [:]
        var notSupported: [(String, Location?)] = []
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            if let type = ResourceType(rawValue: name) {
                do {
                    entries[type] = try Self.entries(of: type, value, source)
                } catch {
                    problems += error.problems
                }
            } else if ResourceType.notSupported.contains(name) {
                if !Self.isEmpty(value) { notSupported.append((name, source.location(of: name))) }
            } else {
                let hint = ResourceType.suggestion(for: name).map { "; did you mean \($0)?" } ?? ""
                problems.append(
                    FileProblem(
                        location: source.location(of: name), path: name, message: "is no kind of resource\(hint)"))
            }
        }
        guard problems.isEmpty else { throw TenantFileError(problems: problems) }
        (self.entries, self.notSupported, self.source) = (entries, notSupported, source)
    }

    private static func isEmpty(_ value: JSONValue) -> Bool {
        value == .null || value.array?.isEmpty == true || value.object?.isEmpty == true
    }

    private static func entries(
        of type: ResourceType, _ value: JSONValue, _ source: Located
    ) throws(TenantFileError) -> [Entry] {
        func problem(_ path: String, _ message: String) -> TenantFileError {
            TenantFileError(problems: [FileProblem(location: source.location(of: path), path: path, message: message)])
        }
        if type == .tenant {
            guard let members = value.object else { throw problem("tenant", "must be a mapping") }
            return [Entry(members: members, path: "tenant")]
        }
        if value == .null { return [] }
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

    static func text(of url: URL) throws(TenantFileError) -> String {
        do {
            return try String(contentsOf: url, encoding: .utf8)
        } catch {
            throw TenantFileError(problems: [
                FileProblem(
                    location: nil, path: url.relativePath, message: "cannot be read: \(error.localizedDescription)")
            ])
        }
    }

    // MARK: The folder form

    private init(folder: URL, environment: [String: String]) throws {
        var source = try Located(yaml: "{}", file: folder.lastPathComponent, path: "")
        var members: JSONObject = [:]
        func read(_ file: URL, _ path: String) throws -> JSONValue {
            let name = file.relativePath.replacing(folder.relativePath + "/", with: "")
            let text = try Keywords(environment: environment, file: name).replace(in: Self.text(of: file))
            let located = try Located(yaml: text, file: name, path: path)
            source.merge(located)
            return located.value
        }
        for item in try Self.contents(of: folder) {
            let name = item.lastPathComponent
            if let extensionStart = name.lastIndex(of: "."), name[..<extensionStart] == "tenant" {
                members["tenant"] = try read(item, "tenant")
            } else if let type = ResourceType.allCases.first(where: { $0.folder == name }) {
                var list: [JSONValue] = []
                for file in try Self.files(of: type, in: item) {
                    list.append(try read(file, "\(type.rawValue)[\(list.count)]"))
                }
                members[type.rawValue] = .array(list)
            } else if ResourceType.foldersNotSupported.contains(name) {
                members[Self.camelCase(name)] = .bool(true)
            } else if !name.hasPrefix("."), item.hasDirectoryPath {
                throw TenantFileError(problems: [
                    FileProblem(location: nil, path: name, message: "is no folder of a Deploy CLI export")
                ])
            }
        }
        source.value = .object(members)
        try self.init(source)
    }

    private static func contents(of folder: URL) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: [.isDirectoryKey])
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
    }

    private static func files(of type: ResourceType, in folder: URL) throws -> [URL] {
        let folders = type == .databases ? try contents(of: folder).filter(\.hasDirectoryPath) : [folder]
        return try folders.flatMap { folder in
            try contents(of: folder).filter { file in
                ["json", "yaml", "yml"].contains(file.pathExtension)
                    && (type != .databases || file.deletingPathExtension().lastPathComponent == "database")
            }
        }
    }

    /// `rulesConfigs` for `rules-configs`.
    private static func camelCase(_ name: String) -> String {
        let words = name.split(separator: "-").map(String.init)
        let joined = words.prefix(1).joined() + words.dropFirst().map(\.localizedCapitalized).joined()
        return ResourceType.notSupported.contains(joined) ? joined : name == "emails" ? "emailTemplates" : "pages"
    }
}
