import ArgumentParser
import AuthorizationServer
import Foundation
import OAuth
import Storage

/// `portico doctor`.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check configuration, database, keys, clock and callback URLs, and say what to mend.",
        discussion: "Ends with 1 where something must be mended.\n\nEXAMPLE\n  portico doctor --data /var/lib/portico")

    @OptionGroup var options: DataOptions

    /// What a check found.
    struct Finding {
        enum Grade: String { case good = "ok  ", warning = "warn", bad = "BAD " }
        let grade: Grade
        let text: String
    }

    func run() async throws {
        var findings: [Finding] = []
        do {
            let configuration = try await ServerConfiguration.read(flags: options.flags, file: options.config)
            findings += Checkup.configuration(configuration)
            let workspace = try await Workspace(configuration: configuration)
            findings += try await Checkup(workspace: workspace).findings()
        } catch {
            findings.append(Finding(grade: .bad, text: "\(error)"))
        }
        for finding in findings { print("\(finding.grade.rawValue)  \(finding.text)") }
        if findings.contains(where: { $0.grade == .bad }) { throw ExitCode(1) }
    }
}
