import ArgumentParser
import AuthorizationServer
import Foundation
import Storage
import TenantConfiguration

/// `portico history`.
struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "List the applies of tenant files: when, who, and how many resources changed.",
        discussion: "The newest comes first; the last \(ConfigurationHistoryStore.most) are kept.\n\n"
            + "EXAMPLES\n  portico history\n  portico history --changes")

    @Flag(help: "Show what each apply changed.")
    var changes = false
    @OptionGroup var options: DataOptions

    func run() async throws {
        let applies = try await options.workspace().stores.configurationHistory.list()
        if applies.isEmpty { print("Nothing was applied yet.") }
        for apply in applies {
            let count = "\(apply.changes) change\(apply.changes == 1 ? "" : "s")"
            let end = apply.rolledBackAt.map { "  rolled back \($0.formatted(.iso8601))" } ?? ""
            print("\(apply.id)  \(apply.appliedAt.formatted(.iso8601))  \(apply.appliedBy)  \(count)\(end)")
            if changes { print(apply.summary.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n")) }
        }
    }
}

/// `portico rollback`.
struct RollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Take the last apply back.",
        discussion: """
            Shows what would change, and asks. Each resource that the last apply created, changed or deleted becomes what \
            it was before, its secret too; the others stay. Given again, it takes back the apply before that. A secret or \
            key that was replaced since the apply stays as it is: the one before may be known to somebody. What hung on a \
            deleted resource outside of the configuration does not come back: a role's users, an application's tokens.

            EXAMPLE
              portico rollback
            """)

    @Flag(help: "Take it back without asking.")
    var yes = false
    @OptionGroup var options: DataOptions

    func run() async throws {
        let workspace = try await options.workspace()
        let plan: Plan
        do {
            plan = try await Plan.rollback(stores: workspace.stores, box: workspace.secret.box)
        } catch let nothing as Plan.NothingToRollBack {
            throw CommandFailure(nothing.description)
        } catch let refused as DatabaseHasUsers {
            throw CommandFailure("The last apply cannot be taken back: \(refused)")
        }
        print(plan.text)
        guard yes || isConfirmed("Take the last apply back?") else {
            print("Nothing was changed.")
            throw ExitCode(1)
        }
        do {
            _ = try await plan.apply(to: workspace.stores, at: Date(), by: .here("rollback"))
        } catch let refused as DatabaseHasUsers {
            throw CommandFailure("The last apply cannot be taken back: \(refused)")
        } catch SQLError.foreignKeyViolation {
            throw CommandFailure(
                "The last apply cannot be taken back: something that it refers to was deleted since. "
                    + "Apply a tenant file that says what there shall be.")
        }
        print("The last apply is taken back.")
    }
}
