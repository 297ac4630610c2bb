import OAuth

/// A value in a template: a literal, or the way to a variable.
enum LiquidOperand: Sendable, Equatable {
    case literal(JSONValue)
    /// What is there but has nothing in it: `empty`, and `blank`, which nothing and white space are as well.
    case empty
    case blank
    case variable(String, path: [Step])

    enum Step: Sendable, Equatable {
        case member(String)
        case element(Int)
        /// The member or element that a variable names.
        indirect case named(LiquidOperand)
    }
}

/// `operand | filter: argument, … | …`.
struct LiquidExpression: Sendable {
    let operand: LiquidOperand
    let filters: [Application]

    /// A filter with its arguments.
    struct Application: Sendable {
        let filter: LiquidFilter
        let arguments: [LiquidOperand]
    }
}

/// What a branch depends on.
indirect enum LiquidCondition: Sendable {
    case truth(LiquidOperand)
    case comparison(LiquidOperand, Relation, LiquidOperand)
    case both(LiquidCondition, LiquidCondition)
    case either(LiquidCondition, LiquidCondition)
    case not(LiquidCondition)

    enum Relation: String, Sendable, CaseIterable {
        case equal = "=="
        case unequal = "!="
        case less = "<"
        case greater = ">"
        case notGreater = "<="
        case notLess = ">="
        case contains
    }
}

/// Reads what stands inside of a tag.
struct LiquidExpressionReader {
    private var words: [Word]
    private var position = 0
    private let line: Int
    private var depth = 0

    /// How deep values, conditions and parts may stand in each other; each level takes stack when it is read and rendered.
    static let mostDepth = 64

    private enum Word: Equatable {
        case name(String)
        case literal(JSONValue)
        case sign(String)
    }

    init(_ text: String, line: Int) throws(LiquidProblem) {
        self.line = line
        words = try Self.words(text, line: line)
    }

    var isAtEnd: Bool { position >= words.count }

    func problem(_ message: String) -> LiquidProblem { LiquidProblem(line: line, message: message) }

    /// - Throws: ``LiquidProblem`` where something is left that nobody has read.
    func requireEnd() throws(LiquidProblem) {
        guard isAtEnd else { throw problem("\(describe(position)) is not expected here") }
    }

    /// Takes a name, or a sign such as `=`, where it is the next.
    mutating func take(_ word: String) -> Bool {
        guard position < words.count, words[position] == .name(word) || words[position] == .sign(word) else {
            return false
        }
        position += 1
        return true
    }

    mutating func name(for purpose: String) throws(LiquidProblem) -> String {
        guard position < words.count, case .name(let name) = words[position] else {
            throw problem("\(purpose) is missing")
        }
        position += 1
        return name
    }

    private mutating func descend() throws(LiquidProblem) {
        depth += 1
        guard depth <= Self.mostDepth else { throw problem("more than \(Self.mostDepth) are nested or joined") }
    }

    mutating func operand() throws(LiquidProblem) -> LiquidOperand {
        try descend()
        defer { depth -= 1 }
        guard position < words.count else { throw problem("a value is missing") }
        let word = words[position]
        position += 1
        switch word {
        case .literal(let value): return .literal(value)
        case .sign: throw problem("\(describe(position - 1)) is no value")
        case .name(let name):
            switch name {
            case "true": return .literal(true)
            case "false": return .literal(false)
            case "nil", "null": return .literal(.null)
            case "empty": return .empty
            case "blank": return .blank
            default: return .variable(name, path: try path())
            }
        }
    }

    private mutating func path() throws(LiquidProblem) -> [LiquidOperand.Step] {
        var steps: [LiquidOperand.Step] = []
        while true {
            if take(".") {
                steps.append(.member(try name(for: "a name after '.'")))
            } else if take("[") {
                switch try operand() {
                case .literal(.string(let name)): steps.append(.member(name))
                case .literal(.integer(let index)): steps.append(.element(Int(index)))
                case let other: steps.append(.named(other))
                }
                guard take("]") else { throw problem("']' is missing") }
            } else {
                return steps
            }
        }
    }

    mutating func expression() throws(LiquidProblem) -> LiquidExpression {
        let operand = try operand()
        var filters: [LiquidExpression.Application] = []
        while take("|") {
            let name = try name(for: "a filter's name after '|'")
            guard let filter = LiquidFilter(rawValue: name) else {
                throw problem("there is no filter '\(name)'; there are \(LiquidFilter.list)")
            }
            var arguments: [LiquidOperand] = []
            if take(":") {
                repeat { arguments.append(try self.operand()) } while take(",")
            }
            guard filter.arguments.contains(arguments.count) else {
                throw problem("the filter '\(name)' takes \(filter.argumentsInWords)")
            }
            filters.append(LiquidExpression.Application(filter: filter, arguments: arguments))
        }
        return LiquidExpression(operand: operand, filters: filters)
    }

    /// Liquid reads `and` and `or` from the right, none before the other.
    mutating func condition() throws(LiquidProblem) -> LiquidCondition {
        try descend()
        defer { depth -= 1 }
        let left = try operand()
        var condition = LiquidCondition.truth(left)
        for relation in LiquidCondition.Relation.allCases where take(relation.rawValue) {
            condition = .comparison(left, relation, try operand())
            break
        }
        if take("and") { return .both(condition, try self.condition()) }
        if take("or") { return .either(condition, try self.condition()) }
        return condition
    }

    private func describe(_ position: Int) -> String {
        switch words.indices.contains(position) ? words[position] : .sign("the end") {
        case .name(let name): "'\(name.forDisplay)'"
        case .literal: "a literal"
        case .sign(let sign): "'\(sign)'"
        }
    }

    private static func words(_ text: String, line: Int) throws(LiquidProblem) -> [Word] {
        var (rest, words) = (Substring(text), [Word]())
        while let first = rest.first {
            if first.isWhitespace {
                rest = rest.dropFirst()
            } else if first == "\"" || first == "'" {
                rest = rest.dropFirst()
                guard let end = rest.firstIndex(of: first) else {
                    throw LiquidProblem(line: line, message: "a quoted text has no end")
                }
                words.append(.literal(.string(String(rest[..<end]))))
                rest = rest[rest.index(after: end)...]
            } else if first.isLetter || first == "_" {
                let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" }
                words.append(.name(String(name)))
                rest = rest.dropFirst(name.count)
            } else if first.isASCII, first.isNumber || first == "-" {
                let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == "-" || $0 == ".") }
                guard let value = Int64(digits).map(JSONValue.integer) ?? Double(digits).map(JSONValue.number) else {
                    throw LiquidProblem(line: line, message: "'\(digits)' is no number")
                }
                words.append(.literal(value))
                rest = rest.dropFirst(digits.count)
            } else if let sign = ["==", "!=", "<>", "<=", ">="].first(where: rest.hasPrefix) {
                words.append(.sign(sign == "<>" ? "!=" : sign))
                rest = rest.dropFirst(2)
            } else if "|:,.[]<>=".contains(first) {
                words.append(.sign(String(first)))
                rest = rest.dropFirst()
            } else {
                throw LiquidProblem(line: line, message: "'\(String(first).forDisplay)' is not expected here")
            }
        }
        return words
    }
}
