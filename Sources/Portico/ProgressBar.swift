import Foundation

/// A bar on the terminal's error stream; nothing where that is no terminal.
struct ProgressBar: Sendable {
    let label: String
    private let isTerminal = isatty(2) == 1

    init(label: String) { self.label = label }

    /// - Parameters:
    ///   - count: what is done so far, of what the label says.
    ///   - fraction: how much of everything that is, from 0 to 1.
    ///   - note: what is being done.
    func show(_ count: Int, fraction: Double, note: String = "") {
        guard isTerminal else { return }
        let filled = Int(fraction * 30)
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 30 - filled)
        // The rest of a longer line before is erased.
        write("\r\(bar) \(Int(fraction * 100)) %  \(count) \(label)\(note)\u{1B}[K")
    }

    func finish() { if isTerminal { write("\n") } }

    private func write(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
}
