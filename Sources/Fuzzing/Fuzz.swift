import Foundation

/// Tries made inputs against a property. Everything follows from a seed, which a complaint names.
package enum Fuzz {
    /// What one input showed.
    package enum Verdict: Sendable {
        /// The input was taken, and what was made of it is right.
        case accepted
        /// The input was refused as it should be.
        case refused
        /// The property does not hold, in these words.
        case wrong(String)
    }

    /// What a run showed.
    package struct Outcome: Sendable {
        package fileprivate(set) var accepted = 0
        package fileprivate(set) var refused = 0
        /// The first input for which the property does not hold, with the seed that makes it again.
        package fileprivate(set) var complaint: String?

        /// Whether the inputs were neither so tame nor so wild that nothing was proved.
        package var isTelling: Bool { accepted > 20 && refused > 20 }
    }

    /// `PORTICO_FUZZ_SEED`; without it every run makes the same inputs.
    package static let seed = number("PORTICO_FUZZ_SEED") ?? 2_718_281_828
    /// `PORTICO_FUZZ_FACTOR`: how many times the usual number of inputs is tried.
    package static let factor = Int(number("PORTICO_FUZZ_FACTOR") ?? 1)

    private static func number(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap(UInt64.init)
    }

    /// How many inputs a test tries that usually tries `cases`.
    package static func cases(_ cases: Int) -> Int { cases * factor }

    /// Tries `cases` inputs, times ``factor``, and stops at the first that is wrong.
    /// - Parameter check: says what an input showed; an error that it throws is a complaint too.
    package static func run<Input>(
        _ cases: Int, _ make: (inout SeededGenerator) -> Input, _ check: (Input) throws -> Verdict
    ) -> Outcome {
        var generator = SeededGenerator(seed: seed)
        var outcome = Outcome()
        for index in 0..<Self.cases(cases) {
            let input = make(&generator)
            let verdict: Verdict
            do {
                verdict = try check(input)
            } catch {
                verdict = .wrong("an error of a kind that nobody expects: \(error)")
            }
            switch verdict {
            case .accepted: outcome.accepted += 1
            case .refused: outcome.refused += 1
            case .wrong(let text):
                outcome.complaint = complaint(text, String(reflecting: input), index)
                return outcome
            }
        }
        return outcome
    }

    /// The words for an input that is wrong.
    package static func complaint(_ text: String, _ input: String, _ index: Int) -> String {
        "\(text)\ninput \(index) of PORTICO_FUZZ_SEED=\(seed): \(input.prefix(4_000))"
    }
}
