import OAuth
import Storage

/// What a rollback says of the rows of a table.
struct RollbackTable: Sendable {
    typealias Row = [String: SQLValue]
    /// Tells the name of the resource with an id in a table.
    typealias Names = (_ id: String, _ table: String) -> String

    /// The kind of the resource that a row is, or belongs to.
    let type: @Sendable (Row) -> ResourceType
    /// What the plan calls it.
    var name: @Sendable (Row, Names) -> String = { row, _ in row["name"]?.plainText ?? "" }
    /// Fields that the plan does not show, with the columns that hold them.
    var secrets: [String: [String]] = [:]
    /// The document's member that says whom the secrets are sent to, where they are.
    var recipient: String?
    /// Members of the document that are replaced together when a key is, such as an application's.
    var keys: Set<String> = []
    /// How a row is shown that is a field of a resource in another table.
    var part: (field: String, show: @Sendable (Row) -> String)?

    /// Every table of ``ConfigurationRows/tables``.
    static let all: [String: RollbackTable] = [
        "tenant": RollbackTable(type: { _ in .tenant }, name: { _, _ in "settings" }),
        "tenant_section": RollbackTable(
            type: { Planner.type(ofSection: $0["name"]?.plainText ?? "") }),
        "client": RollbackTable(
            type: { _ in .clients }, secrets: ["client_secret": ["secret_digest", "sealed_secret"]],
            keys: [
                "client_authentication_methods", "credentials", "jwks", "jwks_uri", "token_endpoint_auth_signing_alg",
            ]),
        "resource_server": RollbackTable(
            type: { _ in .resourceServers }, name: { row, _ in row["identifier"]?.plainText ?? "" },
            secrets: ["signing_secret": ["sealed_signing_secret"]]),
        "client_grant": RollbackTable(
            type: { _ in .clientGrants },
            name: { row, _ in "\(row["client_id"]?.plainText ?? "") → \(row["audience"]?.plainText ?? "")" }),
        "connection": RollbackTable(
            type: { row in
                row["strategy"]?.plainText == Connection.databaseStrategy ? .databases : .connections
            },
            secrets: [
                "options.portico_import.client_secret": ["sealed_import_secret"],
                "options (secrets)": ["sealed_secrets"],
            ], recipient: "options"),
        "email_provider": RollbackTable(
            type: { _ in .emailProvider }, secrets: ["credentials.smtp_pass": ["sealed_credentials"]],
            recipient: "credentials"),
        "email_template": RollbackTable(type: { _ in .emailTemplates }),
        "role": RollbackTable(type: { _ in .roles }),
        "role_permission": RollbackTable(
            type: { _ in .roles }, name: { row, names in names(row["role_id"]?.plainText ?? "", "role") },
            part: (
                "permissions", { "\($0["permission"]?.plainText ?? "") of \($0["audience"]?.plainText ?? "")" }
            )),
        "organization": RollbackTable(type: { _ in .organizations }),
        "organization_connection": RollbackTable(
            type: { _ in .organizations },
            name: { row, names in names(row["organization_id"]?.plainText ?? "", "organization") },
            part: (
                "connections", { "\($0["connection_id"]?.plainText ?? "") \($0["document"]?.plainText ?? "")" }
            )),
        "organization_client_grant": RollbackTable(
            type: { _ in .organizations },
            name: { row, names in names(row["organization_id"]?.plainText ?? "", "organization") },
            part: ("client_grants", { $0["grant_id"]?.plainText ?? "" })),
        "log_stream": RollbackTable(
            type: { _ in .logStreams }, secrets: ["sink (secrets)": ["sealed_secrets"]], recipient: "sink"),
        "rule": RollbackTable(type: { _ in .rules }),
        "rule_configuration": RollbackTable(
            type: { _ in .rulesConfigs }, name: { row, _ in row["config_key"]?.plainText ?? "" },
            secrets: ["value": ["sealed_value"]]),
        "action": RollbackTable(type: { _ in .actions }, secrets: ["secrets": ["sealed_secrets"]]),
        "action_version": RollbackTable(
            type: { _ in .actions }, name: { row, names in names(row["action_id"]?.plainText ?? "", "action") },
            part: ("version", { $0["version_number"]?.number ?? "" })),
        "action_binding": RollbackTable(
            type: { _ in .triggers }, name: { row, _ in row["trigger_id"]?.plainText ?? "" },
            part: (
                "bindings", { "\($0["display_name"]?.plainText ?? "") at \($0["run_order"]?.number ?? "")" }
            )),
    ]

    /// What the plan compares: the row's document, or its columns where it has none.
    func members(_ row: Row?, of table: String) -> JSONObject {
        guard let row else { return [:] }
        let columns = ConfigurationRows.configured(row, in: table)
        let hidden = Set(secrets.values.joined()).union(["document", "created_at", "updated_at"])
        return columns.filter { !hidden.contains($0.key) }.mapValues(\.json).merging(Self.document(columns)) { $1 }
    }

    private static func document(_ row: Row?) -> JSONObject {
        row?["document"].flatMap { try? JSON.decode(JSONObject.self, from: $0.plainText) } ?? [:]
    }

    /// The row that a rollback writes, and what in it stays as it is: a secret or key that was replaced since the apply may
    /// have been replaced because somebody else knew it, and does not come back. Where it would then be sent to somebody
    /// else than it was given for, it goes.
    /// - Parameters:
    ///   - row: the row before the apply.
    ///   - applied: the row as the apply left it.
    ///   - now: the row as it is.
    func restored(_ row: Row, applied: Row?, now: Row?) -> (row: Row, kept: [String], gone: [String]) {
        guard let now else { return (row, [], []) }
        var (restored, kept, gone) = (row, [String](), [String]())
        let staysThere = recipient.map { Self.document(row)[$0] == Self.document(now)[$0] } ?? true
        func has(_ column: String, _ row: Row) -> Bool { row[column].map { $0 != .null } ?? false }
        for (field, columns) in secrets.sorted(by: { $0.key < $1.key })
        where columns.contains(where: { now[$0] != applied?[$0] && now[$0] != row[$0] })
            && columns.contains(where: { has($0, row) })
        {
            for column in columns { restored[column] = staysThere ? now[column] ?? .null : .null }
            if staysThere { kept.append(field) } else { gone.append(field) }
        }
        guard !keys.isEmpty else { return (restored, kept, gone) }
        func chosen(_ row: Row?) -> JSONObject { Self.document(row).filter { keys.contains($0.key) } }
        let (before, newest) = (chosen(row), chosen(now))
        guard newest != chosen(applied), newest != before, !before.isEmpty,
            let document = row["document"].flatMap({ try? JSON.decode(JSONObject.self, from: $0.plainText) }),
            let text = try? JSON.text(document.filter { !keys.contains($0.key) }.merging(newest) { $1 })
        else { return (restored, kept, gone) }
        restored["document"] = .text(text)
        return (restored, kept + newest.keys.sorted(), gone)
    }
}

extension SQLValue {
    /// A text as it is; empty for anything else.
    var plainText: String { if case .text(let text) = self { text } else { "" } }

    fileprivate var number: String { if case .integer(let number) = self { String(number) } else { "" } }

    fileprivate var json: JSONValue {
        switch self {
        case .null: .null
        case .bool(let bool): .bool(bool)
        case .integer(let integer): .integer(integer)
        case .text(let text): .string(text)
        }
    }
}
