import Foundation
import OAuth

/// An action as it was deployed once. It never changes.
package struct ActionVersion: Sendable, Hashable {
    /// A UUID.
    package let id: String
    package let actionID: String
    /// Counts from 1.
    package let number: Int
    package let content: ActionContent
    package let createdAt: Date

    /// Versions of an action at most: beyond that the oldest one goes. Auth0's limit.
    package static let most = 50

    package init(id: String, actionID: String, number: Int, content: ActionContent, createdAt: Date) {
        (self.id, self.actionID, self.number, self.content) = (id, actionID, number, content)
        self.createdAt = createdAt.storable
    }

    /// The version as its action shows it, where it is the one that runs.
    package var members: JSONObject {
        let time = JSONValue.string(LogEvent.text(of: createdAt))
        return content.members.merging([
            "id": .string(id), "action_id": .string(actionID), "number": .integer(Int64(number)), "deployed": true,
            "status": "built", "built_at": time, "created_at": time, "updated_at": time,
        ]) { $1 }
    }

    /// The version as Auth0 writes it.
    /// - Parameter deployed: the version of the action that runs.
    package func document(of action: Action, deployed: ActionVersion?) -> JSONObject {
        var members = members
        members["deployed"] = .bool(id == action.deployedVersionID)
        members["action"] = .object(action.base(deployed: deployed))
        return members
    }
}

/// The versions of the tenant's actions.
package enum ActionVersionStore {
    /// The versions of an action, the newest first.
    package static func list(of actionID: String, in transaction: any SQLTransaction) throws -> [ActionVersion] {
        try transaction.rows(
            "SELECT * FROM action_version WHERE action_id = \(actionID) ORDER BY version_number DESC"
        ).map(ActionVersion.init)
    }

    /// The version with this id, or nil where there is none.
    package static func find(_ id: String, in transaction: any SQLTransaction) throws -> ActionVersion? {
        try transaction.row("SELECT * FROM action_version WHERE id = \(id)").map(ActionVersion.init)
    }

    /// The versions that run, by the ids of their actions.
    package static func deployed(in transaction: any SQLTransaction) throws -> [String: ActionVersion] {
        let versions = try transaction.rows(
            """
            SELECT action_version.* FROM action_version
            JOIN action ON action.deployed_version_id = action_version.id
            """
        ).map(ActionVersion.init)
        return versions.reduce(into: [:]) { $0[$1.actionID] = $1 }
    }

    /// Keeps a version, and lets go of what is more than ``ActionVersion/most``.
    static func insert(_ version: ActionVersion, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO action_version (id, action_id, version_number, document, sealed_secrets, created_at)
            VALUES (\(version.id), \(version.actionID), \(version.number), \(JSON.text(version.content.members)),
                \(version.content.sealedSecrets), \(version.createdAt))
            """)
        try transaction.execute(
            """
            DELETE FROM action_version WHERE action_id = \(version.actionID)
                AND version_number <= \(version.number - ActionVersion.most)
            """)
    }
}

extension ActionVersion {
    fileprivate init(_ row: SQLRow) throws {
        (id, actionID, number) = (try row.text("id"), try row.text("action_id"), try row.integer("version_number"))
        (content, createdAt) = (try ActionContent(row), try row.date("created_at"))
    }
}
