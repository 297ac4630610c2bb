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
            let identifier = entry.members["identifier"]?.string ?? ""
            let existing = current.resourceServers.first { api in
                api.resourceServer.identifier == identifier
                    || (identifier.isEmpty && api.resourceServer.name == entry.members["name"]?.string)
            }
            if let api = planResourceServer(entry, existing) {
                _ = isFirst(api.identifier, &seen, entry)
            }
        }
        guard allowDelete else { return }
        for registered in current.resourceServers where !seen.contains(registered.resourceServer.identifier) {
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
        let members = entry.members.filter { $0.key != "signing_secret" }
        let id = existing?.resourceServer.id ?? RandomBytes.hexadecimal(24)
        let parsed = parse(Self.merged(existing?.resourceServer.document ?? [:], members), path: entry.path) {
            document throws(Document.Problem) in try ResourceServer(document: document, standardID: id)
        }
        guard let api = parsed else { return nil }
        resourceServers[api.identifier] = api
        let secret = entry.members["signing_secret"]?.string
        if let secret, secret.utf8.count < 16 {
            problems.append(file.problem("\(entry.path).signing_secret", "is shorter than 16 characters"))
        }
        if api.signingAlgorithm == .hs256, secret == nil, existing?.sealedSigningSecret == nil {
            problems.append(
                file.problem(
                    "\(entry.path).signing_alg", "HS256 needs a signing_secret of at least 16 characters; or use RS256"))
        }
        let known = existing?.sealedSigningSecret.flatMap { try? box.open($0) }
        let isNew = secret != nil && secret != known
        let sealed = isNew ? secret.flatMap { try? box.seal($0) } : nil
        plan(
            .resourceServers, api.identifier, before: existing?.resourceServer.document, after: api.document,
            alsoChanged: isNew
                ? [FieldDifference(field: "signing_secret", before: nil, after: known == nil ? "(set)" : "(changed)")]
                : []
        ) { transaction, _ in
            try ResourceServerStore.save(api, sealedSigningSecret: sealed, in: transaction)
        }
        return api
    }

    mutating func planClientGrants() {
        guard let entries = file.entries[.clientGrants] else { return }
        var seen: Set<String> = []
        for entry in entries {
            guard let grant = clientGrant(entry) else { continue }
            guard isFirst("\(grant.clientID) \(grant.audience)", &seen, entry) else { continue }
            let existing = current.clientGrants.first { $0.clientID == grant.clientID && $0.audience == grant.audience }
            let name = "\(clients[grant.clientID]?.name ?? grant.clientID) → \(grant.audience)"
            plan(.clientGrants, name, before: existing?.document, after: grant.document) { transaction, _ in
                try ClientGrantStore.save(grant, in: transaction)
            }
        }
        guard allowDelete else { return }
        for grant in current.clientGrants where !seen.contains("\(grant.clientID) \(grant.audience)") {
            // A deleted application or API takes its grants along.
            guard clients[grant.clientID] != nil, resourceServers[grant.audience] != nil else { continue }
            planDelete(.clientGrants, "\(grant.clientID) → \(grant.audience)") { transaction, _ in
                try ClientGrantStore.delete(grant.id, in: transaction)
            }
        }
    }

    private mutating func clientGrant(_ entry: TenantFile.Entry) -> ClientGrant? {
        guard let named = entry.members["client_id"]?.string, let clientID = clientID(named: named) else {
            problems.append(
                file.problem("\(entry.path).client_id", "must be the client_id or the name of one application"))
            return nil
        }
        let audience = entry.members["audience"]?.string ?? ""
        guard let api = resourceServers[audience] else {
            problems.append(file.problem("\(entry.path).audience", "no API has the identifier '\(audience.forDisplay)'"))
            return nil
        }
        let existing = current.clientGrants.first { $0.clientID == clientID && $0.audience == audience }
        var members = Self.merged(existing?.document ?? [:], entry.members)
        members["client_id"] = .string(clientID)
        let id = existing?.id ?? RandomBytes.alphanumeric(16, prefix: "cgr_")
        members["id"] = .string(id)
        let parsed = parse(members, path: entry.path) { document throws(Document.Problem) in
            try ClientGrant(document: document, standardID: id)
        }
        guard let grant = parsed else { return nil }
        let unknown = grant.scope.subtracting(api.scope)
        guard unknown.isEmpty else {
            problems.append(
                file.problem("\(entry.path).scope", "the API \(audience) has no scope \(unknown.values.joined(separator: ", "))"))
            return nil
        }
        return grant
    }
}
