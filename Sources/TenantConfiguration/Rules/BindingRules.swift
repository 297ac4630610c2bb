import AuthorizationServer
import OAuth
import Scripting
import Storage

/// What keeps an action from running at a trigger, whoever binds it.
package enum BindingRules {
    /// - Parameter path: of the binding, for messages.
    package static func problem(
        binding action: Action, isDeployed: Bool, to trigger: ActionTrigger, at path: String
    ) -> Document.Problem? {
        let name = action.name.forDisplay
        guard action.content.trigger == trigger else {
            return Document.Problem(
                path: path,
                message: "'\(name)' is an action for \(action.content.trigger.rawValue), not for \(trigger.rawValue)")
        }
        guard isDeployed else {
            return Document.Problem(path: path, message: "'\(name)' must be deployed before it is bound")
        }
        return nil
    }

    /// Why an action cannot run that has this content; nil where nothing is known against it.
    /// - Parameter services: the server's that will run it, which may have packages of its own; nil where it is not known.
    package static func problem(deploying content: ActionContent, on services: Services? = nil) -> Document.Problem? {
        let missing = content.dependencies.firstIndex { dependency in
            !ScriptModules.contains(dependency.name)
                && services?.scripts.modules.contains(dependency.name) != true
        }
        guard let missing else { return nil }
        return Document.Problem(
            path: "dependencies[\(missing)].name",
            message: "'\(content.dependencies[missing].name.forDisplay)' is not available here. Available are: "
                + ScriptModules.available.joined(separator: ", ")
                + ", and packages in the server's folders (PORTICO_SCRIPT_MODULES)")
    }

    /// Why nothing can be bound to the trigger; nil where it can.
    package static func problem(with trigger: ActionTrigger, count: Int) -> Document.Problem? {
        if count > ActionBinding.most {
            return Document.Problem(path: "bindings", message: "may be \(ActionBinding.most) at most")
        }
        guard count > 0, !trigger.takesBindings else { return nil }
        return Document.Problem(
            path: "bindings",
            message: "\(trigger.rawValue) has none: its actions belong to one thing each, such as a profile")
    }
}
