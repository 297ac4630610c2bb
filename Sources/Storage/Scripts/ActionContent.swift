import Foundation
import OAuth

/// What an action is made of. Its draft has one, and each version keeps the one that it was deployed with.
package struct ActionContent: Sendable, Hashable {
    package var code: String
    package var dependencies: [Dependency] = []
    package var runtime = ActionContent.standardRuntime
    package var trigger: ActionTrigger
    /// The version of the trigger's event and API.
    package var triggerVersion: String
    /// The secrets by their names, in their order.
    package var secrets: [Secret] = []
    /// The values of the secrets by their names, as a JSON object, sealed; nil where there are none.
    package var sealedSecrets: String?

    /// An npm module.
    package struct Dependency: Sendable, Hashable {
        package let name: String
        package let version: String
        package let registryURL: String?
    }

    /// What is shown of a secret.
    package struct Secret: Sendable, Hashable {
        package let name: String
        package let updatedAt: Date

        package init(name: String, updatedAt: Date) { (self.name, self.updatedAt) = (name, updatedAt.storable) }
    }

    /// What an action runs in that names nothing.
    package static let standardRuntime = "node22"

    // Auth0's limits.
    package static let largestCode = 100 * 1024
    package static let mostDependencies = 10
    package static let mostSecrets = 30
    package static let longestSecretName = 128
    package static let longestSecretValue = 4096

    private enum Runtime: String, CaseIterable {
        case node12, node16, node18
        case node18Actions = "node18-actions"
        case node22
    }

    /// The content without its secrets, which whoever can seal them reads.
    /// - Throws: ``Document/Problem`` for the first member that has a wrong value.
    package init(from document: inout Document) throws(Document.Problem) {
        code = try document.string("code", most: Self.largestCode) ?? ""
        runtime = try document.oneOf("runtime", Runtime.self)?.rawValue ?? Self.standardRuntime
        (trigger, triggerVersion) = try Self.trigger(&document)
        for var entry in try document.documents("dependencies") ?? [] {
            dependencies.append(
                Dependency(
                    name: try entry.requiredString("name", most: 255),
                    version: try entry.string("version", most: 255) ?? "latest",
                    registryURL: try entry.string("registry_url", most: 2048)))
            _ = try entry.remaining(known: [])
        }
        guard dependencies.count <= Self.mostDependencies else {
            throw document.problem("dependencies", "may be \(Self.mostDependencies) at most")
        }
    }

    private static func trigger(
        _ document: inout Document
    ) throws(Document.Problem) -> (ActionTrigger, version: String) {
        var found: [(ActionTrigger, version: String)] = []
        for var entry in try document.documents("supported_triggers") ?? [] {
            guard let trigger = try entry.oneOf("id", ActionTrigger.self) else {
                throw entry.problem("id", "is required")
            }
            let version = try entry.string("version") ?? trigger.currentVersion
            guard trigger.versions.contains(version) else {
                throw entry.problem("version", "must be one of \(trigger.versions.joined(separator: ", "))")
            }
            _ = try entry.remaining(known: [
                "status", "runtimes", "default_runtime", "compatible_triggers", "binding_policy", "url",
            ])
            found.append((trigger, version))
        }
        guard found.count == 1 else {
            throw document.problem("supported_triggers", "must name one trigger, and no more than one")
        }
        return found[0]
    }

    /// The content as Auth0 writes it.
    package var members: JSONObject {
        [
            "code": .string(code), "runtime": .string(runtime),
            "dependencies": .array(
                dependencies.map { dependency in
                    var members: JSONObject = [
                        "name": .string(dependency.name), "version": .string(dependency.version),
                    ]
                    members["registry_url"] = dependency.registryURL.map(JSONValue.string)
                    return .object(members)
                }),
            "supported_triggers": [["id": .string(trigger.rawValue), "version": .string(triggerVersion)]],
            "secrets": .array(
                secrets.map { ["name": .string($0.name), "updated_at": .string(LogEvent.text(of: $0.updatedAt))] }),
        ]
    }
}

extension ActionContent {
    /// The content of a row that has a `document` and `sealed_secrets`.
    init(_ row: SQLRow) throws {
        var document = Document(try row.json("document"), path: "action")
        try self.init(from: &document)
        for var entry in try document.documents("secrets") ?? [] {
            let updatedAt = try entry.string("updated_at").flatMap(LogEvent.date) ?? .distantPast
            secrets.append(Secret(name: try entry.requiredString("name"), updatedAt: updatedAt))
        }
        sealedSecrets = row.optionalText("sealed_secrets")
    }
}
