import Foundation
import OAuth

/// An action at its place among those that run at a trigger: Auth0's binding.
package struct ActionBinding: Sendable, Hashable {
    /// A UUID.
    package let id: String
    package let trigger: ActionTrigger
    package let actionID: String
    package var displayName: String
    package let createdAt: Date
    package var updatedAt: Date

    /// Bindings of a trigger at most; Auth0's limit.
    package static let most = 20

    package init(id: String, trigger: ActionTrigger, actionID: String, displayName: String, at now: Date) {
        (self.id, self.trigger, self.actionID, self.displayName) = (id, trigger, actionID, displayName)
        (createdAt, updatedAt) = (now.storable, now.storable)
    }
}

/// Which of the tenant's actions run at which trigger.
package enum ActionBindingStore {
    /// The bindings of every trigger, those of each in the order in which they run.
    package static func list(in transaction: any SQLTransaction) throws -> [ActionBinding] {
        try transaction.rows("SELECT * FROM action_binding ORDER BY trigger_id, run_order").map(
            ActionBinding.init)
    }

    /// The bindings of a trigger, in the order in which they run.
    package static func list(
        of trigger: ActionTrigger, in transaction: any SQLTransaction
    ) throws -> [ActionBinding] {
        try transaction.rows(
            "SELECT * FROM action_binding WHERE trigger_id = \(trigger.rawValue) ORDER BY run_order"
        ).map(ActionBinding.init)
    }

    /// Replaces the bindings of a trigger by these, in this order.
    /// - Throws: ``SQLError/uniqueViolation(_:)`` where an action is there twice, ``SQLError/foreignKeyViolation`` where one
    ///   does not exist.
    package static func replace(
        _ trigger: ActionTrigger, by bindings: [ActionBinding], in transaction: any SQLTransaction
    ) throws {
        try transaction.execute("DELETE FROM action_binding WHERE trigger_id = \(trigger.rawValue)")
        for (index, binding) in bindings.enumerated() {
            try transaction.execute(
                """
                INSERT INTO action_binding (id, trigger_id, run_order, action_id, display_name, created_at, updated_at)
                VALUES (\(binding.id), \(trigger.rawValue), \(index), \(binding.actionID), \(binding.displayName),
                    \(binding.createdAt), \(binding.updatedAt))
                """)
        }
    }
}

extension ActionBinding {
    fileprivate init(_ row: SQLRow) throws {
        guard let trigger = ActionTrigger(rawValue: try row.text("trigger_id")) else {
            throw SQLError.unexpectedValue(column: "trigger_id")
        }
        (id, self.trigger, actionID) = (try row.text("id"), trigger, try row.text("action_id"))
        displayName = try row.text("display_name")
        (createdAt, updatedAt) = (try row.date("created_at"), try row.date("updated_at"))
    }
}
