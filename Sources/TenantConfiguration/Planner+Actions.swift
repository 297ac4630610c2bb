import AuthorizationServer
import Foundation
import OAuth
import Storage

extension Planner {
    mutating func planActions() {
        guard let entries = file.entries[.actions] else { return }
        var seen: Set<String> = []
        for entry in entries {
            guard entry.members["integration"] == nil else {
                notApplied.append("\(entry.path): not applied; it is an action of Auth0's marketplace")
                continue
            }
            planAction(entry, &seen)
        }
        if seen.count > Action.most {
            problems.append(file.problem("actions", "a tenant may have \(Action.most) at most"))
        }
        guard allowDelete else { return }
        for action in current.actions
        where !seen.contains(action.name) && !file.excluded.covers(.actions, action.name) {
            actions[action.name] = nil
            planDelete(.actions, action.name) { transaction, _ in try ActionStore.delete(action.id, in: transaction) }
        }
    }

    private mutating func planAction(_ entry: TenantFile.Entry, _ seen: inout Set<String>) {
        let existing = current.actions.first { $0.name == entry.members["name"]?.string }
        let members = withoutEmptySecrets(ActionDraft.merged(entry.members, onto: existing), existing, entry)
        let parsed = parse(members, path: entry.path) { document throws(Document.Problem) in
            try ActionDraft(document: document)
        }
        guard let draft = parsed, isFirst(draft.name, &seen, entry) else { return }
        let write: ActionWrite
        do {
            write = try ActionWrite(draft, replacing: existing, id: ActionWrite.newID(), box: box, at: Date())
        } catch {
            problems.append(file.problem(entry.path, "\(error)"))
            return
        }
        let deployed = existing.flatMap { current.deployedVersions[$0.id] }
        let deploys = draft.isDeployed && deployed?.content != write.action.content
        if deploys, let problem = BindingRules.problem(deploying: write.action.content) {
            notApplied.append(
                "\(entry.path): deployed, and fails wherever it runs unless the server has it: \(problem.message)")
        }
        var after = write.action.fileDocument(deployed: deployed)
        if deploys { after["deployed"] = true }
        actions[draft.name] = PlannedAction(
            action: write.action, isDeployed: deploys || write.action.deployedVersionID != nil)
        let versionID = ActionWrite.newID()
        plan(
            .actions, draft.name, before: existing?.fileDocument(deployed: deployed), after: after,
            alsoChanged: write.changedSecrets.map { name in
                let isThere = existing?.content.secrets.contains { $0.name == name } == true
                return FieldDifference(
                    field: "secrets.\(name)", before: nil, after: isThere ? "(changed)" : "(set)")
            }
        ) { transaction, now in
            try ActionStore.save(write.action, in: transaction)
            guard deploys else { return }
            _ = try ActionStore.deploy(
                write.action, write.action.content, versionID: versionID, at: now, in: transaction)
        }
    }

    /// An export has the names of secrets alone: those without a value here or in the tenant are left out and named.
    private mutating func withoutEmptySecrets(
        _ members: JSONObject, _ existing: Action?, _ entry: TenantFile.Entry
    ) -> JSONObject {
        guard let list = members["secrets"]?.array else { return members }
        var members = members
        let known = Set(existing?.content.secrets.map(\.name) ?? [])
        members["secrets"] = .array(
            list.filter { element in
                guard let secret = element.object, let name = secret["name"]?.string, !known.contains(name),
                    secret["value"] ?? .null == .null
                else { return true }
                notApplied.append(
                    "\(entry.path): the secret '\(name.forDisplay)' is not applied, because it has no value; add one, "
                        + "such as value: ##\(name.forDisplay)##")
                return false
            })
        return members
    }

    mutating func planTriggers() {
        guard let entry = file.entries[.triggers]?.first else { return }
        let parsed = parse(entry.members, path: entry.path) { document throws(Document.Problem) in
            try TriggerBindings(document)
        }
        guard let bindings = parsed else { return }
        for trigger in ActionTrigger.allCases {
            let former = current.actionBindings.filter { $0.trigger == trigger }
            guard let wanted = bindings.bindings[trigger] ?? (allowDelete && !former.isEmpty ? [] : nil),
                let planned = self.bindings(wanted, trigger, former)
            else { continue }
            plan(trigger, planned, former)
            guard !trigger.isRun else { continue }
            idleBindings += planned.compactMap { binding in
                actions.values.first { $0.action.id == binding.actionID }.map {
                    "action \($0.action.name.forDisplay) (\(trigger.rawValue))"
                }
            }
        }
    }

