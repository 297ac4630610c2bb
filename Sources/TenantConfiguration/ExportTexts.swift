import Foundation
import OAuth

/// Puts the texts that stand in files of their own, such as an action's code, into the fields that name the files.
struct ExportTexts {
    /// The folder that no path leads out of.
    let root: URL
    let environment: [String: String]
    /// Whether a keyword without a value stays where it is, and is not refused.
    let isLenient: Bool
    /// The files that were read.
    private(set) var read: Set<String> = []
    private(set) var problems: [FileProblem] = []

    init(root: URL, environment: [String: String], isLenient: Bool) {
        (self.root, self.environment, self.isLenient) = (root, environment, isLenient)
    }

    /// A resource with its texts.
    /// - Parameters:
    ///   - file: the file that the resource stands in; nil in the YAML form, whose paths start at the root.
    ///   - path: what problems call the resource.
    mutating func filled(_ members: JSONObject, kind: String, file: URL?, path: String) -> JSONObject {
        ExportLayout.texts(of: kind).reduce(members) { members, text in
            var members = members
            if let file, text.path.count == 1, text.file == "NAME.\(text.ending)", members[text.path[0]] == nil,
                Self.isFile(file.deletingPathExtension().appendingPathExtension(text.ending))
            {
                members[text.path[0]] = .string("./\(file.deletingPathExtension().lastPathComponent).\(text.ending)")
            }
            let base = text.base == .own ? file?.deletingLastPathComponent() ?? root : root
            let value = filled(.object(members), text.path[...], base, file, text.ending, path)
            return value.object ?? members
        }
    }

    private mutating func filled(
        _ value: JSONValue, _ steps: ArraySlice<String>, _ base: URL, _ file: URL?, _ ending: String, _ path: String
    ) -> JSONValue {
        guard let step = steps.first else { return text(value, base, file, ending, path) }
        guard var members = value.object else { return value }
        for name in step == "*" ? members.keys.sorted() : [step] {
            guard let member = members[name] else { continue }
            members[name] = filled(member, steps.dropFirst(), base, file, ending, "\(path).\(name)")
        }
        return .object(members)
    }

    private mutating func text(
        _ value: JSONValue, _ base: URL, _ file: URL?, _ ending: String, _ path: String
    ) -> JSONValue {
        guard let named = value.string, Self.looksLikeAPath(named, ending) else { return value }
        let target = base.appending(path: named.replacing("\\", with: "/")).standardizedFileURL
        // As the Deploy CLI does, a file of the resource's own name stands in for one that is not there.
        let sibling = file?.deletingPathExtension().appendingPathExtension(ending)
        for candidate in [target, sibling].compactMap(\.self) {
            guard Self.isFile(candidate) else { continue }
            guard isInside(candidate) else {
                problems.append(FileProblem(location: nil, path: path, message: outside(named)))
                return value
            }
            do throws(TenantFileError) {
                let text = try TenantFile.text(of: candidate)
                read.insert(candidate.standardizedFileURL.path(percentEncoded: false))
                return .string(
                    try Keywords.replace(
                        inText: text, environment: environment, file: candidate.lastPathComponent, isLenient: isLenient)
                )
            } catch {
                problems += error.problems.map { FileProblem(location: $0.location, path: path, message: $0.message) }
                return value
            }
        }
        let reason = isInside(target) ? "there is no file '\(named.forDisplay)'; restore it" : outside(named)
        problems.append(FileProblem(location: nil, path: path, message: reason))
        return value
    }

    private func outside(_ named: String) -> String { "'\(named.forDisplay)' leads out of the export" }

    /// A text that stands in the field itself has more than one line, or is no name of such a file.
    private static func looksLikeAPath(_ text: String, _ ending: String) -> Bool {
        text.utf8.count <= 1024 && text.hasSuffix("." + ending) && !text.contains("\n") && !text.contains("<")
            && !text.contains(";")
    }

    private static func isFile(_ url: URL) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: url.path(percentEncoded: false), isDirectory: &isFolder)
            && !isFolder.boolValue
    }

    /// Whether a file, with its links followed, is below the root.
    func isInside(_ url: URL) -> Bool {
        let inside = url.resolvingSymlinksInPath().standardizedFileURL.pathComponents
        return inside.starts(with: root.resolvingSymlinksInPath().standardizedFileURL.pathComponents)
    }
}

extension ExportTexts {
    /// The YAML form with its texts: every kind, by the paths that its fields have.
    mutating func filled(_ value: JSONValue) -> JSONValue {
        guard var kinds = value.object else { return value }
        for (kind, element) in kinds {
            if let list = element.array {
                kinds[kind] = .array(list.enumerated().map { filled($1, kind, "\(kind)[\($0)]") })
            } else if var members = element.object, let templates = members["templates"]?.array {
                members["templates"] = .array(
                    templates.enumerated().map { filled($1, "\(kind).templates", "\(kind).templates[\($0)]") })
                kinds[kind] = .object(members)
            }
        }
        return .object(kinds)
    }

    private mutating func filled(_ element: JSONValue, _ kind: String, _ path: String) -> JSONValue {
        guard let members = element.object else { return element }
        return .object(filled(members, kind: kind, file: nil, path: path))
    }
}
