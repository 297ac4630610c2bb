import OAuth
import Storage

/// Which of the tenant's scripts are to run, by the point of a flow at which they do, in their order: rules that are enabled,
/// then actions that are deployed and bound.
package struct DueScripts: Sendable, Equatable {
    private let scripts: [ActionTrigger: [Script]]
    /// What rules read as `configuration`, sealed, by the keys.
    let sealedConfiguration: [String: String]

    /// A rule or an action.
    package enum Script: Sendable, Hashable {
        case rule(Rule)
        case action(BoundAction)

        /// Such as `rule Add roles`.
        package var title: String {
            switch self {
            case .rule(let rule): "rule \(rule.name.forDisplay)"
            case .action(let action): "action \(action.name.forDisplay) (\(action.trigger.rawValue))"
            }
        }
    }

    /// A version of an action at a trigger.
    package struct BoundAction: Sendable, Hashable {
        /// The action's id.
        package let id: String
        package let name: String
        package let trigger: ActionTrigger
        package let content: ActionContent
    }

    package init(in transaction: any SQLTransaction) throws {
        let rules = try RuleStore.list(in: transaction).filter(\.isEnabled).map(Script.rule)
        var scripts: [ActionTrigger: [Script]] = [:]
        if !rules.isEmpty { scripts[.postLogin] = rules }
        let bindings = try ActionBindingStore.list(in: transaction)
        // Most tenants have none.
        let actions = bindings.isEmpty ? [] : try ActionStore.list(in: transaction)
        let versions = bindings.isEmpty ? [:] : try ActionVersionStore.deployed(in: transaction)
        for binding in bindings {
            guard let action = actions.first(where: { $0.id == binding.actionID }), let version = versions[action.id]
            else { continue }
            let bound = BoundAction(
                id: action.id, name: action.name, trigger: binding.trigger, content: version.content)
            scripts[binding.trigger, default: []].append(.action(bound))
        }
        self.scripts = scripts
        let configuration = rules.isEmpty ? [] : try RuleConfigurationStore.list(in: transaction)
        sealedConfiguration = Dictionary(configuration.map { ($0.key, $0.sealedValue) }) { first, _ in first }
    }

    /// What runs at one of these points.
    package func at(_ triggers: [ActionTrigger]) -> [Script] { triggers.flatMap { scripts[$0] ?? [] } }
}
