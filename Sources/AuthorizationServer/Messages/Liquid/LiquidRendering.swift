import Foundation
import OAuth

/// A value on its way into a text.
struct LiquidValue: Sendable {
    var value: JSONValue
    /// Whether a text is HTML already.
    var isSafe = false

    /// The value as a text; nothing is empty, a list is its elements' texts.
    var text: String {
        switch value {
        case .null: ""
        case .bool(let bool): bool ? "true" : "false"
        case .integer(let integer): String(integer)
        case .number(let number): String(number)
        case .string(let text): text
        case .array(let elements): elements.map { LiquidValue(value: $0).text }.joined()
        case .object: ""
        }
    }

    var isTrue: Bool { value != .null && value != .bool(false) }
}

/// A template in the making.
struct LiquidRendering {
    private(set) var output = ""
    private var variables: JSONObject
    /// The texts that `capture` has made of HTML.
    private var safe: Set<String> = []
    private let format: LiquidTemplate.Format
    private let now: Date
    private var steps = 0

    /// Steps, and bytes, that no mail has.
    private static let most = (steps: 20_000, bytes: 512 * 1024)

    init(variables: JSONObject, format: LiquidTemplate.Format, now: Date) {
        (self.variables, self.format, self.now) = (variables, format, now)
    }

    mutating func render(_ nodes: [LiquidNode]) throws(LiquidProblem) {
        for node in nodes {
            steps += 1
            guard steps <= Self.most.steps, output.utf8.count <= Self.most.bytes else {
                throw LiquidProblem(line: 1, message: "the text becomes longer than \(Self.most.bytes / 1024) KB")
            }
            switch node {
            case .text(let text): output += text
            case .output(let expression): append(evaluate(expression))
            case .branches(let branches):
                if let branch = branches.first(where: { $0.condition.map(holds) ?? true }) {
                    try render(branch.nodes)
                }
            case .loop(let loop): try render(loop)
            case .assign(let name, let expression):
                let value = evaluate(expression)
                set(name, value)
            case .capture(let name, let nodes):
                let before = output
                output = ""
                try render(nodes)
                set(name, LiquidValue(value: .string(output), isSafe: true))
                output = before
            }
        }
    }

    private mutating func set(_ name: String, _ value: LiquidValue) {
        variables[name] = value.value
        if value.isSafe { safe.insert(name) } else { safe.remove(name) }
    }

    private mutating func append(_ value: LiquidValue) {
        output += format == .html && !value.isSafe ? value.text.escapedForHTML : value.text
    }

    private mutating func render(_ loop: LiquidLoop) throws(LiquidProblem) {
        var elements = value(of: loop.list).value.array ?? []
        if let offset = loop.offset {
            elements = Array(elements.dropFirst(max(0, value(of: offset).value.integer ?? 0)))
        }
        if let limit = loop.limit { elements = Array(elements.prefix(max(0, value(of: limit).value.integer ?? 0))) }
        if loop.isReversed { elements.reverse() }
        guard !elements.isEmpty else { return try render(loop.otherwise) }
        let before = (variables[loop.name], variables["forloop"])
        for (index, element) in elements.enumerated() {
            set(loop.name, LiquidValue(value: element))
            variables["forloop"] = [
                "index": .integer(Int64(index + 1)), "index0": .integer(Int64(index)), "first": .bool(index == 0),
                "last": .bool(index == elements.count - 1), "length": .integer(Int64(elements.count)),
            ]
            try render(loop.body)
        }
        (variables[loop.name], variables["forloop"]) = before
    }

    private func evaluate(_ expression: LiquidExpression) -> LiquidValue {
        expression.filters.reduce(value(of: expression.operand)) { input, application in
            application.filter.apply(to: input, application.arguments.map { value(of: $0).value }, now: now)
        }
    }

    private func value(of operand: LiquidOperand) -> LiquidValue {
        switch operand {
        case .literal(let value): return LiquidValue(value: value)
        case .empty, .blank: return LiquidValue(value: "")
        case .variable(let name, let path):
            let start = variables[name] ?? .null
            return LiquidValue(
                value: path.reduce(start) { self.value(at: $1, of: $0) }, isSafe: path.isEmpty && safe.contains(name))
        }
    }

