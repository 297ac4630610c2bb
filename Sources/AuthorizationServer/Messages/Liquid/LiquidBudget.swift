import OAuth

/// What a template may still do: it bounds the time and the memory that one text takes, whatever its author wrote.
struct LiquidBudget: Sendable {
    /// Bytes of one value, and of the text.
    static let mostBytes = 512 * 1024
    /// What one operation costs besides the bytes that it reads and writes.
    private static let least = 64

    /// Bytes that may still be read or written on the way to the text.
    private var rest = 16 * 1024 * 1024

    /// Takes what an operation costs, before it is done.
    /// - Parameter bytes: those it reads and writes.
    mutating func spend(_ bytes: Int) throws(LiquidProblem) {
        guard bytes <= rest, rest - bytes >= Self.least else {
            throw LiquidProblem(line: 1, message: "the text takes too much work; go through fewer or shorter values")
        }
        rest -= bytes + Self.least
    }

    /// Takes what looking for one text in another costs.
    mutating func spend(on text: String, lookingFor part: String) throws(LiquidProblem) {
        let (cost, overflows) = text.utf8.count.multipliedReportingOverflow(by: max(1, part.utf8.count / 16))
        try spend(overflows ? .max : cost)
    }

    /// - Parameter bytes: how long a value is going to be, summed up before it is built.
    static func require(_ bytes: Int) throws(LiquidProblem) {
        guard bytes <= mostBytes else {
            throw LiquidProblem(line: 1, message: "a value becomes longer than \(mostBytes / 1024) KB")
        }
    }
}

extension LiquidValue {
    /// Bytes of a text, and about as many as a list's elements take without what is in them.
    var cost: Int { value.string?.utf8.count ?? (value.array?.count ?? 0) * 32 }
}
