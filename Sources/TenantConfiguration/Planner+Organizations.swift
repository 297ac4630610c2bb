import AuthorizationServer
import Foundation
import OAuth
import Storage

/// An organization with what a file says of it beside its own members.
struct PlannedOrganization {
    let organization: Organization
    /// What holds for its connections, by their names.
    var connections: [String: JSONObject]
    /// The client grants that it may use.
    var grants: Set<GrantKey>

    /// What tells a client grant: its application and its API.
    struct GrantKey: Hashable {
        let clientID: String
        let audience: String
    }

    /// The members that a plan compares.
    func members(_ name: (String) -> String) -> JSONObject {
        var members = organization.document
        if !connections.isEmpty { members["connections"] = .object(connections.mapValues(JSONValue.object)) }
        if !grants.isEmpty {
            members["client_grants"] = JSONValue(grants.map { "\(name($0.clientID)) → \($0.audience)" }.sorted())
        }
        return members
    }
}

extension Planner {
    mutating func planOrganizations() {
        guard let entries = file.entries[.organizations] else { return }
        var seen: Set<String> = []
        for entry in entries {
            let name = entry.members["name"]?.string ?? ""
            let existing = current.organizations.first { $0.name == name }
            guard let organization = planOrganization(entry, existing) else { continue }
            _ = isFirst(organization.name, &seen, entry)
        }
        guard allowDelete else { return }
        for organization in current.organizations
        where !seen.contains(organization.name) && !file.excluded.covers(.organizations, organization.name) {
            planDelete(.organizations, organization.name) { transaction, _ in
                try OrganizationStore.delete(organization.id, in: transaction)
            }
        }
    }

    private mutating func planOrganization(_ entry: TenantFile.Entry, _ existing: Organization?) -> Organization? {
        for kind in ["discovery_domains", "clients"] where entry.members[kind]?.array?.isEmpty == false {
            notApplied.append("\(entry.path).\(kind): not applied; this version does not have it yet")
        }
        let own = entry.members.filter { !Self.notInDocument.contains($0.key) }
        let id = existing?.id ?? RandomBytes.alphanumeric(16, prefix: "org_")
        var members = Self.merged(existing?.document ?? [:], own)
        members["id"] = .string(id)
        let parsed = parse(members, path: entry.path) { document throws(Document.Problem) in
            try Organization(document: document, standardID: id)
        }
        let before = existing.map(present)
        let connections = connections(of: entry)
        let grants = grants(of: entry)
        guard let organization = parsed, let connections, let grants else { return nil }
        let after = PlannedOrganization(
            organization: organization, connections: connections ?? before.map(remaining)?.connections ?? [:],
            grants: grants ?? before.map(remaining)?.grants ?? [])
        let clients = clients
        func clientName(_ id: String) -> String { clients[id]?.name ?? id }
        plan(
            .organizations, organization.name, before: before?.members(clientName), after: after.members(clientName)
        ) { transaction, now in
            try Self.write(after, at: now, in: transaction)
        }
        return organization
    }

    private static let notInDocument: Set<String> = ["connections", "client_grants", "discovery_domains", "clients"]

    /// An organization as it is.
    private func present(_ organization: Organization) -> PlannedOrganization {
        let names = Dictionary(current.connections.map { ($0.id, $0.name) }) { first, _ in first }
        var connections: [String: JSONObject] = [:]
        for connection in current.organizationConnections[organization.id] ?? [] {
            if let name = names[connection.connectionID] { connections[name] = connection.document }
        }
        let ids = current.organizationGrants[organization.id] ?? []
        return PlannedOrganization(
            organization: organization, connections: connections,
            grants: Set(current.clientGrants.filter { ids.contains($0.id) }.map(\.key)))
    }

    /// The organization without the connections and client grants that are no longer there.
    private func remaining(_ planned: PlannedOrganization) -> PlannedOrganization {
        PlannedOrganization(
            organization: planned.organization,
            connections: planned.connections.filter { connectionNames.contains($0.key) },
            grants: planned.grants.intersection(usableGrants.keys))
    }

