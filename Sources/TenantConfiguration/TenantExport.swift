import Foundation
import OAuth
import Storage
import Yams

/// Writes the tenant's configuration in the format that ``TenantFile`` reads, without secrets.
package enum TenantExport {
    /// Equal configurations give equal texts.
    /// - Throws: ``SQLError``.
    package static func yaml(_ stores: Stores) async throws -> String {
        let pairs = try await sections(stores).map { type, value in (Node(type.rawValue), try node(value)) }
        let text = try Yams.serialize(node: Node.mapping(Node.Mapping(pairs)), width: -1, allowUnicode: true)
        // A text that looks like a keyword is in double quotes, and stays a text when it is read again.
        return text.replacing(/##(?=[A-Za-z0-9_]+##)/, with: #"\x23\x23"#)
            .replacing(/@@(?=[A-Za-z0-9_]+@@)/, with: #"\x40\x40"#)
    }

    /// Every kind with its resources, in the order in which they refer to one another.
    static func sections(_ stores: Stores) async throws -> [(ResourceType, JSONValue)] {
        let tenant = try await stores.database.read { try CurrentTenant($0) }
        let names = Dictionary(grouping: tenant.clients.map(\.client), by: \.name)
        let ids = Set(tenant.clients.map(\.client.clientID))
        func name(of clientID: String) -> String {
            let client = tenant.clients.first { $0.client.clientID == clientID }?.client
            // A name that is another application's id would mean that one.
            return client.flatMap { names[$0.name]?.count == 1 && !ids.contains($0.name) ? $0.name : nil } ?? clientID
        }
        func without(_ members: JSONObject, _ fields: String...) -> JSONObject {
            members.filter { !fields.contains($0.key) }
        }
        func connections(_ isIncluded: (Connection) -> Bool) -> JSONValue {
            .array(
                tenant.connections.filter(isIncluded).map { connection in
                    var members = without(connection.document, "id")
                    members["enabled_clients"] = JSONValue(
                        connection.enabledClients.filter(ids.contains).map(name).sorted())
                    members["options"] = .object(ForeignSecrets.removed(from: connection.options, path: "").members)
                    return .object(members)
                })
        }
        func organization(_ organization: Organization) -> JSONValue {
            var members = without(organization.document, "id")
            let connections = (tenant.organizationConnections[organization.id] ?? []).compactMap { settings in
                tenant.connections.first { $0.id == settings.connectionID }.map { connection in
                    settings.document.merging(["name": .string(connection.name)]) { $1 }
                }
            }
            members["connections"] = .array(
                connections.sorted { ($0["name"]?.string ?? "") < ($1["name"]?.string ?? "") }.map(JSONValue.object))
            let grants = tenant.organizationGrants[organization.id] ?? []
            members["client_grants"] = .array(
                tenant.clientGrants.filter { grants.contains($0.id) }.map { grant in
                    ["client_id": .string(name(of: grant.clientID)), "audience": .string(grant.audience)]
                })
            return .object(members)
        }
        return [
            (.tenant, .object(tenant.settings.document)),
            (
                .resourceServers,
                .array(
                    tenant.resourceServers.map(\.resourceServer).filter { !$0.isSystem }.map {
                        .object(without($0.document, "id"))
                    })
            ),
            (.clients, .array(tenant.clients.map { .object(document(of: $0.client)) })),
            (
                .clientGrants,
                .array(
                    tenant.clientGrants.map { grant in
                        var members = without(grant.document, "id")
                        members["client_id"] = .string(name(of: grant.clientID))
                        return .object(members)
                    })
            ),
            (.databases, connections(\.isDatabase)),
            (.connections, connections { !$0.isDatabase }),
            (.roles, .array(tenant.roles.map { .object(without($0.document, "id")) })),
            (.organizations, .array(tenant.organizations.map { organization($0) })),
            (.logStreams, .array(tenant.logStreams.map { .object(without($0.stream.document, "id")) })),
        ] + protections(tenant.sections) + mail(tenant) + scripts(tenant)
    }

    /// What sends mail, without its password, and how mails read.
    private static func mail(_ tenant: CurrentTenant) -> [(ResourceType, JSONValue)] {
        let provider = tenant.emailProvider.map { (ResourceType.emailProvider, JSONValue.object($0.provider.document)) }
        let templates = tenant.emailTemplates.map { JSONValue.object($0.document) }
        return [provider].compactMap(\.self) + (templates.isEmpty ? [] : [(.emailTemplates, .array(templates))])
    }

    /// The rules and the actions with what is bound. Nobody reads the rules' values back.
    private static func scripts(_ tenant: CurrentTenant) -> [(ResourceType, JSONValue)] {
        let actions = tenant.actions.map { $0.fileDocument(deployed: tenant.deployedVersions[$0.id]) }
        return [
            (.rules, .array(tenant.rules.map { .object($0.document.filter { $0.key != "id" }) })), (.rulesConfigs, []),
            (.actions, .array(actions.map(JSONValue.object))), (.triggers, .object(triggers(of: tenant))),
        ]
    }

    /// What is bound to each trigger that has anything.
    private static func triggers(of tenant: CurrentTenant) -> JSONObject {
        let names = Dictionary(tenant.actions.map { ($0.id, $0.name) }) { first, _ in first }
        return Dictionary(grouping: tenant.actionBindings, by: \.trigger.rawValue).mapValues { bindings in
            .array(bindings.map { .object($0.fileDocument(named: names[$0.actionID] ?? $0.actionID)) })
        }
    }

    /// What the tenant has set of the sections; the others are as they are at first.
    private static func protections(_ sections: TenantSections) -> [(ResourceType, JSONValue)] {
        var protections: JSONObject = [:]
        if sections.bruteForce != BruteForceProtection() {
            protections["bruteForceProtection"] = .object(sections.bruteForce.document)
        }
        if sections.suspiciousIP != SuspiciousIPThrottling() {
            protections["suspiciousIpThrottling"] = .object(sections.suspiciousIP.document)
        }
        if sections.breachedPasswords != BreachedPasswordDetection() {
            protections["breachedPasswordDetection"] = .object(sections.breachedPasswords.document)
        }
        var exported: [(ResourceType, JSONValue)] = []
        if !protections.isEmpty { exported.append((.attackProtection, .object(protections))) }
        if sections.branding != Branding() { exported.append((.branding, .object(sections.branding.document))) }
        if sections.customTexts != CustomTexts() {
            exported.append((.prompts, ["customText": .object(sections.customTexts.document)]))
        }
        if sections.multiFactor != MultiFactorSettings() {
            let factors = sections.multiFactor.document["factors"]?.object ?? [:]
            exported.append(
                (
                    .guardianFactors,
                    .array(
                        factors.sorted { $0.key < $1.key }.map { ["name": .string($0.key), "enabled": $0.value] })
                ))
            exported.append((.guardianPolicies, ["policies": JSONValue(sections.multiFactor.policies)]))
        }
        return exported
    }

    private static func document(of client: Client) -> JSONObject {
        var members = client.document
        if let addons = members["addons"]?.object {
            members["addons"] = .object(ForeignSecrets.removed(from: addons, path: "").members)
        }
        return members
    }

    /// Names come first, the other fields in alphabetical order.
    private static func node(_ value: JSONValue) throws -> Node {
        switch value {
        case .null: return try Node(NSNull())
        case .bool(let bool): return try Node(bool)
        case .integer(let integer): return try Node(Int(integer))
        case .number(let number): return try Node(number)
        case .string(let string): return try text(string)
        case .array(let array): return Node.sequence(Node.Sequence(try array.map(node)))
        case .object(let object):
            let first = ["name", "identifier", "client_id", "value"]
            let keys = first.filter { object[$0] != nil } + object.keys.filter { !first.contains($0) }.sorted()
            let pairs = try keys.map { key in (try text(key), try node(object[key] ?? .null)) }
            return Node.mapping(Node.Mapping(pairs))
        }
    }

    /// A text that would read as something else is quoted; a script stands as it is.
    private static func text(_ string: String) throws -> Node {
        if string.wholeMatch(of: /[!-~][\t\n -~]*[!-~]\n/) != nil, !string.contains("##"), !string.contains("@@"),
            !string.contains(" \n"), !string.contains("\t\n")
        {
            return Node.scalar(Node.Scalar(string, Tag(.str), .literal))
        }
        let isPlain =
            string.wholeMatch(of: /[A-Za-z_\/][A-Za-z0-9_ .:\/@+-]*/) != nil
            && !string.hasSuffix(":") && !string.contains(": ") && !string.contains("@@") && !string.hasSuffix(" ")
            && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(string.lowercased())
        return Node.scalar(Node.Scalar(string, Tag(.str), isPlain ? .plain : .doubleQuoted))
    }
}
