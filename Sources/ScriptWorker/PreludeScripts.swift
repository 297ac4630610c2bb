import CScripts
import Foundation

/// The scripts that the binary carries.
enum PreludeScripts {
    private static let all: [String: String] = {
        var scripts: [String: String] = [:]
        for index in 0..<CScriptCount() {
            let script = CScriptAt(index)
            scripts[String(cString: script.name)] = String(
                decoding: UnsafeBufferPointer(start: script.bytes, count: script.count), as: UTF8.self)
        }
        return scripts
    }()

    /// - Parameter name: the path below `Sources/CScripts`.
    static func text(_ name: String) -> String? { all[name] }

    /// Every module of ours, those that `require` does not find among them.
    static var modules: [String] {
        all.keys.compactMap { name in
            name.hasPrefix("modules/") ? String(name.dropFirst("modules/".count).dropLast(".js".count)) : nil
        }.sorted()
    }
}
