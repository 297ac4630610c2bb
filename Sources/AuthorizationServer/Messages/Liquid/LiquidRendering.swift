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
    private var budget = LiquidBudget()

    /// Steps that no mail has.
    private static let mostSteps = 20_000

    init(variables: JSONObject, format: LiquidTemplate.Format, now: Date) {
        (self.variables, self.format, self.now) = (variables, format, now)
    }

    mutating func render(_ nodes: [LiquidNode]) throws(LiquidProblem) {
        for node in nodes {
            steps += 1
            guard steps <= Self.mostSteps, output.utf8.count <= LiquidBudget.mostBytes else {
                throw LiquidProblem(
                    line: 1, message: "the text becomes longer than \(LiquidBudget.mostBytes / 1024) KB")
            }
            switch node {
            case .text(let text): try append(text)
            case .output(let expression): try append(evaluate(expression))
            case .branches(let branches): try render(branches)
            case .loop(let loop): try render(loop)
            case .assign(let name, let expression): set(name, try evaluate(expression))
            case .capture(let name, let nodes):
                let before = output
                output = ""
                try render(nodes)
                try LiquidBudget.require(output.utf8.count)
                set(name, LiquidValue(value: .string(output), isSafe: true))
                output = before
            }
        }
    }

    private mutating func set(_ name: String, _ value: LiquidValue) {
        variables[name] = value.value
        if value.isSafe { safe.insert(name) } else { safe.remove(name) }
    }

    private mutating func append(_ value: LiquidValue) throws(LiquidProblem) {
        let text = value.text
        try append(format == .html && !value.isSafe ? text.escapedForHTML : text)
    }

    private mutating func append(_ text: String) throws(LiquidProblem) {
        try budget.spend(text.utf8.count)
        output += text
    }

    private mutating func render(
        _ branches: [(condition: LiquidCondition?, nodes: [LiquidNode])]
    ) throws(LiquidProblem) {
        for branch in branches {
            if let condition = branch.condition, try !holds(condition) { continue }
            return try render(branch.nodes)
        }
    }

    private mutating func render(_ loop: LiquidLoop) throws(LiquidProblem) {
        var elements = try value(of: loop.list).value.array ?? []
        try budget.spend(elements.count)
        if let offset = loop.offset {
            elements = Array(elements.dropFirst(max(0, try value(of: offset).value.integer ?? 0)))
        }
        if let limit = loop.limit {
            elements = Array(elements.prefix(max(0, try value(of: limit).value.integer ?? 0)))
        }
        if loop.isReversed { elements.reverse() }
        guard !elements.isEmpty else { return try render(loop.otherwise) }
        let before = (variables[loop.name], variables["forloop"])
        for (index, element) in elements.enumerated() {
            try budget.spend(0)
            set(loop.name, LiquidValue(value: element))
            variables["forloop"] = [
                "index": .integer(Int64(index + 1)), "index0": .integer(Int64(index)), "first": .bool(index == 0),
                "last": .bool(index == elements.count - 1), "length": .integer(Int64(elements.count)),
            ]
            try render(loop.body)
        }
        (variables[loop.name], variables["forloop"]) = before
    }

    private mutating func evaluate(_ expression: LiquidExpression) throws(LiquidProblem) -> LiquidValue {
        var result = try value(of: expression.operand)
        for application in expression.filters {
            var arguments: [JSONValue] = []
            for argument in application.arguments { arguments.append(try value(of: argument).value) }
            result = try application.filter.apply(to: result, arguments, now: now, &budget)
        }
        return result
    }

    private mutating func value(of operand: LiquidOperand) throws(LiquidProblem) -> LiquidValue {
        switch operand {
        case .literal(let value): return LiquidValue(value: value)
        case .empty, .blank: return LiquidValue(value: "")
        case .variable(let name, let path):
            var value = variables[name] ?? .null
            for step in path { value = try self.value(at: step, of: value) }
            return LiquidValue(value: value, isSafe: path.isEmpty && safe.contains(name))
        }
    }

    private mutating func value(
        at step: LiquidOperand.Step, of value: JSONValue
    ) throws(LiquidProblem) -> JSONValue {
        // The characters of a text are counted by going through them.
        try budget.spend(value.string?.utf8.count ?? 0)
        guard case .named(let operand) = step else { return Self.value(at: step, of: value) }
        switch try self.value(of: operand).value {
        case .string(let name): return Self.value(at: .member(name), of: value)
        case .integer(let index): return Self.value(at: .element(Int(index)), of: value)
        default: return .null
        }
    }

    private static func value(at step: LiquidOperand.Step, of value: JSONValue) -> JSONValue {
        switch step {
        case .member("size") where value.object?["size"] == nil:
            (value.array?.count ?? value.string?.count).map { .integer(Int64($0)) } ?? .null
        case .member("first"): value.array?.first ?? value.object?["first"] ?? .null
        case .member("last"): value.array?.last ?? value.object?["last"] ?? .null
        case .member(let name): value.object?[name] ?? .null
        case .element(let index): value.array.flatMap { element(index, of: $0) } ?? .null
        case .named: .null
        }
    }

    /// Negative ones count from the end.
    private static func element(_ index: Int, of array: [JSONValue]) -> JSONValue? {
        let place = index < 0 ? array.count + index : index
        return array.indices.contains(place) ? array[place] : nil
    }

    private mutating func holds(_ condition: LiquidCondition) throws(LiquidProblem) -> Bool {
        switch condition {
        case .truth(let operand): return try value(of: operand).isTrue
        case .both(let left, let right): return try holds(left) ? holds(right) : false
        case .either(let left, let right): return try holds(left) ? true : holds(right)
        case .not(let condition): return try !holds(condition)
        case .comparison(let left, let relation, let right):
            let (one, other) = (try value(of: left), try value(of: right))
            try budget.spend(one.cost + other.cost)
            switch relation {
            case .equal: return Self.isEqual((left, one), (right, other))
            case .unequal: return !Self.isEqual((left, one), (right, other))
            case .contains: return try contains(one, other)
            case .less, .greater, .notGreater, .notLess: return Self.isOrdered(one.value, relation, other.value)
            }
        }
    }

    private mutating func contains(_ whole: LiquidValue, _ part: LiquidValue) throws(LiquidProblem) -> Bool {
        if let elements = whole.value.array { return elements.contains(part.value) }
        let (text, searched) = (whole.text, part.text)
        try budget.spend(on: text, lookingFor: searched)
        return !searched.isEmpty && text.contains(searched)
    }

    private static func isOrdered(
        _ left: JSONValue, _ relation: LiquidCondition.Relation, _ right: JSONValue
    ) -> Bool {
        guard let (one, other) = numbers(left, right) else { return false }
        return switch relation {
        case .less: one < other
        case .greater: one > other
        case .notGreater: one <= other
        default: one >= other
        }
    }

    private typealias Side = (operand: LiquidOperand, value: LiquidValue)

    private static func isEqual(_ left: Side, _ right: Side) -> Bool {
        switch (left.operand, right.operand) {
        case (.empty, _): return isEmpty(right.value.value)
        case (_, .empty): return isEmpty(left.value.value)
        case (.blank, _): return isBlank(right.value)
        case (_, .blank): return isBlank(left.value)
        default:
            let (one, other) = (left.value.value, right.value.value)
            return one == other || numbers(one, other).map { $0 == $1 } ?? false
        }
    }

    private static func isBlank(_ value: LiquidValue) -> Bool {
        !value.isTrue || isEmpty(value.value) || value.value.string?.allSatisfy(\.isWhitespace) == true
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
