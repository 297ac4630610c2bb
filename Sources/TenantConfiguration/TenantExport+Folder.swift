import Foundation
import OAuth
import Storage

extension TenantExport {
    /// The folder form of the configuration: a JSON file for each resource and a file for each longer text, by its path.
    /// - Throws: ``SQLError``.
    package static func files(_ stores: Stores) async throws -> [(path: String, text: String)] {
        var writer = FolderWriter()
        for (type, value) in try await sections(stores) {
            guard let form = ExportLayout.form(of: type.rawValue) else { continue }
            try writer.add(value, form, kind: type.rawValue)
        }
        return writer.files
    }

    /// Writes the folder form. Files of resources that are no longer there go; what is no such file stays.
    /// - Throws: ``SQLError``, or an error of the file system.
    package static func write(_ stores: Stores, to folder: URL) async throws {
        let files = try await files(stores)
        let paths = Set(files.map(\.path))
        for type in ResourceType.allCases {
            guard let form = ExportLayout.form(of: type.rawValue) else { continue }
            for (place, endings) in FolderWriter.places(form, kind: type.rawValue) {
                let url = folder.appending(path: place)
                try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
                for found in try FileManager.default.subpathsOfDirectory(atPath: url.path(percentEncoded: false))
                where endings.contains(where: found.hasSuffix) && !paths.contains("\(place)/\(found)") {
                    try FileManager.default.removeItem(at: url.appending(path: found))
                }
            }
        }
        for (path, text) in files {
            let file = folder.appending(path: path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file, options: .atomic)
        }
    }
}

/// Spreads kinds over files, as ``ExportLayout`` says.
private struct FolderWriter {
    private(set) var files: [(path: String, text: String)] = []

    /// The folders of a kind's lists, with the endings of the files in them that are the export's.
    static func places(_ form: ExportLayout.Form, kind: String) -> [(folder: String, endings: [String])] {
        switch form {
        case .file, .listFile: []
        case .list(let folder, _): [(folder, [".json"] + ExportLayout.texts(of: kind).map { ".\($0.ending)" })]
        case .folders(let folder, let file):
            [(folder, ["/\(file).json"] + ExportLayout.texts(of: kind).map { ".\($0.ending)" })]
        case .members(_, let members): members.flatMap { places($0.form, kind: "\(kind).\($0.member)") }
        }
    }

    mutating func add(_ value: JSONValue, _ form: ExportLayout.Form, kind: String) throws {
        switch form {
        case .file(let path), .listFile(let path): files.append(("\(path).json", try Self.text(value)))
        case .list(let folder, _):
            var used: Set<String> = []
            for element in value.array ?? [] {
                let name = Self.fileName(of: element.object ?? [:], kind, &used)
                try add(element, to: "\(folder)/\(name).json", named: name, in: folder, texts: folder, kind: kind)
            }
        case .folders(let folder, let file):
            var used: Set<String> = []
            for element in value.array ?? [] {
                let name = Self.fileName(of: element.object ?? [:], kind, &used)
                try add(
                    element, to: "\(folder)/\(name)/\(file).json", named: name, in: folder, texts: "\(folder)/\(name)",
                    kind: kind)
            }
        case .members(let base, let members):
            var rest = value.object ?? [:]
            for (member, form) in members {
                guard let value = rest.removeValue(forKey: member) else { continue }
                try add(value, form, kind: "\(kind).\(member)")
            }
            if let base { files.append(("\(base).json", try Self.text(.object(rest)))) }
        }
    }

    private mutating func add(
        _ element: JSONValue, to path: String, named name: String, in folder: String, texts place: String, kind: String
    ) throws {
        var element = element
        for text in ExportLayout.texts(of: kind) {
            var used: Set<String> = []
            element = taken(text.path[...], from: element) { member, content in
                let member = Self.fileName(member, &used)
                let file = text.file.replacing("NAME", with: name).replacing("*", with: member)
                files.append(("\(place)/\(file)", content))
                return text.base == .export ? "./\(folder)/\(file)" : "./\(file)"
            }
        }
        files.append((path, try Self.text(element)))
    }

    /// Puts what `write` returns in the place of each text at a path.
    private func taken(
        _ steps: ArraySlice<String>, from value: JSONValue, member: String = "",
        write: (_ member: String, _ text: String) -> String
    ) -> JSONValue {
        guard let step = steps.first else {
            guard let text = value.string, !text.isEmpty else { return value }
            return .string(write(member, text))
        }
        guard var members = value.object else { return value }
        for name in step == "*" ? members.keys.sorted() : [step] {
            guard let child = members[name] else { continue }
            members[name] = taken(steps.dropFirst(), from: child, member: name, write: write)
        }
        return .object(members)
    }

    /// A file's name for a resource, which no other of the kind has.
    private static func fileName(of members: JSONObject, _ kind: String, _ used: inout Set<String>) -> String {
        fileName(Auth0Migration.name(of: members, ResourceType(rawValue: kind)), &used)
    }

    /// A name that every file system takes, that leads to no other folder, and that is not used yet.
    private static func fileName(_ name: String, _ used: inout Set<String>) -> String {
        let safe = String(
            name.prefix(60).map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_ ()".contains($0)) ? $0 : "_" })
        var (candidate, count) = (safe, 1)
        // Some file systems do not tell letters by their case.
        while !used.insert(candidate.lowercased()).inserted {
            count += 1
            candidate = "\(safe) \(count)"
        }
        return candidate
    }

    /// JSON with sorted names; a text that looks like a keyword stays a text.
    private static func text(_ value: JSONValue) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
            .replacing(/##(?=[A-Za-z0-9_]+##)/, with: #"\u0023\u0023"#)
            .replacing(/@@(?=[A-Za-z0-9_]+@@)/, with: #"\u0040\u0040"#) + "\n"
    }
}
