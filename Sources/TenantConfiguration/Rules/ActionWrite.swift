import AuthorizationServer
import Foundation
import OAuth
import Storage

/// An action on its way into the database, whoever writes it: what it keeps of its secrets, and how they are sealed.
package struct ActionWrite: Sendable {
    package let action: Action
    /// The names of the secrets that have a value which they did not have before.
    package let changedSecrets: [String]

    /// - Parameter id: of an action that is new.
    /// - Throws: ``Document/Problem`` for a secret without a value, ``SecretBox/CannotOpen`` where the present ones were
    ///   sealed with another key.
    package init(
        _ draft: ActionDraft, replacing existing: Action?, id: String, box: SecretBox, at now: Date
    ) throws {
        let known = try Self.values(of: existing?.content, box)
        var (content, values, changed) = (draft.content, [String: String](), [String]())
        for (index, secret) in draft.secrets.enumerated() {
            guard let value = secret.value ?? known[secret.name] else {
                throw Document.Problem(path: "secrets[\(index)].value", message: "is required")
            }
            values[secret.name] = value
            let isKnown = known[secret.name] == value
            if !isKnown { changed.append(secret.name) }
            let former = existing?.content.secrets.first { $0.name == secret.name }?.updatedAt
            content.secrets.append(
                ActionContent.Secret(name: secret.name, updatedAt: isKnown ? former ?? now : now))
        }
        if values == known {
            content.sealedSecrets = existing?.content.sealedSecrets
        } else if !values.isEmpty {
            content.sealedSecrets = try box.seal(JSON.text(values))
        }
        var action = existing ?? Action(id: id, name: draft.name, content: content, createdAt: now)
        (action.name, action.content) = (draft.name, content)
        if let existing, action != existing { action.updatedAt = now.storable }
        (self.action, changedSecrets) = (action, changed)
    }

    /// The values of an action's secrets by their names.
    private static func values(of content: ActionContent?, _ box: SecretBox) throws -> [String: String] {
        guard let sealed = content?.sealedSecrets else { return [:] }
        return try JSON.decode([String: String].self, from: box.open(sealed))
    }

    /// A UUID, as Auth0's actions, versions and bindings have.
    package static func newID() -> String { UUID().uuidString.lowercased() }
}
