import Foundation
import OAuth

/// A script that runs at a trigger, once a version of it is deployed and bound: Auth0's action. This is its draft.
package struct Action: Sendable, Hashable {
    /// A UUID.
    package let id: String
    package var name: String
    package var content: ActionContent
    /// The version that runs; nil where none was deployed yet.
    package var deployedVersionID: String?
    package let createdAt: Date
    package var updatedAt: Date

    /// Actions of a tenant at most; Auth0's limit.
    package static let most = 100

    package init(id: String, name: String, content: ActionContent, createdAt: Date) {
        (self.id, self.name, self.content) = (id, name, content)
        (self.createdAt, updatedAt) = (createdAt.storable, createdAt.storable)
    }

    /// The action as Auth0 writes it.
    /// - Parameter deployed: the version that ``deployedVersionID`` names.
    package func document(deployed: ActionVersion?) -> JSONObject {
        var members = base(deployed: deployed)
        // There is nothing to build: what is stored can be deployed at once.
        (members["status"], members["built_at"]) = ("built", .string(LogEvent.text(of: updatedAt)))
        members.merge(content.members) { $1 }
        members["deployed_version"] = deployed.map { .object($0.members) }
        return members
    }

    /// What a version says of the action that it belongs to.
    package func base(deployed: ActionVersion?) -> JSONObject {
        [
            "id": .string(id), "name": .string(name), "supported_triggers": content.members["supported_triggers"] ?? [],
            "created_at": .string(LogEvent.text(of: createdAt)), "updated_at": .string(LogEvent.text(of: updatedAt)),
            "all_changes_deployed": .bool(deployed.map { $0.content == content } ?? false),
        ]
    }
}

/// The tenant's actions.
package enum ActionStore {
    /// Every action, in the order of their names.
    package static func list(in transaction: any SQLTransaction) throws -> [Action] {
        try transaction.rows("SELECT * FROM action ORDER BY name").map(Action.init)
    }

    /// The action with this id, or nil where there is none.
    package static func find(_ id: String, in transaction: any SQLTransaction) throws -> Action? {
        try transaction.row("SELECT * FROM action WHERE id = \(id)").map(Action.init)
    }

    /// Inserts the action, or replaces the one with its id.
    /// - Throws: ``SQLError/uniqueViolation(_:)`` where another one has its name.
    package static func save(_ action: Action, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO action (id, name, document, sealed_secrets, deployed_version_id, created_at, updated_at)
            VALUES (\(action.id), \(action.name), \(JSON.text(action.content.members)), \(action.content.sealedSecrets),
                \(action.deployedVersionID), \(action.createdAt), \(action.updatedAt))
            ON CONFLICT (id) DO UPDATE SET name = excluded.name, document = excluded.document,
                sealed_secrets = excluded.sealed_secrets, deployed_version_id = excluded.deployed_version_id,
                updated_at = excluded.updated_at
            """)
    }

    /// Removes the action with this id, where there is one, with its versions and bindings.
    package static func delete(_ id: String, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM action WHERE id = \(id)")
    }

    /// Deploys the action's content: a new version, which is the one that runs from now on.
    /// - Parameter id: a UUID, for the version.
    /// - Returns: the version.
    package static func deploy(
        _ action: Action, _ content: ActionContent, versionID id: String, at now: Date,
        in transaction: any SQLTransaction
    ) throws -> ActionVersion {
        let newest = try transaction.row(
            "SELECT MAX(version_number) AS newest FROM action_version WHERE action_id = \(action.id)")
        let version = ActionVersion(
            id: id, actionID: action.id, number: (newest?.optionalInteger("newest") ?? 0) + 1, content: content,
            createdAt: now)
        try ActionVersionStore.insert(version, in: transaction)
        var action = action
        action.deployedVersionID = id
        try save(action, in: transaction)
        return version
    }
}

extension Action {
    fileprivate init(_ row: SQLRow) throws {
        (id, name, content) = (try row.text("id"), try row.text("name"), try ActionContent(row))
        deployedVersionID = row.optionalText("deployed_version_id")
        (createdAt, updatedAt) = (try row.date("created_at"), try row.date("updated_at"))
    }
}
