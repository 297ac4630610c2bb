import Foundation
import OAuth
import Storage
import TenantConfiguration

extension ChangeAuthor {
    /// Whoever runs this command.
    static func here(_ command: String) -> ChangeAuthor {
        ChangeAuthor(user: NSUserName(), hostname: ProcessInfo.processInfo.hostName, command: command)
    }

    /// Imports users, and tells the log when it begins and what it comes to: one that is stopped has begun.
    func importing(
        into connection: String, of stores: Stores, _ run: () async throws -> UserImport.Report
    ) async throws -> UserImport.Report {
        let subject: JSONObject = ["resource": "users", "connection": .string(connection)]
        try await log("Begin to import users into \(connection)", subject, to: stores, at: Date())
        let report = try await run()
        let outcome: JSONObject = [
            "inserted": .integer(Int64(report.inserted)), "updated": .integer(Int64(report.updated)),
            "present": .integer(Int64(report.present)), "rejected": .integer(Int64(report.rejected.count)),
        ]
        try await log(
            "Import users into \(connection)", subject.merging(outcome) { $1 }, to: stores, at: Date())
        return report
    }
}
