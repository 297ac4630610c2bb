import AuthorizationServer
import Foundation
import OAuth
import Storage

extension Planner {
    mutating func planRules() {
        guard let entries = file.entries[.rules] else { return }
        var seen: Set<String> = []
        var planned: [(rule: Rule, entry: TenantFile.Entry)] = []
        for entry in entries {
            let existing = current.rules.first { $0.name == entry.members["name"]?.string }
            let id = existing?.id ?? RandomBytes.alphanumeric(16, prefix: "rul_")
            var members = Self.merged(existing?.document ?? [:], entry.members)
            members["id"] = .string(id)
            if members["order"] == nil {
                let order = RuleRules.nextOrder(after: current.rules + planned.map(\.rule))
                members["order"] = .integer(Int64(order))
            }
            let parsed = parse(members, path: entry.path) { document throws(Document.Problem) in
                try Rule(document: document, standardID: id)
            }
            guard let rule = parsed, isFirst(rule.name, &seen, entry) else { continue }
            planned.append((rule, entry))
        }
        let others = current.rules.filter { !seen.contains($0.name) }
        let removed = allowDelete ? others.filter { !file.excluded.covers(.rules, $0.name) } : []
        rules = planned.map(\.rule) + others.filter { !removed.contains($0) }
        for (rule, entry) in planned {
            if let problem = RuleRules.problem(of: rule, among: rules) { note([problem], at: entry.path) }
            plan(
                .rules, rule.name, before: current.rules.first { $0.id == rule.id }?.document, after: rule.document
            ) { transaction, _ in
                // The rule that has the place is changed or deleted as well.
                try RuleStore.makeWay(for: rule.id, name: rule.name, order: rule.order, in: transaction)
                try RuleStore.save(rule, in: transaction)
            }
        }
        for rule in removed {
            planDelete(.rules, rule.name) { transaction, _ in try RuleStore.delete(rule.id, in: transaction) }
        }
    }

    /// Values are set and never removed: nothing that was exported has them, nor their keys.
    mutating func planRuleConfigurations() {
        var seen: Set<String> = []
        for entry in file.entries[.rulesConfigs] ?? [] {
            let parsed = parse(entry.members, path: entry.path) { document throws(Document.Problem) in
                try RuleValue(document)
            }
            guard let value = parsed, isFirst(value.key, &seen, entry) else { continue }
            let existing = current.ruleConfigurations.first { $0.key == value.key }
            do {
                guard try existing.map({ try box.open($0.sealedValue) }) != value.value else { continue }
                let configuration = RuleConfiguration(key: value.key, sealedValue: try box.seal(value.value))
                let members: JSONObject = ["key": .string(value.key)]
                plan(
                    .rulesConfigs, value.key, before: existing == nil ? nil : members, after: members,
                    alsoChanged: [
                        FieldDifference(field: "value", before: nil, after: existing == nil ? "(set)" : "(changed)")
                    ]
                ) { transaction, _ in
                    try RuleConfigurationStore.save(configuration, in: transaction)
                }
            } catch {
                problems.append(file.problem(entry.path, "\(error)"))
            }
        }
    }
}

/// An entry of `rulesConfigs`.
private struct RuleValue {
    let key: String
    let value: String

    init(_ document: Document) throws(Document.Problem) {
        var document = document
        key = try document.requiredString("key")
        if let problem = RuleConfiguration.problem(withKey: key) { throw document.problem("key", problem) }
        value = try document.requiredString("value", most: RuleConfiguration.longestValue)
        _ = try document.remaining(known: [])
    }
}
