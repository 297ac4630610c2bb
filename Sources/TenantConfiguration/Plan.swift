import AuthorizationServer
import Foundation
import OAuth
import Storage

/// What applying a tenant file would change.
package struct Plan: Sendable {
    package let changes: [Change]
    /// What the file names and this version does not have, one line each.
    package let notApplied: [String]
    /// The configuration that the plan was made against.
    let version: Int
    /// Seals what the history keeps.
    let box: SecretBox
    var allowDelete = false
    /// The ids of the applications that the file gives none, by their places in it.
    var clientIDs: [String: String] = [:]
    /// The apply that this plan takes back; nil for one that makes a tenant as a file says.
    var takesBack: Int?

    /// One resource that would be created, changed or deleted.
    package struct Change: Sendable {
        /// What happens to a resource, with the sign that the plan shows.
        package enum Kind: String, Sendable { case create = "+", update = "~", delete = "-" }

        package let kind: Kind
        package let type: ResourceType
        package let name: String
        package let differences: [FieldDifference]
        /// A secret that was made for an application or API that has none; shown once, when it is stored.
        package var generatedSecret: String?
        let write: @Sendable (any SQLTransaction, Date) throws -> Void
    }

    package var isEmpty: Bool { changes.isEmpty }

    /// The plan as a reader sees it: `+` creates, `~` changes, `-` deletes.
    package var text: String {
        var lines = isEmpty ? [] : [changesText]
        lines += notApplied.map { "! \($0)" }
        let counts = [Change.Kind.create, .update, .delete].map { kind in changes.count { $0.kind == kind } }
        lines.append(
            isEmpty
                ? "Nothing to change."
                : "\(counts[0]) to create, \(counts[1]) to change, \(counts[2]) to delete.")
        return lines.joined(separator: "\n")
    }

    /// Each change, field by field, without secrets.
    var changesText: String {
        changes.flatMap { change in
            ["\(change.kind.rawValue) \(change.type.singular) \(change.name.forDisplay)"]
                + change.differences.map { "    \($0)" }
        }.joined(separator: "\n")
    }

    /// The same plan, with other remarks on what is not applied.
    func notApplying(_ remarks: [String]) -> Plan {
        Plan(
            changes: changes, notApplied: remarks, version: version, box: box, allowDelete: allowDelete,
            clientIDs: clientIDs, takesBack: takesBack)
    }

    /// What an apply did.
    package struct Outcome: Sendable {
        package let changes: [Change]

        package var text: String {
            let secrets = changes.compactMap { change in
                change.generatedSecret.map { secret in
                    let field = change.type == .clients ? "client_secret" : "signing_secret"
                    return "\(field) of \(change.name.forDisplay), shown this once: \(secret)"
                }
            }
            return (["Applied \(changes.count) change\(changes.count == 1 ? "" : "s")."] + secrets)
                .joined(separator: "\n")
        }
    }

    /// The configuration is not the one that the plan was made against.
    package struct Outdated: Error, CustomStringConvertible {
        package let description = "The configuration changed meanwhile, so the plan is out of date. Run apply again."
    }

    /// Makes every change in one transaction, or none, and notes it in the history and the log.
    /// - Parameter author: who applies it.
    /// - Throws: ``Outdated``, or ``SQLError``.
    package func apply(
        to stores: Stores, at now: Date, by author: ChangeAuthor = ChangeAuthor()
    ) async throws -> Outcome {
        let plan = self
        try await stores.database.write { transaction in
            try TenantStore.lockConfiguration(in: transaction)
            guard try TenantStore.configurationVersion(in: transaction) == plan.version else { throw Outdated() }
            let before = plan.isEmpty ? nil : try ConfigurationRows(in: transaction)
            for change in plan.changes { try change.write(transaction, now) }
            if let before {
                let after = try ConfigurationRows(in: transaction)
                let rows = try after.changes(since: before)
                try LogEventStore.append(
                    AppliedChange.all(try ConfigurationRows.changes(from: rows), before: before, after: after)
                        .map { $0.event(by: author, at: now) }, at: now, in: transaction)
                if plan.takesBack == nil {
                    try ConfigurationHistoryStore.append(
                        ConfigurationApply(
                            at: now, by: author.user, changes: plan.changes.count, summary: plan.changesText,
                            sealedRows: plan.box.seal(rows)), in: transaction)
                }
            }
            if let id = plan.takesBack {
                try ConfigurationHistoryStore.markRolledBack(id, at: now, in: transaction)
            }
            // Whatever changed, a plan that was made before is out of date now.
            if !plan.isEmpty { try TenantStore.configurationChanged(in: transaction) }
        }
        return Outcome(changes: changes)
    }
}

/// One field of a resource, before and after.
package struct FieldDifference: Sendable, Equatable, CustomStringConvertible {
    package let field: String
    package let before: String?
    package let after: String?

    package var description: String {
        switch (before, after) {
        case (let before?, let after?): "\(field): \(before) → \(after)"
        case (nil, let after?): "\(field): \(after)"
        case (let before?, nil): "\(field): \(before) → (removed)"
        case (nil, nil): field
        }
    }

    /// The fields in which two documents differ, nested ones by their path.
    static func between(_ before: JSONObject, _ after: JSONObject, path: String = "") -> [FieldDifference] {
        Set(before.keys).union(after.keys).sorted().flatMap { name -> [FieldDifference] in
            let field = path.isEmpty ? name : "\(path).\(name)"
            switch (before[name], after[name]) {
            case (let old, let new) where old == new: return []
            case (.object(let old)?, .object(let new)?): return between(old, new, path: field)
            case (let old, let new):
                return [FieldDifference(field: field, before: old.map(show), after: new.map(show))]
            }
        }
    }

    private static func show(_ value: JSONValue) -> String {
        let text = (try? JSON.text(value)) ?? ""
        return text.count > 200 ? text.prefix(200) + "…" : text
    }
}
