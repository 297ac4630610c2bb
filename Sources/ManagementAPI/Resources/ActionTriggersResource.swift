import AuthorizationServer
import Foundation
import OAuth
import Storage
import TenantConfiguration

/// `/api/v2/actions/triggers`: where actions run, and which are bound there. ``ActionTrigger`` lists them.
struct ActionTriggersResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("actions")
            .get(
                "triggers", requires: .read("actions"), "Get triggers",
                answers: .object(["triggers": .list(ActionMembers.trigger).always]), use: list
            )
            .get(
                "triggers/:trigger/bindings", requires: .read("actions"), "Get trigger bindings",
                answers: NumberedPage.shape("bindings", ActionMembers.binding), use: bindings
            )
            .patch(
                "triggers/:trigger/bindings", requires: .update("actions"), "Update trigger bindings",
                answers: .object(["bindings": .list(ActionMembers.binding).always]), use: bind
            )
            .get(
                "service/status", requires: .read("actions"), "Get actions service status",
                answers: .object(["status": .text.always, "message": .text]), use: status)
    }

    struct Bindings: Payload {
        let bindings: [Binding]

        init(from document: inout Document) throws(Document.Problem) {
            guard let entries = try document.documents("bindings") else {
                throw document.problem("bindings", "is required")
            }
            var bindings: [Binding] = []
            for entry in entries { bindings.append(try Binding(entry)) }
            self.bindings = bindings
        }
    }

    /// What is to run next.
    struct Binding: Sendable {
        enum ReferenceType: String, CaseIterable {
            case bindingID = "binding_id"
            case actionID = "action_id"
            case actionName = "action_name"
        }

        let type: ReferenceType
        let value: String
        let displayName: String?

        init(_ document: Document) throws(Document.Problem) {
            var document = document
            guard var reference = try document.document("ref") else { throw document.problem("ref", "is required") }
            guard let type = try reference.oneOf("type", ReferenceType.self) else {
                throw reference.problem("type", "is required")
            }
            (self.type, value) = (type, try reference.requiredString("value"))
            _ = try reference.remaining(known: [])
            displayName = try document.string("display_name", most: 255)
            if let secrets = document.take("secrets"), secrets != [] {
                throw document.problem("secrets", "belong to actions; this version has none for a binding")
            }
            _ = try document.remaining(known: [])
        }
    }

    @Sendable private func list(_ call: Plain) async throws -> Answer {
        .ok(["triggers": .array(ActionTrigger.allCases.flatMap(\.documents).map(JSONValue.object))])
    }

    @Sendable private func status(_ call: Plain) async throws -> Answer {
        guard let problem = await ScriptService(services: management.services).problem() else {
            return .ok(["status": "active"])
        }
        return .ok([
            "status": "unavailable",
            "message": .string("Logins that need a rule or an action are refused: \(problem)"),
        ])
    }

    @Sendable private func bindings(_ call: Query<NumberedPage>) async throws -> Answer {
        let trigger = try Self.trigger(call["trigger"])
        let found = try await management.stores.database.read { transaction in
            try Self.shown(ActionBindingStore.list(of: trigger, in: transaction), transaction)
        }
        return call.query.answer("bindings", found)
    }

    @Sendable private func bind(_ call: Submission<Bindings>) async throws -> Answer {
        let (trigger, wanted) = (try Self.trigger(call["trigger"]), call.body.bindings)
        if let problem = BindingRules.problem(with: trigger, count: wanted.count) { throw problem }
        let ids = wanted.map { _ in ActionWrite.newID() }
        return try await management.configure(call.caller) { transaction, now in
            let former = try ActionBindingStore.list(of: trigger, in: transaction)
            let before = try Self.shown(former, transaction)
            let actions = try ActionStore.list(in: transaction)
            var bindings: [ActionBinding] = []
            for (index, (binding, id)) in zip(wanted, ids).enumerated() {
                let path = "bindings[\(index)].ref"
                let action = try Self.action(binding, former, actions, path)
                if bindings.contains(where: { $0.actionID == action.id }) {
                    throw Document.Problem(path: path, message: "names an action that is there twice")
                }
                let problem = BindingRules.problem(
                    binding: action, isDeployed: action.deployedVersionID != nil, to: trigger, at: path)
                if let problem { throw problem }
                bindings.append(Self.binding(binding, of: action, trigger, former, id: id, at: now))
            }
            guard bindings != former else { return Changed(.ok(["bindings": Self.list(before)]), []) }
            try ActionBindingStore.replace(trigger, by: bindings, in: transaction)
            let after = try Self.shown(bindings, transaction)
            return Changed(
                .ok(["bindings": Self.list(after)]),
                [
                    .init(
                        "actions/triggers", trigger.rawValue, before: Self.summary(before), after: Self.summary(after)
                    )
                ])
        }
    }

    // MARK: Steps

    private static func trigger(_ name: String) throws -> ActionTrigger {
        guard let trigger = ActionTrigger(rawValue: name) else {
            throw ManagementError.invalidPath(
                Document.Problem(
                    path: "trigger", message: "'\(name.forDisplay)' is none of Auth0's triggers"))
        }
        return trigger
    }

    private static func action(
        _ binding: Binding, _ former: [ActionBinding], _ actions: [Action], _ path: String
    ) throws -> Action {
        let found: Action? =
            switch binding.type {
            case .actionID: actions.first { $0.id == binding.value }
            case .actionName: actions.first { $0.name == binding.value }
            case .bindingID:
                former.first { $0.id == binding.value }.flatMap { old in actions.first { $0.id == old.actionID } }
            }
        guard let found else {
            throw Document.Problem(
                path: path, message: "no action has the \(binding.type.rawValue) '\(binding.value.forDisplay)'")
        }
        return found
    }

    /// The binding that the action has already, or a new one.
    private static func binding(
        _ wanted: Binding, of action: Action, _ trigger: ActionTrigger, _ former: [ActionBinding], id: String,
        at now: Date
    ) -> ActionBinding {
        guard var binding = former.first(where: { $0.actionID == action.id }) else {
            return ActionBinding(
                id: id, trigger: trigger, actionID: action.id, displayName: wanted.displayName ?? action.name, at: now)
        }
        if let name = wanted.displayName, name != binding.displayName {
            (binding.displayName, binding.updatedAt) = (name, now.storable)
        }
        return binding
    }

    private static func shown(
        _ bindings: [ActionBinding], _ transaction: any SQLTransaction
    ) throws -> [JSONObject] {
        try bindings.map { binding in
            [
                "id": .string(binding.id), "trigger_id": .string(binding.trigger.rawValue),
                "display_name": .string(binding.displayName),
                "action": .object(try FoundAction(binding.actionID, transaction).document),
                "created_at": .string(LogEvent.text(of: binding.createdAt)),
                "updated_at": .string(LogEvent.text(of: binding.updatedAt)),
            ]
        }
    }

    private static func list(_ documents: [JSONObject]) -> JSONValue { .array(documents.map(JSONValue.object)) }

    /// What the log keeps: the names, in their order.
    private static func summary(_ bindings: [JSONObject]) -> JSONObject {
        ["bindings": .array(bindings.compactMap { $0["display_name"] })]
    }
}
