import AuthorizationServer
import Foundation
import OAuth
import Storage
import TenantConfiguration

/// Deploying actions, and the versions that come of it. Nothing is built, so an action can be deployed at once.
struct ActionVersionsResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("actions/actions/:id")
            .post(
                "deploy", requires: .create("actions").or(.update("actions")), "Deploy an action", status: 202,
                answers: .object(ActionMembers.version), use: deploy
            )
            .get(
                "versions", requires: .read("actions"), "Get an action's versions",
                answers: NumberedPage.shape("versions", ActionMembers.version), use: list
            )
            .get(
                "versions/:version", requires: .read("actions"), "Get a specific version of an action",
                answers: .object(ActionMembers.version), use: get
            )
            .post(
                "versions/:version/deploy", requires: .create("actions").or(.update("actions")),
                "Roll back to a previous action version", status: 202, answers: .object(ActionMembers.version),
                use: rollBack)
    }

    struct RollBack: Payload {
        let updatesDraft: Bool

        static var isOptional: Bool { true }

        init(from document: inout Document) throws(Document.Problem) {
            updatesDraft = try document.bool("update_draft", default: false)
        }
    }

    @Sendable private func list(_ call: Query<NumberedPage>) async throws -> Answer {
        let id = call["id"]
        let found = try await management.stores.database.read { transaction in
            let found = try FoundAction(id, transaction)
            return try ActionVersionStore.list(of: id, in: transaction).map { Self.shown($0, found) }
        }
        return call.query.answer("versions", found)
    }

    @Sendable private func get(_ call: Plain) async throws -> Answer {
        let (id, version) = (call["id"], call["version"])
        return .ok(
            try await management.stores.database.read { transaction in
                let found = try FoundAction(id, transaction)
                return Self.shown(try Self.find(version, of: id, transaction), found)
            })
    }

    /// An action that has not changed since keeps the version that it has.
    @Sendable private func deploy(_ call: Plain) async throws -> Answer {
        let (id, versionID) = (call["id"], ActionWrite.newID())
        return try await management.configure(call.caller) { transaction, now in
            let before = try FoundAction(id, transaction)
            if let version = before.deployed, version.content == before.action.content {
                return Changed(Answer(status: 202, body: .object(Self.shown(version, before))), [])
            }
            return try deploy(before, before.action, before.action.content, versionID, now, transaction)
        }
    }

    @Sendable private func rollBack(_ call: Submission<RollBack>) async throws -> Answer {
        let (id, oldID, versionID) = (call["id"], call["version"], ActionWrite.newID())
        let updatesDraft = call.body.updatesDraft
        return try await management.configure(call.caller) { transaction, now in
            let before = try FoundAction(id, transaction)
            let old = try Self.find(oldID, of: id, transaction)
            // A version for another trigger would run where nobody has bound it.
            guard old.content.trigger == before.action.content.trigger else {
                throw ManagementError(
                    400, "The version is for the trigger \(old.content.trigger.rawValue), the action no longer is")
            }
            var action = before.action
            if updatesDraft { (action.content, action.updatedAt) = (old.content, now.storable) }
            return try deploy(before, action, old.content, versionID, now, transaction)
        }
    }

    // MARK: Steps

    private func deploy(
        _ before: FoundAction, _ action: Action, _ content: ActionContent, _ versionID: String, _ now: Date,
        _ transaction: any SQLTransaction
    ) throws -> Changed<Answer> {
        if let problem = BindingRules.problem(deploying: content, on: management.services) {
            throw problem
        }
        let version = try ActionStore.deploy(action, content, versionID: versionID, at: now, in: transaction)
        let after = try FoundAction(action.id, transaction)
        return Changed(
            Answer(status: 202, body: .object(Self.shown(version, after))),
            [.init("actions", action.id, before: before.document, after: after.document)])
    }

    private static func find(
        _ id: String, of actionID: String, _ transaction: any SQLTransaction
    ) throws -> ActionVersion {
        guard let version = try ActionVersionStore.find(id, in: transaction), version.actionID == actionID else {
            throw ManagementError(404, "That version does not exist.")
        }
        return version
    }

    private static func shown(_ version: ActionVersion, _ found: FoundAction) -> JSONObject {
        version.document(of: found.action, deployed: found.deployed)
    }
}
