import AuthorizationServer
import Foundation
import OAuth
import Storage
import TenantConfiguration

/// `/api/v2/actions/actions`: scripts that run where they are bound. This is their drafts; see ``ActionVersionsResource``.
struct ActionsResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("actions/actions")
            .get(
                requires: .read("actions"), "Get actions", answers: NumberedPage.shape("actions", ActionMembers.action),
                use: list
            )
            .post(requires: .create("actions"), "Create an action", answers: .object(ActionMembers.action), use: create)
            .get(":id", requires: .read("actions"), "Get an action", answers: .object(ActionMembers.action), use: get)
            .patch(
                ":id", requires: .update("actions"), "Update an action", answers: .object(ActionMembers.action),
                use: update
            )
            .delete(":id", requires: .delete("actions"), "Delete an action", use: delete)
    }

    struct Filter: Payload {
        let page: NumberedPage
        let trigger: ActionTrigger?
        let name: String?
        let isDeployed: Bool?
        /// Whether actions of Auth0's marketplace are asked for, which there are none of.
        let isInstalled: Bool?

        init(from document: inout Document) throws(Document.Problem) {
            page = try NumberedPage(from: &document)
            trigger = try document.oneOf("triggerId", ActionTrigger.self)
            name = try document.string("actionName")
            isDeployed = try document.bool("deployed")
            isInstalled = try document.bool("installed")
        }

        func includes(_ action: Action) -> Bool {
            trigger ?? action.content.trigger == action.content.trigger && name ?? action.name == action.name
                && isInstalled != true && isDeployed.map { $0 == (action.deployedVersionID != nil) } ?? true
        }
    }

    struct Deletion: Payload {
        let isForced: Bool

        init(from document: inout Document) throws(Document.Problem) {
            isForced = try document.bool("force", default: false)
        }
    }

    @Sendable private func list(_ call: Query<Filter>) async throws -> Answer {
        let filter = call.query
        let found = try await management.stores.database.read { transaction in
            let deployed = try ActionVersionStore.deployed(in: transaction)
            return try ActionStore.list(in: transaction).filter(filter.includes).map { action in
                action.document(deployed: deployed[action.id])
            }
        }
        return filter.page.answer("actions", found)
    }

    @Sendable private func get(_ call: Plain) async throws -> Answer {
        let id = call["id"]
        return .ok(try await management.stores.database.read { try FoundAction(id, $0) }.document)
    }

    @Sendable private func create(_ call: Submission<New<ActionDraft>>) async throws -> Answer {
        let draft = try ActionDraft(document: Document(ActionDraft.merged(call.body.members, onto: nil), path: ""))
        let (id, versionID, box) = (ActionWrite.newID(), ActionWrite.newID(), management.services.secret.box)
        let write = try ActionWrite(draft, replacing: nil, id: id, box: box, at: management.services.now())
        let services = management.services
        return try await management.configure(call.caller) { transaction, now in
            let others = try ActionStore.list(in: transaction)
            guard others.count < Action.most else {
                throw ManagementError(403, "A tenant may have \(Action.most) actions at most", "too_many_entities")
            }
            try Self.checkName(of: write.action, others)
            try ActionStore.save(write.action, in: transaction)
            if draft.isDeployed {
                if let problem = BindingRules.problem(deploying: write.action.content, on: services) {
                    throw problem
                }
                _ = try ActionStore.deploy(
                    write.action, write.action.content, versionID: versionID, at: now, in: transaction)
            }
            let document = try FoundAction(id, transaction).document
            return Changed(.created(document), [.init("actions", id, before: nil, after: document)])
        }
    }

    @Sendable private func update(_ call: Submission<Change<ActionDraft>>) async throws -> Answer {
        let (id, changes, box) = (call["id"], call.body.members, management.services.secret.box)
        return try await management.configure(call.caller) { transaction, now in
            let before = try FoundAction(id, transaction)
            let draft = try ActionDraft(
                document: Document(ActionDraft.merged(changes, onto: before.action), path: ""))
            let write = try ActionWrite(draft, replacing: before.action, id: id, box: box, at: now)
            guard write.action != before.action else { return Changed(.ok(before.document), []) }
            try Self.checkName(of: write.action, try ActionStore.list(in: transaction))
            try Self.checkTrigger(of: write.action, before.action, transaction)
            try ActionStore.save(write.action, in: transaction)
            let document = try FoundAction(write.action, transaction).document
            return Changed(.ok(document), [.init("actions", id, before: before.document, after: document)])
        }
    }

    @Sendable private func delete(_ call: Query<Deletion>) async throws -> Answer {
        let (id, isForced) = (call["id"], call.query.isForced)
        return try await management.configure(call.caller) { transaction, _ in
            let found = try FoundAction(id, transaction)
            let isBound = try ActionBindingStore.list(in: transaction).contains { $0.actionID == id }
            guard isForced || !isBound else {
                throw ManagementError(
                    400, "The action is bound to a trigger: unbind it first, or delete it with force=true",
                    "action_bound")
            }
            try ActionStore.delete(id, in: transaction)
            return Changed(.noContent, [.init("actions", id, before: found.document, after: nil)])
        }
    }

    // MARK: Steps

    private static func checkName(of action: Action, _ others: [Action]) throws {
        guard !others.contains(where: { $0.name == action.name && $0.id != action.id }) else {
            throw Document.Problem(path: "name", message: "is the name of another action")
        }
    }

    private static func checkTrigger(of action: Action, _ former: Action, _ transaction: any SQLTransaction) throws {
        guard action.content.trigger != former.content.trigger else { return }
        guard try !ActionBindingStore.list(in: transaction).contains(where: { $0.actionID == action.id }) else {
            throw Document.Problem(
                path: "supported_triggers", message: "cannot change while the action is bound to a trigger")
        }
    }
}
