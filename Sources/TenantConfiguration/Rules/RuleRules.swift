import OAuth
import Storage

/// What a rule has to keep beyond its own shape, whoever writes it.
package enum RuleRules {
    /// Why `rule` cannot stand beside the tenant's other rules; nil where it can.
    package static func problem(of rule: Rule, among others: [Rule]) -> Document.Problem? {
        for other in others where other.id != rule.id {
            if other.order == rule.order {
                return Document.Problem(
                    path: "order",
                    message: "\(rule.order) is the order of the rule '\(other.name)'; no two have the same")
            }
            if other.name == rule.name {
                return Document.Problem(path: "name", message: "is the name of another rule")
            }
        }
        return nil
    }

    /// The order of a rule that has none: behind all others.
    package static func nextOrder(after others: [Rule]) -> Int { (others.map(\.order).max() ?? 0) + 1 }
}
