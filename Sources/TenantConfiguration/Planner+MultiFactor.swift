import OAuth
import Storage

extension Planner {
    /// Plans which second factors there are, and whether every login needs one: `guardianFactors` and `guardianPolicies`.
    mutating func planMultiFactor() {
        var after = current.sections.multiFactor
        for entry in file.entries[.guardianFactors] ?? [] {
            guard let name = entry.members["name"]?.string else {
                problems.append(file.problem("\(entry.path).name", "is required"))
                continue
            }
            guard let isEnabled = entry.members["enabled"]?.bool else {
                problems.append(file.problem("\(entry.path).enabled", "must be true or false"))
                continue
            }
            if isEnabled, MultiFactorSettings.foreignFactors.contains(name) {
                notApplied.append("\(entry.path) '\(name)': not applied; this version does not have this factor")
                continue
            }
            if isEnabled, name == MultiFactorSettings.Factor.sms.rawValue, !sendsTextMessages {
                problems.append(file.problem("\(entry.path).enabled", MultiFactorSettings.needsTextMessages))
                continue
            }
            do throws(Document.Problem) {
                try after.set(name, isEnabled, path: "\(entry.path).name")
            } catch {
                problems.append(file.problem(error.path, error.message))
            }
        }
        if let entry = file.entries[.guardianPolicies]?.first {
            let changed = parse(
                Self.merged(after.document, entry.members), path: entry.path
            ) { document throws(Document.Problem) in
                try MultiFactorSettings(document: document)
            }
            if let changed { after = changed }
        }
        guard after != current.sections.multiFactor else { return }
        let saved = after
        plan(
            .guardianFactors, MultiFactorSettings.name, before: current.sections.multiFactor.document,
            after: saved.document
        ) { transaction, _ in
            try TenantSectionStore.save(saved, in: transaction)
        }
    }
}
