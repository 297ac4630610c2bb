import Foundation
import OAuth

/// The scripts of rules and actions that stand in files of their own beside a tenant's configuration, as an export of the
/// Deploy CLI has them.
struct ScriptFiles {
    /// The folder of the file that names them, or of the folder form.
    let folder: URL
    let isFolderForm: Bool
    let environment: [String: String]

    /// Puts the text of each file in the place of its path.
    /// - Throws: ``TenantFileError`` with every file that cannot be read, and every keyword without a value.
    func load(into source: inout Located) throws(TenantFileError) {
        guard var members = source.value.object else { return }
        var problems: [FileProblem] = []
        // A rule of the folder form names its file from its own folder, an action from the outermost.
        let rules = isFolderForm ? folder.appending(path: ResourceType.rules.folder) : folder
        for (type, member, start) in [(ResourceType.rules, "script", rules), (.actions, "code", folder)] {
            guard let list = members[type.rawValue]?.array else { continue }
            var loaded: [JSONValue] = []
            for (index, element) in list.enumerated() {
                guard var entry = element.object, let path = entry[member]?.string, Self.isPath(path) else {
                    loaded.append(element)
                    continue
                }
                let place = "\(type.rawValue)[\(index)].\(member)"
                do throws(TenantFileError) {
                    entry[member] = .string(try text(of: path, from: start))
                } catch {
                    problems += error.problems.map { problem in
                        FileProblem(
                            location: problem.location ?? source.location(of: place), path: place,
                            message: problem.message)
                    }
                }
                loaded.append(.object(entry))
            }
            members[type.rawValue] = .array(loaded)
        }
        guard problems.isEmpty else { throw TenantFileError(problems: problems) }
        source.value = .object(members)
    }

    /// Whether a script is the path of a file, and not the script itself.
    static func isPath(_ text: String) -> Bool {
        text.hasSuffix(".js") && text.utf8.count < 1024 && !text.hasPrefix("//") && !text.hasPrefix("/*")
            && text.wholeMatch(of: /[^\n\r;(){}='"`]+/) != nil
    }

    private func text(of path: String, from start: URL) throws(TenantFileError) -> String {
        let file = start.appending(path: path.replacing("\\", with: "/")).standardizedFileURL
        let (inner, outer) = (file.pathComponents, folder.standardizedFileURL.pathComponents)
        guard inner.starts(with: outer) else {
            throw TenantFileError(problems: [
                FileProblem(location: nil, path: path, message: "lies outside of the configuration's folder")
            ])
        }
        let name = inner.dropFirst(outer.count).joined(separator: "/")
        return try Keywords.replace(inScript: TenantFile.text(of: file), environment: environment, file: name)
    }
}
