import CJavaScriptCore
import Foundation
import Scripting

/// A global object with everything that scripts find there, for one run.
final class Realm {
    let engine: Engine
    let context: JSGlobalContext
    private let machine: VirtualMachine
    /// What `prelude/runtime.js` answers.
    private var runtime: JSObject
    private var kind: ScriptRun.Kind?
    /// The functions that its scripts reach; the context's objects point at them.
    private var natives: [Native] = []
    /// The run that it is for; nil before it.
    var execution: Execution?

    /// A prelude does not do what it should: a defect of ours.
    struct Defect: Error, CustomStringConvertible {
        let description: String
    }

    /// - Parameter kind: the kind of script to be ready for.
    init(in machine: VirtualMachine, for kind: ScriptRun.Kind?) throws(Defect) {
        (self.machine, engine) = (machine, machine.engine)
        context = engine.js.GlobalContextCreateInGroup(machine.group, nil)
        runtime = engine.js.ContextGetGlobalObject(context)
        engine.js.ValueProtect(context, runtime)
        let make = try evaluate(script: "prelude/runtime.js")
        let made = try call(make, [.value(makeNatives())])
        engine.js.ValueUnprotect(context, runtime)
        runtime = made
        engine.js.ValueProtect(context, runtime)
        if let rejected = get("rejected", of: runtime) {
            engine.js.GlobalContextSetUnhandledRejectionCallback?(context, rejected, nil)
        }
        if let kind { try use(kind) }
    }

    deinit {
        // A protected value keeps its realm for ever.
        engine.js.ValueUnprotect(context, runtime)
        engine.js.GlobalContextRelease(context)
    }

    private func makeNatives() -> JSObject {
        let js = engine.js
        natives = Native.all.map { Native(realm: self, body: $0.body) }
        let object = js.ObjectMake(context, nil, nil)
        for (native, (name, _)) in zip(natives, Native.all) {
            let function = js.ObjectMake(context, engine.nativeClass, Unmanaged.passUnretained(native).toOpaque())
            set(name, of: object, to: function)
        }
        return object
    }

    /// Evaluates the prelude of a kind, before anything of the tenant's.
    func use(_ kind: ScriptRun.Kind) throws(Defect) {
        guard self.kind != kind else { return }
        let prelude = try evaluate(script: "kinds/\(kind.rawValue).js")
        guard let use = get("use", of: runtime) else { throw Defect(description: "runtime.js has no 'use'") }
        _ = try call(use, [.value(prelude)])
        self.kind = kind
    }

    /// The value of a script of ours.
    func evaluate(script name: String) throws(Defect) -> JSValue {
        guard let source = engine.prelude(name) else { throw Defect(description: "There is no \(name)") }
        let (value, exception) = evaluate(source, url: "portico:" + name)
        guard let value, exception == nil else { throw Defect(description: "\(name): \(text(exception))") }
        return value
    }

    func evaluate(_ source: String, url: String) -> (JSValue?, exception: JSValue?) {
        engine.withString(source) { evaluate($0, url: url) }
    }

    private func evaluate(_ source: JSString, url: String) -> (JSValue?, exception: JSValue?) {
        var exception: JSValue?
        let value = engine.withString(url) { url in
            engine.js.EvaluateScript(context, source, nil, url, 1, &exception)
        }
        return (value, exception)
    }

    /// What a function of ours is called with.
    enum Argument {
        case value(JSValue)
        case text(String)
        case number(Double)
        case boolean(Bool)
    }

    /// The collector looks for values on the stack, and not in an array of Swift's: those that nothing else holds would be
    /// gone, or others, as soon as the next one is made.
    private func withValues<R>(_ arguments: [Argument], _ body: ([JSValue]) -> R) -> R {
        for case .value(let value) in arguments { engine.js.ValueProtect(context, value) }
        let values = arguments.map { argument -> JSValue in
            switch argument {
            case .value(let value): return value
            case .number(let value): return number(value)
            case .boolean(let value): return boolean(value)
            case .text(let text):
                let value = string(text)
                engine.js.ValueProtect(context, value)
                return value
            }
        }
        defer {
            for (argument, value) in zip(arguments, values) {
                switch argument {
                case .value, .text: engine.js.ValueUnprotect(context, value)
                case .number, .boolean: break
                }
            }
        }
        return body(values)
    }

