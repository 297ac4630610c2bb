import Foundation
import OAuth

/// The folder form of a tenant's configuration, as ``ExportLayout`` says.
struct TenantFolder {
    /// What the folder has and an export does not: paths from the folder on.
    private(set) var foreign: [String] = []
    private let folder: URL
    private let environment: [String: String]
    private let isLenient: Bool
    private var source = Located()
    private var texts: ExportTexts
    private var used: Set<String> = []
    private var problems: [FileProblem] = []

    /// - Parameter isLenient: whether keywords without a value and folders that no export has are noted and not refused.
    init(_ folder: URL, environment: [String: String], isLenient: Bool = false) {
        (self.folder, self.environment, self.isLenient) = (folder, environment, isLenient)
        texts = ExportTexts(root: folder, environment: environment, isLenient: isLenient)
    }

    /// Everything in the folder, as if it stood in one file.
    /// - Throws: ``TenantFileError`` with the problems of every file.
    mutating func read() throws(TenantFileError) -> Located {
        var members: JSONObject = [:]
        for (kind, form) in ExportLayout.all { members[kind] = value(form, kind) }
        if let prompts = members["prompts"]?.object { members["prompts"] = .object(withPartials(prompts)) }
        noteForeign()
        let missing = source.located(texts.problems)
        if isLenient { source.unfilled += missing } else { problems += missing }
        guard problems.isEmpty else { throw TenantFileError(problems: problems) }
        source.value = .object(members)
        return source
    }

    private mutating func value(_ form: ExportLayout.Form, _ path: String) -> JSONValue? {
        switch form {
        case .file(let name), .listFile(let name): return file(named: name).map { read($0, path) }
        case .list(let name, let except):
            let place = folder.appending(path: name)
            guard Self.isFolder(place) else { return nil }
            return list(
                contents(of: place).filter {
                    Self.isReadable($0) && !except.contains($0.deletingPathExtension().lastPathComponent)
                }, path)
        case .folders(let name, let file):
            let place = folder.appending(path: name)
            guard Self.isFolder(place) else { return nil }
            return list(
                contents(of: place).filter(Self.isFolder).compactMap {
                    self.file(named: "\(name)/\($0.lastPathComponent)/\(file)")
                }, path)
        case .members(let base, let others):
            var members = base.flatMap(file).map { read($0, path) }?.object
            for (member, form) in others {
                guard let value = value(form, "\(path).\(member)") else { continue }
                members = (members ?? [:]).merging([member: value]) { $1 }
            }
            return members.map(JSONValue.object)
        }
    }

    private mutating func list(_ files: [URL], _ path: String) -> JSONValue {
        var list: [JSONValue] = []
        for file in files {
            let element = "\(path)[\(list.count)]"
            let value = read(file, element)
            list.append(
                value.object.map { .object(texts.filled($0, kind: path, file: file, path: element)) } ?? value)
        }
        return .array(list)
    }

    private mutating func read(_ file: URL, _ path: String) -> JSONValue {
        used.insert(file.standardizedFileURL.path(percentEncoded: false))
        do {
            let located = try Located(
                yaml: TenantFile.text(of: file), file: relative(file), path: path, environment: environment,
                isLenient: isLenient)
            source.add(located)
            return located.value
        } catch {
            problems += error.problems
            return .object([:])
        }
    }

    /// `prompts/partials.json` names a file for each place of a page.
    private mutating func withPartials(_ prompts: JSONObject) -> JSONObject {
        guard let partials = prompts["partials"]?.object else { return prompts }
        let place = folder.appending(path: "prompts")
        var result = prompts
        result["partials"] = .object(
            partials.mapValues { screens in
                guard let screens = screens.array?.first?.object else { return screens }
                return .object(
                    screens.mapValues { insertions in
                        let pairs = (insertions.array ?? []).compactMap { insertion -> (String, JSONValue)? in
                            guard let name = insertion.object?["name"]?.string,
                                let template = insertion.object?["template"]?.string
                            else { return nil }
                            let file = place.appending(path: template.replacing("\\", with: "/")).standardizedFileURL
                            guard texts.isInside(file) else {
                                problems.append(
                                    FileProblem(
                                        location: nil, path: "prompts.partials",
                                        message: "'\(template.forDisplay)' leads out of the export"))
                                return nil
                            }
                            let text = try? Keywords.replace(
                                inText: TenantFile.text(of: file), environment: environment,
                                file: file.lastPathComponent, isLenient: true
                            ).trimmed
                            used.insert(file.path(percentEncoded: false))
                            return (name, .string(text ?? ""))
                        }
                        return .object(Dictionary(pairs) { first, _ in first })
                    })
            })
        return result
    }

    // MARK: What is there

    private func file(named name: String) -> URL? {
        ["json", "yaml", "yml"].map { folder.appending(path: "\(name).\($0)") }.first {
            FileManager.default.fileExists(atPath: $0.path(percentEncoded: false))
        }
    }

    /// Notes what no kind has read; a folder that no export has is a misspelt one.
    private mutating func noteForeign() {
        let known = used.union(texts.read)
        for item in contents(of: folder) where !item.lastPathComponent.hasPrefix(".") {
            let name = item.lastPathComponent
            guard Self.isFolder(item) else {
                if !known.contains(item.standardizedFileURL.path(percentEncoded: false)) { foreign.append(name) }
                continue
            }
            guard ExportLayout.folders.contains(name) else {
                let hint = Spelling.nearest(to: name, among: ExportLayout.folders).map { "; did you mean \($0)?" } ?? ""
                if isLenient {
                    foreign.append(name + "/")
                } else {
                    problems.append(
                        FileProblem(
                            location: nil, path: name, message: "is no folder of a Deploy CLI export\(hint)"))
                }
                continue
            }
            let paths = FileManager.default.subpaths(atPath: item.path(percentEncoded: false)) ?? []
            for path in paths.sorted() where !path.split(separator: "/").contains(where: { $0.hasPrefix(".") }) {
                let file = item.appending(path: path).standardizedFileURL
                guard !Self.isFolder(file), !known.contains(file.path(percentEncoded: false)) else { continue }
                foreign.append("\(name)/\(path)")
            }
        }
    }

    private func relative(_ file: URL) -> String {
        file.standardizedFileURL.pathComponents.dropFirst(folder.standardizedFileURL.pathComponents.count)
            .joined(separator: "/")
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

    private static func isReadable(_ file: URL) -> Bool { ["json", "yaml", "yml"].contains(file.pathExtension) }

    private static func isFolder(_ item: URL) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: item.path(percentEncoded: false), isDirectory: &isFolder)
            && isFolder.boolValue
    }
}
