import OAuth

/// Makes a template's parts of its tokens.
struct LiquidParser {
    let tokens: [LiquidToken]
    private var position = 0
    private var depth = 0

    init(tokens: [LiquidToken]) { self.tokens = tokens }

    /// The tags that begin something, with those that may stand inside and the one that ends it.
    private static let blocks = ["if", "unless", "case", "for", "capture"]

    /// - Throws: ``LiquidProblem``.
    mutating func parse() throws(LiquidProblem) -> [LiquidNode] {
        let (nodes, end) = try parts(until: [])
        if let end { throw LiquidProblem(line: end.line, message: Self.unknown(end.name)) }
        return nodes
    }

    /// A tag at which a part ends.
    private struct End {
        let name: String
        let rest: String
        let line: Int
    }

    private mutating func parts(until ends: Set<String>) throws(LiquidProblem) -> ([LiquidNode], End?) {
        depth += 1
        defer { depth -= 1 }
        guard depth <= LiquidExpressionReader.mostDepth else {
            throw LiquidProblem(
                line: tokens.indices.contains(position) ? tokens[position].line : 1,
                message: "tags stand more than \(LiquidExpressionReader.mostDepth) deep in each other")
        }
        var nodes: [LiquidNode] = []
        while position < tokens.count {
            let token = tokens[position]
            position += 1
            switch token.kind {
            case .text(let text): nodes.append(.text(text))
            case .output(let text):
                var reader = try LiquidExpressionReader(text, line: token.line)
                nodes.append(.output(try reader.expression()))
                try reader.requireEnd()
            case .tag(let name, let rest):
                if ends.contains(name) { return (nodes, End(name: name, rest: rest, line: token.line)) }
                nodes.append(try node(name, rest, token.line))
            }
        }
        return (nodes, nil)
    }

    private mutating func node(_ name: String, _ rest: String, _ line: Int) throws(LiquidProblem) -> LiquidNode {
        var reader = try LiquidExpressionReader(rest, line: line)
        switch name {
        case "if", "unless":
            let condition = try reader.condition()
            try reader.requireEnd()
            return try branches(name, name == "if" ? condition : .not(condition), line)
        case "case":
            let subject = try reader.operand()
            try reader.requireEnd()
            return try cases(of: subject, line)
        case "for":
            return .loop(try loop(&reader, line))
        case "assign":
            let variable = try reader.name(for: "the variable's name")
            guard reader.take("=") else { throw reader.problem("'=' is missing after '\(variable)'") }
            let value = try reader.expression()
            try reader.requireEnd()
            return .assign(variable, value)
        case "capture":
            let variable = try reader.name(for: "the variable's name")
            try reader.requireEnd()
            return .capture(variable, try body(of: "capture", line))
        default: throw LiquidProblem(line: line, message: Self.unknown(name))
        }
    }

    private static func unknown(_ name: String) -> String {
        if name.hasPrefix("end") || ["else", "elsif", "when"].contains(name) {
            return "{% \(name) %} ends or divides nothing that has begun"
        }
        return
            "there is no tag '\(name.forDisplay)'; there are \((blocks + ["assign", "comment", "raw"]).joined(separator: ", "))"
    }

    private mutating func body(of name: String, _ line: Int) throws(LiquidProblem) -> [LiquidNode] {
        let (nodes, end) = try parts(until: ["end\(name)"])
        guard end != nil else { throw Self.endless(name, line) }
        return nodes
    }

    private static func endless(_ name: String, _ line: Int) -> LiquidProblem {
        LiquidProblem(line: line, message: "{% \(name) %} has no {% end\(name) %}")
    }

    private mutating func branches(
        _ name: String, _ condition: LiquidCondition, _ line: Int
    ) throws(LiquidProblem) -> LiquidNode {
        var branches: [(condition: LiquidCondition?, nodes: [LiquidNode])] = []
        var present: LiquidCondition? = condition
        while true {
            let (nodes, end) = try parts(until: present == nil ? ["end\(name)"] : ["elsif", "else", "end\(name)"])
            guard let end else { throw Self.endless(name, line) }
            branches.append((present, nodes))
            switch end.name {
            case "elsif":
                var reader = try LiquidExpressionReader(end.rest, line: end.line)
                present = try reader.condition()
                try reader.requireEnd()
            case "else": present = nil
            default: return .branches(branches)
            }
        }
    }

    private mutating func cases(of subject: LiquidOperand, _ line: Int) throws(LiquidProblem) -> LiquidNode {
        var branches: [(condition: LiquidCondition?, nodes: [LiquidNode])] = []
        var (_, end) = try parts(until: ["when", "else", "endcase"])
        while let present = end, present.name != "endcase" {
            var condition: LiquidCondition?
            if present.name == "when" {
                var reader = try LiquidExpressionReader(present.rest, line: present.line)
                var count = 0
                repeat {
                    count += 1
                    guard count <= LiquidExpressionReader.mostDepth else {
                        throw reader.problem("a 'when' has more than \(LiquidExpressionReader.mostDepth) values")
                    }
                    let one = LiquidCondition.comparison(subject, .equal, try reader.operand())
                    condition = condition.map { .either($0, one) } ?? one
                } while reader.take(",") || reader.take("or")
                try reader.requireEnd()
            }
            let (nodes, next) = try parts(until: condition == nil ? ["endcase"] : ["when", "else", "endcase"])
            branches.append((condition, nodes))
            end = next
        }
        guard end != nil else { throw Self.endless("case", line) }
        return .branches(branches)
    }

    private mutating func loop(
        _ reader: inout LiquidExpressionReader, _ line: Int
    ) throws(LiquidProblem) -> LiquidLoop {
        let name = try reader.name(for: "the name of each element")
        guard reader.take("in") else { throw reader.problem("'in' is missing after '\(name)'") }
        var loop = LiquidLoop(
            name: name, list: try reader.operand(), isReversed: false, body: [], otherwise: [])
        while !reader.isAtEnd {
            if reader.take("reversed") {
                loop.isReversed = true
            } else if reader.take("limit") {
                guard reader.take(":") else { throw reader.problem("':' is missing after 'limit'") }
                loop.limit = try reader.operand()
            } else if reader.take("offset") {
                guard reader.take(":") else { throw reader.problem("':' is missing after 'offset'") }
                loop.offset = try reader.operand()
            } else {
                try reader.requireEnd()
            }
        }
        let (body, end) = try parts(until: ["else", "endfor"])
        guard let end else { throw Self.endless("for", line) }
        loop.body = body
        if end.name == "else" { loop.otherwise = try self.body(of: "for", line) }
        return loop
    }
}
