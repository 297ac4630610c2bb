import OAuth
import Storage
import TenantConfiguration

extension ActionDraft: ConfigurationModel {
    package init(document: Document, standardID: String) throws(Document.Problem) { try self.init(document: document) }
    /// `deployed` is a tenant file's word; a request says `deploy`.
    package static var readOnly: Set<String> { notInDocument.union(["deployed"]) }
    package static var immutable: Set<String> { ["deploy"] }
}

/// What the API says of actions.
enum ActionMembers {
    private static let reference: Members = ["id": .text.always, "version": .text.always]

    private static let base: Members = [
        "id": .text.always, "name": .text.always, "supported_triggers": .list(reference).always,
        "created_at": .text.always, "updated_at": .text.always, "all_changes_deployed": .bool.always,
    ]

    private static let content: Members = [
        "code": .text.always, "runtime": .text.always, "supported_triggers": .list(reference).always,
        "dependencies": .list(["name": .text.always, "version": .text.always, "registry_url": .text]).always,
        "secrets": .list(["name": .text.always, "updated_at": .text.always]).always, "status": .text.always,
        "built_at": .text.always,
    ]

    static let version = content.merging([
        "id": .text.always, "action_id": .text.always, "number": .count.always, "deployed": .bool.always,
        "created_at": .text.always, "updated_at": .text.always, "action": .object(base),
    ]) { $1 }

    static let action = content.merging(base) { $1 }.merging(["deployed_version": .object(version)]) { $1 }

    static let binding: Members = [
        "id": .text.always, "trigger_id": .text.always, "display_name": .text.always,
        "action": .object(action).always, "created_at": .text.always, "updated_at": .text.always,
    ]

    static let trigger: Members = [
        "id": .text.always, "version": .text.always, "status": .text.always, "runtimes": .texts.always,
        "default_runtime": .text.always, "binding_policy": .text.always, "compatible_triggers": .list(reference).always,
    ]
}

/// A page of a list of Auth0's actions: they have no `include_totals`, and always say the total.
struct NumberedPage: Payload {
    private let page: Int
    private let perPage: Int

    init(from document: inout Document) throws(Document.Problem) {
        page = try document.integer("page", in: 0...1_000_000) ?? 0
        perPage = try document.integer("per_page", in: 1...100) ?? 50
    }

    /// What ``answer(_:_:)`` looks like.
    static func shape(_ name: String, _ members: Members) -> AnswerShape {
        .object([
            name: .list(members).always, "total": .count.always, "page": .count.always, "per_page": .count.always,
        ])
    }

    func answer(_ name: String, _ all: [JSONObject]) -> Answer {
        .ok([
            name: .array(all.dropFirst(page * perPage).prefix(perPage).map(JSONValue.object)),
            "total": .integer(Int64(all.count)), "page": .integer(Int64(page)), "per_page": .integer(Int64(perPage)),
        ])
    }
}

/// An action with the version of it that runs.
struct FoundAction: Sendable {
    let action: Action
    let deployed: ActionVersion?

    /// The action as the API shows it.
    var document: JSONObject { action.document(deployed: deployed) }

    init(_ action: Action, _ transaction: any SQLTransaction) throws {
        self.action = action
        deployed = try action.deployedVersionID.flatMap { try ActionVersionStore.find($0, in: transaction) }
    }

    /// - Throws: ``ManagementError`` 404.
    init(_ id: String, _ transaction: any SQLTransaction) throws {
        guard let action = try ActionStore.find(id, in: transaction) else {
            throw ManagementError(404, "That action does not exist.")
        }
        try self.init(action, transaction)
    }
}
