import Foundation
import OAuth

/// The folder form of a tenant's configuration: a file for each resource, in a folder for each kind.
struct TenantFolder {
    /// Folders of kinds that this version does not have, with something in them.
    private(set) var notSupported: [(name: String, location: Location?)] = []
    private let folder: URL
    private let environment: [String: String]
    private var source = Located()
    private var problems: [FileProblem] = []

    init(_ folder: URL, environment: [String: String]) { (self.folder, self.environment) = (folder, environment) }

    /// Everything in the folder, as if it stood in one file.
    /// - Throws: ``TenantFileError`` with the problems of every file.
    mutating func read() throws(TenantFileError) -> Located {
        var members: JSONObject = [:]
        for item in contents(of: folder) {
            let name = item.lastPathComponent
            if item.deletingPathExtension().lastPathComponent == "tenant", Self.isReadable(item) {
                members["tenant"] = read(item, "tenant")
            } else if let type = ResourceType.allCases.first(where: { $0.folder == name && $0.isSingle }) {
                var parts: JSONObject = [:]
                for file in contents(of: item).filter(Self.isReadable) {
                    let part = Self.camelCase(file.deletingPathExtension().lastPathComponent)
                    // `branding/branding.json` has what is no part.
                    if part == type.rawValue {
                        parts.merge(read(file, type.rawValue).object ?? [:]) { $1 }
                    } else {
                        parts[part] = read(file, "\(type.rawValue).\(part)")
                    }
                }
                members[type.rawValue] = .object(parts)
            } else if let type = ResourceType.allCases.first(where: { $0.folder == name && $0 != .tenant }) {
                var list: [JSONValue] = []
                for file in files(of: type, in: item) { list.append(read(file, "\(type.rawValue)[\(list.count)]")) }
                members[type.rawValue] = .array(list)
            } else if ResourceType.foldersNotSupported.contains(name) {
                // An export makes every folder, even where it has nothing for it.
                if !contents(of: item).isEmpty { notSupported.append((name, nil)) }
            } else if !name.hasPrefix("."), Self.isFolder(item) {
                let folders = ResourceType.allCases.map(\.folder) + ResourceType.foldersNotSupported
                let hint = Spelling.nearest(to: name, among: folders).map { "; did you mean \($0)?" } ?? ""
                problems.append(
                    FileProblem(location: nil, path: name, message: "is no folder of a Deploy CLI export\(hint)"))
            }
        }
        guard problems.isEmpty else { throw TenantFileError(problems: problems) }
        source.value = .object(members)
        return source
    }

    private mutating func read(_ file: URL, _ path: String) -> JSONValue {
        let start = folder.standardizedFileURL.pathComponents.count
        let name = file.standardizedFileURL.pathComponents.dropFirst(start).joined(separator: "/")
        do {
            let located = try Located(
                yaml: TenantFile.text(of: file), file: name, path: path, environment: environment)
            source.add(located)
            return located.value
        } catch {
            problems += error.problems
            return .object([:])
        }
    }

    private mutating func contents(of folder: URL) -> [URL] {
        do {
            return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
                .sorted { $0.lastPathComponent < $1.lastPathComponent }
        } catch {
            problems.append(
                FileProblem(
                    location: nil, path: folder.lastPathComponent,
                    message: "cannot be read as a folder: \(error.localizedDescription)"))
            return []
        }
    }

    /// A database has a folder of its own, because its scripts are files beside it.
    private mutating func files(of type: ResourceType, in folder: URL) -> [URL] {
        guard type == .databases else { return contents(of: folder).filter(Self.isReadable) }
        return contents(of: folder).filter(Self.isFolder).flatMap { database in
            contents(of: database).filter {
                Self.isReadable($0) && $0.deletingPathExtension().lastPathComponent == "database"
            }
        }
    }

    /// `bruteForceProtection` for `brute-force-protection`.
    private static func camelCase(_ name: String) -> String {
        let words = name.split(separator: "-")
        return words.prefix(1).joined() + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    private static func isReadable(_ file: URL) -> Bool { ["json", "yaml", "yml"].contains(file.pathExtension) }

    private static func isFolder(_ item: URL) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: item.path(percentEncoded: false), isDirectory: &isFolder)
            && isFolder.boolValue
    }
}