    private func call(_ function: JSObject, _ arguments: [Argument]) throws(Defect) -> JSValue {
        var exception: JSValue?
        let value = withValues(arguments) { values in
            engine.js.ObjectCallAsFunction(context, function, nil, values.count, values, &exception)
        }
        guard let value, exception == nil else { throw Defect(description: text(exception)) }
        return value
    }

    /// Calls a function of the runtime; the tenant's code may run in it.
    /// - Returns: what it threw.
    func invoke(_ name: String, _ arguments: [Argument]) -> JSValue? {
        withValues(arguments) { values in
            guard let function = get(name, of: runtime) else { return string("runtime.js has no '\(name)'") }
            var exception: JSValue?
            _ = engine.js.ObjectCallAsFunction(context, function, runtime, values.count, values, &exception)
            return exception
        }
    }

    /// What was thrown, as the runtime describes it.
    func failure(_ exception: JSValue) -> String {
        guard let describe = get("describe", of: runtime), let text = try? call(describe, [.value(exception)]) else {
            return #"{"name":"Error","message":"[unprintable]","stack":""}"#
        }
        return self.text(text)
    }
}

// MARK: Values

extension Realm {
    func string(_ text: String) -> JSValue {
        engine.withString(text) { engine.js.ValueMakeString(context, $0) }
    }

    func number(_ value: Double) -> JSValue { engine.js.ValueMakeNumber(context, value) }

    func boolean(_ value: Bool) -> JSValue { engine.js.ValueMakeBoolean(context, value) }

    var undefined: JSValue { engine.js.ValueMakeUndefined(context) }

    /// A value as text; of an object its own `toString` decides.
    func text(_ value: JSValue?) -> String {
        guard let value, let copy = engine.js.ValueToStringCopy(context, value, nil) else { return "" }
        defer { engine.js.StringRelease(copy) }
        return String(
            decoding: UnsafeBufferPointer(
                start: engine.js.StringGetCharactersPtr(copy), count: engine.js.StringGetLength(copy)),
            as: UTF16.self)
    }

    func number(of value: JSValue?) -> Double {
        value.map { engine.js.ValueToNumber(context, $0, nil) } ?? .nan
    }

    func get(_ name: String, of object: JSObject) -> JSValue? {
        engine.withString(name) { engine.js.ObjectGetProperty(context, object, $0, nil) }
    }

    func set(_ name: String, of object: JSObject, to value: JSValue) {
        engine.withString(name) { engine.js.ObjectSetProperty(context, object, $0, value, 0, nil) }
    }

    /// A copy of the bytes of a Uint8Array.
    func bytes(_ value: JSValue?) -> [UInt8]? {
        guard let value, engine.js.ValueGetTypedArrayType(context, value, nil) == Int32(JSTypedArrayUint8) else {
            return nil
        }
        let count = engine.js.ObjectGetTypedArrayByteLength(context, value, nil)
        guard count > 0 else { return [] }
        guard let start = engine.js.ObjectGetTypedArrayBytesPtr(context, value, nil) else { return nil }
        // The pointer is the buffer's, and the array may be a view that begins later.
        let offset = engine.js.ObjectGetTypedArrayByteOffset(context, value, nil)
        return [UInt8](UnsafeRawBufferPointer(start: start + offset, count: count))
    }

    func uint8Array(_ bytes: [UInt8]) -> JSValue? {
        guard let array = engine.js.ObjectMakeTypedArray(context, Int32(JSTypedArrayUint8), bytes.count, nil) else {
            return nil
        }
        if !bytes.isEmpty, let start = engine.js.ObjectGetTypedArrayBytesPtr(context, array, nil) {
            start.copyMemory(from: bytes, byteCount: bytes.count)
        }
        return array
    }

    func error(_ message: String) -> JSValue? {
        engine.js.ObjectMakeError(context, 1, [string(message)], nil)
    }
}
