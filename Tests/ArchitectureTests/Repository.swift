import Foundation

/// The files of this repository.
enum Repository {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// A file with its path from the root.
    struct File: Sendable, CustomStringConvertible {
        let path: String
        let text: String

        var description: String { path }
        var name: String { String(path.split(separator: "/").last ?? "") }
        /// The name without its extension.
        var stem: String { String(name.split(separator: ".").first ?? "") }
        var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
        /// The names and keywords of the code.
        var words: Set<Substring> {
            Set(code.flatMap { $0.split { !($0.isLetter || $0.isNumber || $0 == "_") } })
        }
        /// The text with comments and the contents of strings blank, line by line.
        var code: [Substring] {
            var lexer = SwiftLexer(text)
            return lexer.code().split(separator: "\n", omittingEmptySubsequences: false)
        }
    }

    /// The text files under `folder` with one of these extensions, in the order of their paths; none means any.
    static func files(_ folder: String = "", _ extensions: Set<String> = ["swift"]) throws -> [File] {
        let start = folder.isEmpty ? root : root.appending(path: folder)
        let paths = FileManager.default.enumerator(atPath: start.path(percentEncoded: false))
        var files: [File] = []
        while let path = paths?.nextObject() as? String {
            let isHidden = path.split(separator: "/").contains { $0.hasPrefix(".") || $0 == "node_modules" }
            if isHidden {
                paths?.skipDescendants()
                continue
            }
            let url = start.appending(path: path)
            guard extensions.isEmpty || extensions.contains(url.pathExtension),
                let text = try? String(contentsOf: url, encoding: .utf8)
            else { continue }
            files.append(File(path: folder.isEmpty ? path : folder + "/" + path, text: text))
        }
        return files.sorted { $0.path < $1.path }
    }

    static func file(_ path: String) throws -> File {
        File(path: path, text: try String(contentsOf: root.appending(path: path), encoding: .utf8))
    }

    /// The targets of `Sources` that have Swift files.
    static func targets() throws -> Set<String> {
        Set(try files("Sources").compactMap { $0.path.split(separator: "/").dropFirst().first.map(String.init) })
    }
}