    /// The connections that an entry names; nil in the place of them where it names none at all, and of that where one of
    /// them has a problem.
    private mutating func connections(of entry: TenantFile.Entry) -> [String: JSONObject]?? {
        guard let list = list("connections", of: entry) else { return .some(nil) }
        var (connections, isWhole): ([String: JSONObject], Bool) = ([:], true)
        for (index, members) in list.enumerated() {
            let path = "\(entry.path).connections[\(index)]"
            let name = members["name"]?.string ?? ""
            guard connectionNames.contains(name) else {
                let near = Spelling.nearest(to: name, among: connectionNames).map { "; did you mean \($0)?" } ?? ""
                problems.append(file.problem("\(path).name", "no connection is called '\(name.forDisplay)'\(near)"))
                isWhole = false
                continue
            }
            for access in ["organization_access_level", "organization_member_access_level"] where members[access] != nil
            {
                notApplied.append("\(path).\(access): not applied; this version does not have it yet")
            }
            let settings = members.filter { !Self.notOfConnections.contains($0.key) && $0.value != .null }
            let parsed = parse(settings, path: path) { document throws(Document.Problem) in
                try OrganizationConnection(document: document, connectionID: name)
            }
            guard let parsed, connections.updateValue(parsed.document, forKey: name) == nil else {
                if parsed != nil { problems.append(file.problem(path, "'\(name.forDisplay)' is in the list twice")) }
                isWhole = false
                continue
            }
        }
        return isWhole ? connections : nil
    }

    private static let notOfConnections: Set<String> = [
        "name", "connection_id", "connection", "organization_access_level", "organization_member_access_level",
    ]

    /// The client grants that an entry names, as ``connections(of:)``.
    private mutating func grants(of entry: TenantFile.Entry) -> Set<PlannedOrganization.GrantKey>?? {
        guard let list = list("client_grants", of: entry) else { return .some(nil) }
        var (grants, isWhole): (Set<PlannedOrganization.GrantKey>, Bool) = ([], true)
        for (index, members) in list.enumerated() {
            let path = "\(entry.path).client_grants[\(index)]"
            let (client, audience) = (members["client_id"]?.string ?? "", members["audience"]?.string)
            let id = clientID(named: client)
            let found = usableGrants.filter { $0.key.clientID == id && audience ?? $0.key.audience == $0.key.audience }
            guard let (key, usage) = found.first, found.count == 1 else {
                problems.append(
                    file.problem(
                        path,
                        found.isEmpty
                            ? "'\(client.forDisplay)' has no such client grant"
                            : "'\(client.forDisplay)' has \(found.count) client grants; say which one with audience"))
                isWhole = false
                continue
            }
            guard usage != .deny else {
                problems.append(
                    file.problem(
                        path, "the client grant is for no organization; set its organization_usage to allow or require")
                )
                isWhole = false
                continue
            }
            grants.insert(key)
        }
        return isWhole ? grants : nil
    }

    /// A list of objects; nil where the entry has none, and empty where it is something else, which is noted.
    private mutating func list(_ name: String, of entry: TenantFile.Entry) -> [JSONObject]? {
        guard let value = entry.members[name], value != .null else { return nil }
        guard let array = value.array, !array.contains(where: { $0.object == nil }) else {
            problems.append(file.problem("\(entry.path).\(name)", "must be a list of objects"))
            return []
        }
        return array.compactMap(\.object)
    }

    private static func write(
        _ planned: PlannedOrganization, at now: Date, in transaction: any SQLTransaction
    ) throws {
        let id = planned.organization.id
        try OrganizationStore.save(planned.organization, at: now, in: transaction)
        for former in try OrganizationStore.connections(of: id, in: transaction) {
            let name = try ConnectionStore.find(id: former.connectionID, in: transaction)?.name
            guard name.flatMap({ planned.connections[$0] }) == nil else { continue }
            try OrganizationStore.removeConnection(former.connectionID, from: id, in: transaction)
        }
        for (name, members) in planned.connections {
            guard let connection = try ConnectionStore.find(name: name, in: transaction) else { continue }
            let settings = try OrganizationConnection(
                document: Document(members, path: ""), connectionID: connection.id)
            try OrganizationStore.save(settings, of: id, in: transaction)
        }
        let former = try Set(OrganizationStore.clientGrants(of: id, in: transaction).map(\.id))
        let grants = try Set(
            ClientGrantStore.list(in: transaction).filter { planned.grants.contains($0.key) }.map(\.id))
        for grant in former.subtracting(grants) {
            try OrganizationStore.removeClientGrant(grant, from: id, in: transaction)
        }
        for grant in grants.subtracting(former) {
            try OrganizationStore.addClientGrant(grant, to: id, in: transaction)
        }
    }
}

extension ClientGrant {
    var key: PlannedOrganization.GrantKey { .init(clientID: clientID, audience: audience) }
}
