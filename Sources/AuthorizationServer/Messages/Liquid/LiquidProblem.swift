/// What is wrong with a template, and where.
package struct LiquidProblem: Error, Sendable, Equatable, CustomStringConvertible {
    /// Counts from 1.
    package let line: Int
    package let message: String

    package var description: String { "line \(line): \(message)" }
}
