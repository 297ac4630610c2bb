import OAuth
import Storage

/// An action as a request or a file has it: its secrets may have values, which an ``Action`` never shows.
package struct ActionDraft: Sendable {
    package let name: String
    /// Everything but the secrets.
    package let content: ActionContent
    package let secrets: [Secret]
    /// Whether a new action is deployed at once (`deploy` of a request, `deployed` of a file).
    package let isDeployed: Bool

    /// A secret by its name.
    package struct Secret: Sendable, Hashable {
        package let name: String
        /// nil for the value that the action has already.
        package let value: String?
    }

    /// - Throws: ``Document/Problem`` for the first member that is unknown or has a wrong value.
    package init(document: Document) throws(Document.Problem) {
        var document = document
        name = try document.requiredString("name", most: 255)
        content = try ActionContent(from: &document)
        secrets = try Self.secrets(&document)
        let isDeployed = try document.bool("deployed", default: false)
        self.isDeployed = try document.bool("deploy", default: isDeployed)
        if let modules = document.take("modules"), modules != [] {
            throw document.problem(
                "modules", "are not supported by this version; put the module's code into the action")
        }
        _ = try document.remaining(known: Self.notInDocument)
    }

    private static func secrets(_ document: inout Document) throws(Document.Problem) -> [Secret] {
        var secrets: [Secret] = []
        for var entry in try document.documents("secrets") ?? [] {
            let name = try entry.requiredString("name", most: ActionContent.longestSecretName)
            let value = try entry.string("value", most: ActionContent.longestSecretValue)
            _ = try entry.remaining(known: ["updated_at"])
            guard !secrets.contains(where: { $0.name == name }) else {
                throw entry.problem("name", "is there twice")
            }
            secrets.append(Secret(name: name, value: value))
        }
        guard secrets.count <= ActionContent.mostSecrets else {
            throw document.problem("secrets", "may be \(ActionContent.mostSecrets) at most")
        }
        return secrets
    }

    /// What Auth0 says of an action and nobody may write.
    package static let notInDocument: Set<String> = [
        "id", "status", "created_at", "updated_at", "built_at", "all_changes_deployed", "deployed_version",
        "current_version", "installed_integration_id", "integration",
    ]

    /// The members of a change on top of those that an action has.
    package static func merged(_ change: JSONObject, onto existing: Action?) -> JSONObject {
        var members = existing?.content.members ?? [:]
        members["name"] = existing.map { .string($0.name) }
        return members.merging(change) { $1 }.filter { $0.value != .null && !notInDocument.contains($0.key) }
    }
}
