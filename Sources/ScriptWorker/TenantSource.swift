import CJavaScriptCore
import Foundation
import Scripting

/// The tenant's texts as functions. Remembers how each was to be read, since a worker runs the same ones again and again.
final class TenantSource {
    /// How a text becomes a function: `factory(exports, module, require)` runs a module, or answers what the text is.
    private enum Form: Equatable {
        case module
        case expression
        /// Declarations; the value is the function of this name.
        case declarations(String)
    }

    private struct Key: Hashable {
        let kind: ScriptRun.Kind
        let source: String
    }

    private static let parameters = ["exports", "module", "require"]
    /// Lines that JSObjectMakeFunction puts before a body.
    private static let linesBefore = 2

    private var forms: [Key: Form] = [:]

    init() {}

    /// The function that the runtime calls as `factory`.
    func compile(_ run: ScriptRun, in realm: Realm) -> Result<JSObject, ScriptFailure> {
        let key = Key(kind: run.kind, source: run.source)
        if let form = forms[key] { return evaluate(form, run, in: realm) }
        let candidates: [Form] =
            run.kind == .action
            ? [.module]
            : [.expression] + Self.functionName(in: run.source).map { [.declarations($0)] }.orEmpty
        var first: ScriptFailure?
        for form in candidates {
            switch check(form, run, in: realm) {
            case .some(let failure): first = first ?? failure
            case nil:
                if forms.count >= 200 { forms = [:] }
                forms[key] = form
                return evaluate(form, run, in: realm)
            }
        }
        return .failure(first ?? ScriptFailure(name: "SyntaxError", message: "The script is empty"))
    }

    private static func functionName(in source: String) -> String? {
        source.firstMatch(of: /(?:^|\n)[ \t]*(?:async[ \t]+)?function[ \t]*\*?[ \t]*([A-Za-z_$][\w$]*)/)
            .map { String($0.1) }
    }

    /// The body of a function; the tenant's first line is its first line.
    private func body(_ form: Form, _ source: String) -> String {
        switch form {
        case .module: return source + "\n"
        case .expression:
            // A function that somebody wrote as a statement.
            var text = source[...]
            while let last = text.last, last.isWhitespace || last == ";" { text.removeLast() }
            return "return (" + text + "\n)"
        case .declarations(let name): return source + "\nreturn \(name)"
        }
    }

    /// Whether the text is a function's body by itself: one that closes the function too early is not.
    private func check(_ form: Form, _ run: ScriptRun, in realm: Realm) -> ScriptFailure? {
        let js = realm.engine.js
        var exception: JSValue?
        let names = Self.parameters.map(realm.engine.string)
        defer { names.forEach(js.StringRelease) }
        realm.engine.withString(body(form, run.source)) { body in
            realm.engine.withString(run.name) { url in
                _ = js.ObjectMakeFunction(
                    realm.context, nil, UInt32(names.count), names, body, url, 1, &exception)
            }
        }
        guard let exception else { return nil }
        let line = realm.get("line", of: exception).map { Int(realm.number(of: $0)) - Self.linesBefore }
        let text = realm.text(exception).split(separator: ": ", maxSplits: 1)
        let isNamed = text.count == 2
        let lines = run.source.count { $0.isNewline } + 1
        let place = line.map { min(max(1, $0), lines) }
        return ScriptFailure(
            name: isNamed ? String(text[0]) : "SyntaxError", message: String(text.last ?? ""),
            stack: place.map { "    at \(run.name):\($0)" } ?? "", line: place)
    }

    private func evaluate(_ form: Form, _ run: ScriptRun, in realm: Realm) -> Result<JSObject, ScriptFailure> {
        let text = "(function (" + Self.parameters.joined(separator: ", ") + ") {" + body(form, run.source) + "})"
        let (value, exception) = realm.evaluate(text, url: Self.url(run.name))
        if let exception { return .failure(Self.failure(realm.failure(exception), name: run.name)) }
        guard let value else { return .failure(ScriptFailure(name: "SyntaxError", message: "The script is empty")) }
        return .success(value)
    }

    /// A name that stands in one line of a stack trace.
    private static func url(_ name: String) -> String {
        String(name.map { $0.isNewline || $0 == ":" || $0 == "@" ? " " : $0 })
    }
}

extension Optional where Wrapped: RangeReplaceableCollection {
    fileprivate var orEmpty: Wrapped { self ?? Wrapped() }
}

// MARK: What it throws

extension TenantSource {
    /// What the runtime says of an error, as it does in JSON.
    private struct Description: Decodable {
        let name: String
        let message: String
        let code: String?
        let stack: String
        let line: Double?
    }

    private static let most = 4096
    private static let mostFrames = 10

    /// - Parameter name: the run's.
    static func failure(_ text: String, name: String) -> ScriptFailure {
        guard let facts = try? JSONDecoder().decode(Description.self, from: Data(text.utf8)) else {
            return ScriptFailure(name: "Error", message: String(text.prefix(most)))
        }
        let frames = frames(facts.stack, name: url(name))
        let head = facts.name + (facts.message.isEmpty ? "" : ": " + facts.message)
        return ScriptFailure(
            name: String(facts.name.prefix(128)), message: String(facts.message.prefix(most)),
            code: facts.code.map { String($0.prefix(128)) },
            stack: String(([head] + frames.map(\.text)).joined(separator: "\n").prefix(most)),
            line: frames.first?.line)
    }

    /// The engine writes `function@place:line:column`; here are those of the tenant's source, as Node writes them.
    private static func frames(_ stack: String, name: String) -> [(text: String, line: Int)] {
        stack.split(separator: "\n").lazy.compactMap { frame in
            guard let at = frame.lastIndex(of: "@") else { return nil }
            let place = frame[frame.index(after: at)...].split(separator: ":")
            guard place.count == 3, place[0] == name, let line = Int(place[1]) else { return nil }
            let function = frame[..<at]
            let position = "\(name):\(place[1]):\(place[2])"
            return (function.isEmpty ? "    at \(position)" : "    at \(function) (\(position))", line)
        }.prefix(mostFrames).map { $0 }
    }
}
