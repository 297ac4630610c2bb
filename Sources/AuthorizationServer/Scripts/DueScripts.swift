import OAuth
import Storage

/// Which of the tenant's scripts are to run, by the point of a flow at which they do, in their order: rules that are enabled,
/// then actions that are deployed and bound.
package struct DueScripts: Sendable, Equatable {
    private let scripts: [ActionTrigger: [Script]]

    /// A rule or an action.
    package enum Script: Sendable, Hashable {
        case rule(name: String)
        case action(name: String, ActionTrigger)

        /// Such as `rule Add roles`.
        package var title: String {
            switch self {
            case .rule(let name): "rule \(name.forDisplay)"
            case .action(let name, let trigger): "action \(name.forDisplay) (\(trigger.rawValue))"
            }
        }
    }

    package init(in transaction: any SQLTransaction) throws {
        let rules = try RuleStore.list(in: transaction).filter(\.isEnabled).map { Script.rule(name: $0.name) }
        var scripts: [ActionTrigger: [Script]] = [:]
        if !rules.isEmpty { scripts[.postLogin] = rules }
        let bindings = try ActionBindingStore.list(in: transaction)
        // Most tenants have none.
        let actions = bindings.isEmpty ? [] : try ActionStore.list(in: transaction)
        for binding in bindings {
            guard let action = actions.first(where: { $0.id == binding.actionID }), action.deployedVersionID != nil
            else { continue }
            scripts[binding.trigger, default: []].append(.action(name: action.name, binding.trigger))
        }
        self.scripts = scripts
    }

    /// What runs at one of these points.
    package func at(_ triggers: [ActionTrigger]) -> [Script] { triggers.flatMap { scripts[$0] ?? [] } }
}