    private func value(at step: LiquidOperand.Step, of value: JSONValue) -> JSONValue {
        switch step {
        case .member("size") where value.object?["size"] == nil:
            (value.array?.count ?? value.string?.count).map { .integer(Int64($0)) } ?? .null
        case .member("first"): value.array?.first ?? value.object?["first"] ?? .null
        case .member("last"): value.array?.last ?? value.object?["last"] ?? .null
        case .member(let name): value.object?[name] ?? .null
        case .element(let index): value.array.flatMap { Self.element(index, of: $0) } ?? .null
        case .named(let operand):
            switch self.value(of: operand).value {
            case .string(let name): self.value(at: .member(name), of: value)
            case .integer(let index): self.value(at: .element(Int(index)), of: value)
            default: .null
            }
        }
    }

    /// Negative ones count from the end.
    private static func element(_ index: Int, of array: [JSONValue]) -> JSONValue? {
        let place = index < 0 ? array.count + index : index
        return array.indices.contains(place) ? array[place] : nil
    }

    private func holds(_ condition: LiquidCondition) -> Bool {
        switch condition {
        case .truth(let operand): value(of: operand).isTrue
        case .both(let left, let right): holds(left) && holds(right)
        case .either(let left, let right): holds(left) || holds(right)
        case .not(let condition): !holds(condition)
        case .comparison(let left, let relation, let right): holds(left, relation, right)
        }
    }

    private func holds(_ left: LiquidOperand, _ relation: LiquidCondition.Relation, _ right: LiquidOperand) -> Bool {
        switch relation {
        case .equal: return isEqual(left, right)
        case .unequal: return !isEqual(left, right)
        case .contains:
            let (whole, part) = (value(of: left), value(of: right))
            return whole.value.array?.contains(part.value) ?? (!part.text.isEmpty && whole.text.contains(part.text))
        case .less, .greater, .notGreater, .notLess:
            guard let (one, other) = Self.numbers(value(of: left).value, value(of: right).value) else { return false }
            return switch relation {
            case .less: one < other
            case .greater: one > other
            case .notGreater: one <= other
            default: one >= other
            }
        }
    }

    private func isEqual(_ left: LiquidOperand, _ right: LiquidOperand) -> Bool {
        switch (left, right) {
        case (.empty, let other), (let other, .empty): return Self.isEmpty(value(of: other).value)
        case (.blank, let other), (let other, .blank):
            let value = value(of: other)
            return !value.isTrue || Self.isEmpty(value.value)
                || value.value.string?.allSatisfy(\.isWhitespace) == true
        default:
            let (one, other) = (value(of: left).value, value(of: right).value)
            return one == other || Self.numbers(one, other).map { $0 == $1 } ?? false
        }
    }

    private static func isEmpty(_ value: JSONValue) -> Bool {
        value.string?.isEmpty ?? value.array?.isEmpty ?? value.object?.isEmpty ?? false
    }

    private static func numbers(_ one: JSONValue, _ other: JSONValue) -> (Double, Double)? {
        guard let one = one.double, let other = other.double else { return nil }
        return (one, other)
    }
}

extension JSONValue {
    /// A number; no text is one.
    var double: Double? {
        switch self {
        case .integer(let integer): Double(integer)
        case .number(let number): number
        default: nil
        }
    }
}

extension String {
    /// The text as HTML's content or attribute.
    var escapedForHTML: String {
        var escaped: [UInt8] = []
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "<"): escaped += Array("&lt;".utf8)
            case UInt8(ascii: ">"): escaped += Array("&gt;".utf8)
            case UInt8(ascii: "&"): escaped += Array("&amp;".utf8)
            case UInt8(ascii: "\""): escaped += Array("&quot;".utf8)
            case UInt8(ascii: "'"): escaped += Array("&#39;".utf8)
            default: escaped.append(byte)
            }
        }
        return String(decoding: escaped, as: UTF8.self)
    }
}