    private mutating func plan(_ trigger: ActionTrigger, _ bindings: [ActionBinding], _ former: [ActionBinding]) {
        if bindings.isEmpty, !former.isEmpty {
            return planDelete(.triggers, trigger.rawValue) { transaction, _ in
                try ActionBindingStore.replace(trigger, by: [], in: transaction)
            }
        }
        guard !bindings.isEmpty else { return }
        let names = Dictionary(
            current.actions.map { ($0.id, $0.name) } + actions.values.map { ($0.action.id, $0.action.name) }
        ) { $1 }
        func document(_ bindings: [ActionBinding]) -> JSONObject {
            ["bindings": .array(bindings.map { .object($0.fileDocument(named: names[$0.actionID] ?? $0.actionID)) })]
        }
        plan(
            .triggers, trigger.rawValue, before: former.isEmpty ? nil : document(former), after: document(bindings)
        ) { transaction, _ in
            try ActionBindingStore.replace(trigger, by: bindings, in: transaction)
        }
    }

    /// The bindings that `wanted` names; nil where one cannot be.
    private mutating func bindings(
        _ wanted: [TriggerBindings.Binding], _ trigger: ActionTrigger, _ former: [ActionBinding]
    ) -> [ActionBinding]? {
        var (bindings, found) = ([ActionBinding](), [Document.Problem]())
        let path = "triggers.\(trigger.rawValue)"
        if let problem = BindingRules.problem(with: trigger, count: wanted.count) {
            found.append(Document.Problem(path: path, message: problem.message))
        }
        for (index, binding) in wanted.enumerated() {
            let place = "\(path)[\(index)].action_name"
            guard let planned = actions[binding.actionName] else {
                found.append(
                    Document.Problem(
                        path: place,
                        message: "no action is called '\(binding.actionName.forDisplay)'"
                            + (Spelling.nearest(to: binding.actionName, among: actions.keys)
                                .map { "; did you mean \($0)?" } ?? "")))
                continue
            }
            let action = planned.action
            if let problem = BindingRules.problem(
                binding: action, isDeployed: planned.isDeployed, to: trigger, at: place)
            {
                found.append(problem)
            }
            if bindings.contains(where: { $0.actionID == action.id }) {
                found.append(Document.Problem(path: place, message: "names an action that is there twice"))
            }
            var made =
                former.first { $0.actionID == action.id }
                ?? ActionBinding(
                    id: ActionWrite.newID(), trigger: trigger, actionID: action.id, displayName: action.name, at: Date()
                )
            made.displayName = binding.displayName ?? made.displayName
            bindings.append(made)
        }
        problems += found.map { file.problem($0.path, $0.message) }
        return found.isEmpty ? bindings : nil
    }

    /// Says which actions of the file nothing runs.
    mutating func warnOfScripts() {
        guard !idleBindings.isEmpty else { return }
        notApplied.append(
            "\(idleBindings.joined(separator: ", ")): kept and bound, and not run: this version has nothing that would")
    }
}

/// An action as it will be.
struct PlannedAction: Sendable {
    let action: Action
    let isDeployed: Bool
}

/// What `triggers` says: which actions run at which trigger, in their order.
private struct TriggerBindings {
    struct Binding {
        let actionName: String
        let displayName: String?
    }

    var bindings: [ActionTrigger: [Binding]] = [:]

    init(_ document: Document) throws(Document.Problem) {
        var document = document
        for trigger in ActionTrigger.allCases {
            guard let entries = try document.documents(trigger.rawValue) else { continue }
            var list: [Binding] = []
            for var entry in entries {
                list.append(
                    Binding(
                        actionName: try entry.requiredString("action_name"),
                        displayName: try entry.string("display_name", most: 255)))
                _ = try entry.remaining(known: [])
            }
            bindings[trigger] = list
        }
        _ = try document.remaining(known: [])
    }
}

extension Action {
    /// The action as a tenant file has it, without the values of its secrets.
    func fileDocument(deployed: ActionVersion?) -> JSONObject {
        var members = content.members
        members["name"] = .string(name)
        members["secrets"] = .array(content.secrets.map { ["name": .string($0.name)] })
        members["deployed"] = .bool(deployed.map { $0.content == content } ?? false)
        return members
    }
}

extension ActionBinding {
    /// The binding as a tenant file has it.
    func fileDocument(named name: String) -> JSONObject {
        ["action_name": .string(name), "display_name": .string(displayName)]
    }
}
