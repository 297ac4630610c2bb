import AuthorizationServer
import OAuth
import Storage
import TenantConfiguration

extension Rule: ConfigurationModel {
    package static var readOnly: Set<String> { ["id"] }
    package static var immutable: Set<String> { ["stage"] }
}

/// `/api/v2/rules`: scripts that run at every login.
struct RulesResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("rules")
            .get(requires: .read("rules"), "Get rules", answers: .page("rules", Self.members), use: list)
            .post(requires: .create("rules"), "Create a rule", answers: .object(Self.members), use: create)
            .get(":id", requires: .read("rules"), "Get a rule", answers: .object(Self.members), use: get)
            .patch(":id", requires: .update("rules"), "Update a rule", answers: .object(Self.members), use: update)
            .delete(":id", requires: .delete("rules"), "Delete a rule", use: delete)
    }

    static let members = Members.of(Rule.self, always: ["id", "name", "script", "order", "enabled", "stage"])

    struct Filter: Payload {
        let paging: Paging
        let isEnabled: Bool?
        let fields: FieldSelection

        init(from document: inout Document) throws(Document.Problem) {
            paging = try Paging(from: &document)
            isEnabled = try document.bool("enabled")
            fields = try FieldSelection(from: &document)
        }
    }

    struct Fields: Payload {
        let fields: FieldSelection

        init(from document: inout Document) throws(Document.Problem) { fields = try FieldSelection(from: &document) }
    }

    @Sendable private func list(_ call: Query<Filter>) async throws -> Answer {
        let (paging, isEnabled, fields) = (call.query.paging, call.query.isEnabled, call.query.fields)
        let rules = try await management.stores.database.readOnce { try RuleStore.list(in: $0) }
            .filter { isEnabled ?? $0.isEnabled == $0.isEnabled }
        return .list("rules", rules.map(\.document), by: "id", paging) { fields.apply(to: $0) }
    }

    @Sendable private func get(_ call: Query<Fields>) async throws -> Answer {
        let id = call["id"]
        let rule = try await management.stores.database.readOnce { try Self.find(id, $0) }
        return .ok(call.query.fields.apply(to: rule.document))
    }

    @Sendable private func create(_ call: Submission<New<Rule>>) async throws -> Answer {
        let (id, sent) = (RandomBytes.alphanumeric(16, prefix: "rul_"), call.body.members)
        return try await management.configure(call.caller) { transaction, _ in
            let others = try RuleStore.list(in: transaction)
            let order = JSONValue.integer(Int64(RuleRules.nextOrder(after: others)))
            let rule = try Rule(document: Document(["order": order].merging(sent) { $1 }, path: ""), standardID: id)
            try Self.check(rule, others)
            try RuleStore.save(rule, in: transaction)
            return Changed(.created(rule.document), [.init("rules", id, before: nil, after: rule.document)])
        }
    }

    @Sendable private func update(_ call: Submission<Change<Rule>>) async throws -> Answer {
        let (id, changes) = (call["id"], call.body.members.filter { $0.value != .null })
        return try await management.configure(call.caller) { transaction, _ in
            let existing = try Self.find(id, transaction)
            let rule = try Rule(
                document: Document(existing.document.merging(changes) { $1 }, path: ""), standardID: id)
            guard rule != existing else { return Changed(.ok(rule.document), []) }
            try Self.check(rule, try RuleStore.list(in: transaction))
            try RuleStore.save(rule, in: transaction)
            return Changed(
                .ok(rule.document), [.init("rules", id, before: existing.document, after: rule.document)])
        }
    }

    @Sendable private func delete(_ call: Plain) async throws -> Answer {
        let id = call["id"]
        return try await management.configure(call.caller) { transaction, _ in
            guard let rule = try RuleStore.find(id, in: transaction) else { return Changed(.noContent, []) }
            try RuleStore.delete(id, in: transaction)
            return Changed(.noContent, [.init("rules", id, before: rule.document, after: nil)])
        }
    }

    // MARK: Steps

    private static func find(_ id: String, _ transaction: any SQLTransaction) throws -> Rule {
        guard let rule = try RuleStore.find(id, in: transaction) else {
            throw ManagementError.inexistent("rule", "rule")
        }
        return rule
    }

    private static func check(_ rule: Rule, _ others: [Rule]) throws {
        guard let problem = RuleRules.problem(of: rule, among: others) else { return }
        throw ManagementError.conflict("A rule with the same \(problem.path) already exists")
    }
}
