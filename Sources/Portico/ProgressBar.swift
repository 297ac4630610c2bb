import Foundation
import TenantConfiguration

/// A bar on the terminal's error stream; nothing where that is no terminal.
struct ProgressBar: Sendable {
    let label: String
    private let isTerminal = isatty(2) == 1

    init(label: String) { self.label = label }

    func show(_ progress: UserImport.Progress) {
        guard isTerminal else { return }
        let filled = Int(progress.fraction * 30)
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 30 - filled)
        write("\r\(bar) \(Int(progress.fraction * 100)) %  \(progress.processed) \(label)")
    }

    func finish() { if isTerminal { write("\n") } }

    private func write(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
}
