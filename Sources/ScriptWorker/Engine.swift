import CJavaScriptCore
import Foundation

/// JavaScriptCore, loaded and set up.
final class Engine {
    let js: JSEngine
    /// What the worker's functions are instances of.
    let nativeClass: JSClass
    /// The texts of ours, which every realm evaluates anew.
    private var preludes: [String: JSString] = [:]

    /// The library is not there, or is another one.
    struct Missing: Error, CustomStringConvertible {
        let problem: String

        var description: String {
            #if os(Linux)
                let mend = "install it with: apt-get install libjavascriptcoregtk-4.1-0"
            #else
                let mend = "it is a part of macOS"
            #endif
            return "JavaScriptCore, which runs scripts, cannot be loaded (\(problem)); \(mend)"
        }
    }

    /// - Parameters:
    ///   - library: nil for the system's.
    ///   - memory: bytes that scripts get: the collector hurries when they are nearly used.
    init(library: String?, memory: Int) throws(Missing) {
        var problem = [CChar](repeating: 0, count: 512)
        let opened = JSEngineOpen(library, &problem, problem.count)
        guard let opened else {
            let text = String(decoding: problem.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw Missing(problem: text)
        }
        js = opened.pointee
        nativeClass = Native.makeClass(js)
        // Before the first heap. Half as fast with heavy scripts, and no page of this process is ever writable and executable.
        for option in ["useJIT", "useWasm", "useConcurrentGC", "useSharedArrayBuffer"] {
            _ = js.setBooleanOption?(option, 0)
        }
        _ = js.setUnsignedOption?("numberOfGCMarkers", 1)
        _ = js.setSizeOption?("forceRAMSize", memory)
    }

    var name: String { String(cString: js.library) }

    /// - Returns: a string of the engine's; ``JSEngine/StringRelease`` it.
    func string(_ text: String) -> JSString {
        // By its characters: the form that takes UTF-8 ends at the first NUL.
        var characters = Array(text.utf16)
        return characters.withUnsafeMutableBufferPointer { js.StringCreateWithCharacters($0.baseAddress, $0.count) }
    }

    /// A script of ours, by its name; nil where there is none. It lives as long as the process.
    func prelude(_ name: String) -> JSString? {
        if let known = preludes[name] { return known }
        guard let text = PreludeScripts.text(name) else { return nil }
        let string = string(text)
        preludes[name] = string
        return string
    }

    func withString<R>(_ text: String, _ body: (JSString) -> R) -> R {
        let string = string(text)
        defer { js.StringRelease(string) }
        return body(string)
    }
}

/// A heap and what is in it. Realms share it until it is replaced.
final class VirtualMachine {
    let engine: Engine
    let group: JSContextGroup

    init(_ engine: Engine) {
        self.engine = engine
        group = engine.js.ContextGroupCreate()
    }

    deinit { engine.js.ContextGroupRelease(group) }
}
