import OAuth

/// What a migration did, for people: Markdown that a terminal shows well too.
package struct Auth0MigrationReport: Sendable {
    private let migration: Auth0Migration
    private let issuer: String
    private let wasApplied: Bool
    /// The import of the users, where there was one.
    package var users: UserImport.Report?

    /// How many users of one reason a terminal shows.
    private static let mostNames = 20

    /// - Parameter wasApplied: false for a report of what would be.
    package init(_ migration: Auth0Migration, issuer: String, wasApplied: Bool) {
        (self.migration, self.issuer, self.wasApplied) = (migration, issuer, wasApplied)
    }

    /// The applications that got a new `client_secret`, because an export has none.
    private var newSecrets: [String] {
        migration.plan.changes.filter { $0.type == .clients && $0.generatedSecret != nil }.map(\.name).sorted()
    }

    /// The report, without secrets.
    /// - Parameter isComplete: whether every user is named who was not taken over, and not only the first of them.
    package func text(isComplete: Bool) -> String {
        var lines = ["# Migration from Auth0"]
        func section(_ title: String, _ found: [String], none: String) {
            lines += ["", "## \(title)", ""] + (found.isEmpty ? [none] : found.map { "- \($0)" })
        }
        section("Taken over", taken, none: "Nothing.")
        section("Changed", changed, none: "Nothing.")
        section(
            "Kept for exports, without effect here", migration.withoutEffect,
            none: "Nothing: every setting that was taken over has its effect.")
        section(
            "Not taken over", migration.leftOut + leftOutOfUsers(isComplete: isComplete),
            none: "Nothing: everything in the export has its place.")
        section("What the applications must change", toChange, none: "Nothing.")
        if !wasApplied { lines += ["", "Nothing was written: this is what would be."] }
        return lines.joined(separator: "\n")
    }

    private var taken: [String] {
        var lines = migration.taken.map { type, names in
            "\(type.singular) (\(names.count)): \(names.map(\.forDisplay).joined(separator: ", "))"
        }
        if let users {
            lines.append(
                "users: \(users.inserted) new, \(users.present) there already, \(users.updated) given their password, "
                    + "\(users.rejected.count) not taken over")
        }
        return lines
    }

    private var changed: [String] {
        migration.changed
            + migration.newClientIDs.map { "application \($0.name.forDisplay): its client_id is \($0.id)" }
            + newSecrets.map { "application \($0.forDisplay): has a new secret, because exports have none" }
    }

    private func leftOutOfUsers(isComplete: Bool) -> [String] {
        guard let users else { return [] }
        let fields = users.leftOut.sorted { $0.key < $1.key }.map { field, count in
            "users: \(field.forDisplay) of \(count): \(Auth0UserExport.reason(field))"
        }
        let reasons = Dictionary(grouping: users.rejected, by: \.message).sorted { $0.key < $1.key }
        return fields
            + reasons.map { reason, rows in
                let shown = isComplete ? rows.count : min(rows.count, Self.mostNames)
                let names = rows.prefix(shown).map {
                    "\($0.email.isEmpty ? "" : "\($0.email.forDisplay), ")row \($0.index)"
                }
                let rest = rows.count > shown ? "; and \(rows.count - shown) more, whom --report FILE names" : ""
                return "users (\(rows.count)): \(reason): \(names.joined(separator: "; "))\(rest)"
            }
    }

    private var toChange: [String] {
        var lines = [
            "The domain: \(issuer) instead of https://YOUR-TENANT.auth0.com/. Issuer, discovery, keys and endpoints "
                + "follow from it."
        ]
        if !migration.newClientIDs.isEmpty {
            let names = migration.newClientIDs.map(\.name.forDisplay).joined(separator: ", ")
            lines.append(
                "The client_id of: \(names). An export with AUTH0_EXPORT_IDENTIFIERS=true has them, and keeps them.")
        }
        if !newSecrets.isEmpty {
            lines.append("The client secret of: \(newSecrets.map(\.forDisplay).joined(separator: ", "))")
        }
        lines.append("Nobody stays signed in: sessions and refresh tokens of the old tenant do not count here.")
        return lines
    }
}
