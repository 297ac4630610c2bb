import Foundation
import OAuth
import Storage

/// What can be done to a value in a template, one case each.
enum LiquidFilter: String, Sendable, CaseIterable {
    case append, prepend, replace, remove
    case upcase, downcase, capitalize, strip, truncate
    case `default`, size, first, last, join, split
    case plus, minus, times
    case dividedBy = "divided_by"
    case date
    case escape
    case urlEncode = "url_encode"
    case stripHTML = "strip_html"
    case newlineToBreak = "newline_to_br"
    case raw

    /// Their names.
    static let list = allCases.map(\.rawValue).joined(separator: ", ")

    /// How many arguments it takes.
    var arguments: ClosedRange<Int> {
        switch self {
        case .append, .prepend, .remove, .default, .split, .plus, .minus, .times, .dividedBy, .date: 1...1
        case .replace: 2...2
        case .truncate: 1...2
        case .join: 0...1
        default: 0...0
        }
    }

    var argumentsInWords: String {
        switch arguments {
        case 0...0: "no argument"
        case 1...1: "one argument"
        case 2...2: "two arguments"
        default: "\(arguments.lowerBound) or \(arguments.upperBound) arguments"
        }
    }

    /// - Parameter arguments: as many as ``arguments`` says.
    /// - Throws: ``LiquidProblem`` where the value becomes too long.
    func apply(
        to input: LiquidValue, _ arguments: [JSONValue], now: Date, _ budget: inout LiquidBudget
    ) throws(LiquidProblem) -> LiquidValue {
        let texts = arguments.map { LiquidValue(value: $0).text }
        let (text, first) = (input.text, texts.first ?? "")
        try budget.spend(text.utf8.count + texts.reduce(0) { $0 + $1.utf8.count })
        if [.replace, .remove, .split].contains(self) { try budget.spend(on: text, lookingFor: first) }
        let result = try result(of: input, text, arguments, texts, now: now)
        try budget.spend(result.cost)
        // Whole values go through as they came: a user's metadata may be longer.
        if let made = result.value.string, made != input.value.string { try LiquidBudget.require(made.utf8.count) }
        return result
    }

    private func result(
        of input: LiquidValue, _ text: String, _ arguments: [JSONValue], _ texts: [String], now: Date
    ) throws(LiquidProblem) -> LiquidValue {
        let first = texts.first ?? ""
        switch self {
        case .append: return .plain(try LiquidText.joined([text, first]))
        case .prepend: return .plain(try LiquidText.joined([first, text]))
        case .replace: return .plain(try LiquidText.replacing(first, in: text, with: texts.last ?? ""))
        case .remove: return .plain(try LiquidText.replacing(first, in: text, with: ""))
        case .upcase: return .plain(text.uppercased())
        case .downcase: return .plain(text.lowercased())
        case .capitalize: return .plain(text.prefix(1).uppercased() + text.dropFirst())
        case .strip: return .plain(text.trimmingCharacters(in: .whitespacesAndNewlines))
        case .truncate:
            return .plain(
                try LiquidText.truncated(
                    text, to: arguments.first?.integer ?? 50, end: texts.count == 2 ? texts[1] : "..."))
        case .default:
            let isMissing = !input.isTrue || input.value == "" || input.value == [] || input.value == [:]
            return isMissing ? LiquidValue(value: arguments.first ?? .null) : input
        case .size:
            return LiquidValue(value: .integer(Int64(input.value.array?.count ?? text.count)))
        case .first: return LiquidValue(value: input.value.array?.first ?? .null)
        case .last: return LiquidValue(value: input.value.array?.last ?? .null)
        case .join:
            let texts = (input.value.array ?? [input.value]).map { LiquidValue(value: $0).text }
            return .plain(try LiquidText.joined(texts, separator: arguments.isEmpty ? " " : first))
        case .split:
            return LiquidValue(
                value: JSONValue(
                    try first.isEmpty ? LiquidText.characters(text) : LiquidText.split(text, by: first)))
        case .plus, .minus, .times, .dividedBy:
            return LiquidValue(value: calculate(Self.number(input.value), Self.number(arguments.first ?? .null)))
        case .date: return .plain(LiquidDate.text(of: input.value, format: first, now: now) ?? text)
        case .escape: return LiquidValue(value: .string(input.isSafe ? text : text.escapedForHTML), isSafe: true)
        case .urlEncode: return .plain(FormEncoding.percentEncoded(text))
        case .stripHTML: return .plain(LiquidText.withoutTags(text))
        case .newlineToBreak:
            let html = input.isSafe ? text : text.escapedForHTML
            return LiquidValue(value: .string(html.replacing("\n", with: "<br>\n")), isSafe: true)
        case .raw: return LiquidValue(value: .string(text), isSafe: true)
        }
    }

    private static func number(_ value: JSONValue) -> JSONValue {
        guard let text = value.string else { return value }
        return Int64(text).map(JSONValue.integer) ?? Double(text).map(JSONValue.number) ?? .integer(0)
    }

    /// Whole numbers stay whole, as Liquid's do; what cannot be calculated is nothing.
    private func calculate(_ left: JSONValue, _ right: JSONValue) -> JSONValue {
        if case .integer(let one) = left, case .integer(let other) = right {
            let (result, overflows) =
                switch self {
                case .plus: one.addingReportingOverflow(other)
                case .minus: one.subtractingReportingOverflow(other)
                case .times: one.multipliedReportingOverflow(by: other)
                default: one.dividedReportingOverflow(by: other)
                }
            return overflows ? .null : .integer(result)
        }
        guard let one = left.double, let other = right.double else { return .null }
        let result =
            switch self {
            case .plus: one + other
            case .minus: one - other
            case .times: one * other
            default: one / other
            }
        return result.isFinite ? .number(result) : .null
    }
}

extension LiquidValue {
    /// A text that is not HTML.
    fileprivate static func plain(_ text: some StringProtocol) -> LiquidValue {
        LiquidValue(value: .string(String(text)))
    }
}
