import CJavaScriptCore
import Foundation
import Scripting

/// A function of the worker's that `prelude/runtime.js` gets. What a script says comes through these, and nowhere else.
final class Native {
    typealias Body = @Sendable (Call) throws(Refusal) -> JSValue?

    /// What the script gets as an `Error`.
    struct Refusal: Error {
        let message: String

        init(_ message: String) { self.message = message }
    }

    /// A call of one of them.
    struct Call {
        let realm: Realm
        let count: Int
        let arguments: UnsafePointer<JSValue>?

        /// The argument at `index`, or nil.
        subscript(index: Int) -> JSValue? { index < count ? arguments?[index] : nil }

        func text(_ index: Int) -> String { realm.text(self[index]) }
        func number(_ index: Int) -> Double { realm.number(of: self[index]) }

        func bytes(_ index: Int) throws(Refusal) -> [UInt8] {
            guard let bytes = realm.bytes(self[index]) else { throw Refusal("A Uint8Array is needed") }
            return bytes
        }
    }

    private unowned let realm: Realm
    private let body: Body

    init(realm: Realm, body: @escaping Body) { (self.realm, self.body) = (realm, body) }

    /// The class of all of them: what their objects do when they are called. It lives as long as the process.
    static func makeClass(_ js: JSEngine) -> JSClass {
        var definition = JSClassDefinition()
        definition.callAsFunction = { _, function, _, count, arguments, exception in
            guard let pointer = JSEngineGetPrivate(function) else { return nil }
            // The realm keeps its functions until its context is gone.
            let native = Unmanaged<Native>.fromOpaque(pointer).takeUnretainedValue()
            let call = Call(realm: native.realm, count: count, arguments: arguments)
            do throws(Refusal) {
                return try native.body(call) ?? native.realm.undefined
            } catch {
                exception?.pointee = native.realm.error(error.message)
                return nil
            }
        }
        return js.ClassCreate(&definition)
    }

    /// All of them, by the names that the runtime knows.
    static let all: [(name: String, body: Body)] = run + bytes

    /// What a run is made of.
    private static let run: [(name: String, body: Body)] = [
        ("effect", { call throws(Refusal) in call.realm.execution?.effect(call.text(0), call.text(1)) }),
        ("log", { call throws(Refusal) in call.realm.execution?.log(call.text(0), call.text(1)) }),
        (
            "call",
            { call throws(Refusal) in
                try call.realm.execution?.ask(call.number(0), call.text(1), call.text(2))
                return nil
            }
        ),
        ("done", { call throws(Refusal) in call.realm.execution?.returned(call.text(0)) }),
        ("fail", { call throws(Refusal) in call.realm.execution?.threw(call.text(0)) }),
        (
            "timer",
            { call throws(Refusal) in
                try call.realm.execution?.wait(call.number(0), call.number(1))
                return nil
            }
        ),
        ("clear", { call throws(Refusal) in call.realm.execution?.forget(call.number(0)) }),
        ("now", { call throws(Refusal) in call.realm.number(call.realm.execution?.elapsed ?? 0) }),
        (
            "modules",
            { call throws(Refusal) in
                call.realm.string("[\"" + ScriptModules.available.joined(separator: "\",\"") + "\"]")
            }
        ),
        (
            "find",
            { call throws(Refusal) in
                call.realm.string(try call.realm.execution?.module(call.text(0)) ?? "null")
            }
        ),
        (
            "compile",
            { call throws(Refusal) in
                let (value, exception) = call.realm.evaluate(call.text(0), url: call.text(1))
                if let exception { throw Refusal("\(call.text(1)): \(call.realm.text(exception))") }
                return value
            }
        ),
        (
            "module",
            { call throws(Refusal) in
                // Of `@scope/name` the file is scope-name.js.
                let name = call.text(0).replacing("@", with: "").replacing("/", with: "-")
                do throws(Realm.Defect) {
                    return try call.realm.evaluate(script: "modules/\(name).js")
                } catch {
                    throw Refusal(error.description)
                }
            }
        ),
    ]
}
