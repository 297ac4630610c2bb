import AuthorizationServer
import Foundation
import OAuth
import Storage

extension Planner {
    mutating func planResourceServers() {
        guard let entries = file.entries[.resourceServers] else { return }
        var seen: Set<String> = []
        for entry in entries {
            guard entry.members["is_system"]?.bool != true else {
                notApplied.append("\(entry.path): Auth0's own Management API is not applied")
                continue
            }
            let named = current.resourceServers.filter { api in
                entry.members["identifier"].map { $0 == .string(api.resourceServer.identifier) }
                    ?? (entry.members["name"] == .string(api.resourceServer.name))
            }
            guard named.count < 2 else {
                problems.append(
                    file.problem(entry.path, "\(named.count) APIs have this name; say which one with identifier"))
                continue
            }
            guard named.first?.resourceServer.isSystem != true else {
                notApplied.append("\(entry.path): Portico's own Management API is not applied")
                continue
            }
            if let api = planResourceServer(entry, named.first) {
                _ = isFirst(api.identifier, &seen, entry)
            }
        }
        guard allowDelete else { return }
        for registered in current.resourceServers
        where !registered.resourceServer.isSystem && !seen.contains(registered.resourceServer.identifier)
            && !file.excluded.covers(.resourceServers, registered.resourceServer.name)
        {
            let identifier = registered.resourceServer.identifier
            resourceServers[identifier] = nil
            planDelete(.resourceServers, identifier) { transaction, _ in
                try ResourceServerStore.delete(identifier: identifier, in: transaction)
            }
        }
    }

    private mutating func planResourceServer(
        _ entry: TenantFile.Entry, _ existing: RegisteredResourceServer?
    ) -> ResourceServer? {
        var members = entry.members.filter { $0.key != "signing_secret" }
        let id = existing?.resourceServer.id ?? RandomBytes.hexadecimal(24)
        members["id"] = .string(id)
        let given = text("signing_secret", of: entry)
        let parsed = parse(Self.merged(existing?.resourceServer.document ?? [:], members), path: entry.path) {
            document throws(Document.Problem) in try ResourceServer(document: document, standardID: id)
        }
        guard let api = parsed else { return nil }
        resourceServers[api.identifier] = api
        checkSigning(of: api.identifier, SigningRules.problems(of: api, settings), at: entry.path)
        let write: ResourceServerWrite
        do throws(Document.Problem) {
            write = try ResourceServerWrite(api, replacing: existing, secret: given, box: box)
        } catch {
            note([error], at: entry.path)
            return api
        }
        plan(
            .resourceServers, api.identifier, before: existing?.resourceServer.document, after: api.document,
            alsoChanged: write.hasNewSecret
                ? [
                    FieldDifference(
                        field: "signing_secret", before: nil, after: write.replacesSecret ? "(changed)" : "(set)")
                ]
                : [],
            generatedSecret: write.generatedSecret
        ) { transaction, _ in
            try write.save(in: transaction)
        }
        return api
    }

    mutating func planClientGrants() {
        var seen: Set<String> = []
        defer {
            for grant in current.clientGrants where !seen.contains("\(grant.clientID) \(grant.audience)") {
                if !allowDelete || file.entries[.clientGrants] == nil { plan(remaining(of: grant), before: grant) }
            }
        }
        guard let entries = file.entries[.clientGrants] else { return }
        for entry in entries {
            if let reason = GrantRules.unsupported(entry.members) {
                notApplied.append("\(entry.path): \(reason)")
                continue
            }
            guard let grant = clientGrant(entry) else { continue }
            guard isFirst("\(grant.clientID) \(grant.audience)", &seen, entry) else { continue }
            let existing = current.clientGrants.first { $0.clientID == grant.clientID && $0.audience == grant.audience }
            plan(grant, before: existing)
        }
        guard allowDelete else { return }
        for grant in current.clientGrants where !seen.contains("\(grant.clientID) \(grant.audience)") {
            // A deleted application or API takes its grants along.
            guard clients[grant.clientID] != nil, resourceServers[grant.audience] != nil else { continue }
            planDelete(.clientGrants, "\(clients[grant.clientID]?.name ?? grant.clientID) → \(grant.audience)") {
                transaction, _ in
                try ClientGrantStore.delete(grant.id, in: transaction)
            }
        }
    }

    private mutating func plan(_ grant: ClientGrant, before: ClientGrant?) {
        guard clients[grant.clientID] != nil, resourceServers[grant.audience] != nil else { return }
        usableGrants[grant.key] = grant.organizationUsage ?? .deny
        let name = "\(clients[grant.clientID]?.name ?? grant.clientID) → \(grant.audience)"
        plan(.clientGrants, name, before: before?.document, after: grant.document) { transaction, _ in
            try ClientGrantStore.save(grant, in: transaction)
        }
    }

    /// The grant without the scopes that its API has no longer.
    private func remaining(of grant: ClientGrant) -> ClientGrant {
        var grant = grant
        grant.scope = grant.scope.intersection(resourceServers[grant.audience]?.scope ?? .empty)
        return grant
    }

    private mutating func clientGrant(_ entry: TenantFile.Entry) -> ClientGrant? {
        let clientID = entry.members["client_id"]?.string.flatMap(clientID(named:))
        if clientID == nil {
            problems.append(
                file.problem("\(entry.path).client_id", "must be the client_id or the name of one application"))
        }
        let audience = entry.members["audience"]?.string ?? ""
        let api = resourceServers[audience]
        if api == nil {
            problems.append(
                file.problem("\(entry.path).audience", "no API has the identifier '\(audience.forDisplay)'"))
        }
        guard let clientID, let api else { return nil }
        let existing = current.clientGrants.first { $0.clientID == clientID && $0.audience == audience }
        var members = Self.merged(existing.map(remaining)?.document ?? [:], entry.members)
        members["client_id"] = .string(clientID)
        let id = existing?.id ?? RandomBytes.alphanumeric(16, prefix: "cgr_")
        members["id"] = .string(id)
        let parsed = parse(members, path: entry.path) { document throws(Document.Problem) in
            try ClientGrant(document: document, standardID: id)
        }
        guard let grant = parsed else { return nil }
        if let problem = GrantRules.problem(of: grant, for: api) {
            note([problem], at: entry.path)
            return nil
        }
        return grant
    }
}
