import AuthorizationServer
import Foundation
import OAuth
import Storage

extension Planner {
    mutating func planClients() {
        guard let entries = file.entries[.clients] else { return }
        var seen: Set<String> = []
        for entry in entries {
            if entry.members["global"]?.bool == true {
                notApplied.append("\(entry.path): the global client is not applied; Portico has none")
                continue
            }
            guard let existing = existingClient(for: entry) else { continue }
            let id = existing.found?.client.clientID ?? entry.members["client_id"]?.string
            // A client that is new and has no id yet is told by its name, which no id can be: a space precedes it.
            let key = id ?? entry.members["name"]?.string.map { " " + $0 }
            if let key, !isFirst(key, &seen, entry) { continue }
            _ = planClient(entry, existing.found, standardID: id ?? newID(for: entry))
        }
        guard allowDelete else { return }
        for registered in current.clients
        where !seen.contains(registered.client.clientID) && !file.excluded.covers(.clients, registered.client.name) {
            let id = registered.client.clientID
            clients[id] = nil
            planDelete(.clients, registered.client.name) { transaction, _ in
                try ClientStore.delete(id, in: transaction)
            }
        }
    }

    private mutating func newID(for entry: TenantFile.Entry) -> String {
        if let id = clientIDs[entry.path] { return id }
        let id = RandomBytes.alphanumeric(32)
        clientIDs[entry.path] = id
        return id
    }

    /// The client that an entry means: the one with its `client_id`, or without one the one with its name.
    private mutating func existingClient(for entry: TenantFile.Entry) -> (found: RegisteredClient?, Void)? {
        if let id = entry.members["client_id"]?.string {
            return (current.clients.first { $0.client.clientID == id }, ())
        }
        let named = current.clients.filter { $0.client.name == entry.members["name"]?.string }
        guard named.count < 2 else {
            problems.append(
                file.problem(entry.path, "\(named.count) applications have this name; say which one with client_id"))
            return nil
        }
        return (named.first, ())
    }

    private mutating func planClient(
        _ entry: TenantFile.Entry, _ existing: RegisteredClient?, standardID: String
    ) -> Client? {
        var members = entry.members.filter { !ClientWrite.notInDocument.contains($0.key) }
        if let addons = members["addons"]?.object {
            members["addons"] = .object(withoutForeignSecrets(addons, "\(entry.path).addons"))
        }
        let secret = text("client_secret", of: entry)
        let parsed = parse(Self.merged(existing?.client.document ?? [:], members), path: entry.path) {
            document throws(Document.Problem) in try Client(document: document, standardID: standardID)
        }
        guard let client = parsed else { return nil }
        clients[client.clientID] = client
        note(GrantTypeRules.problems(of: entry.members), at: entry.path)
        note(client.keyProblems.map { Document.Problem(path: $0.member, message: $0.problem) }, at: entry.path)
        checkSigning(of: client.clientID, SigningRules.problems(of: client, settings), at: entry.path)
        let write: ClientWrite
        do throws(Document.Problem) {
            write = try ClientWrite(client, replacing: existing, secret: secret, box: box)
        } catch {
            note([error], at: entry.path)
            return client
        }
        plan(
            .clients, client.name, before: existing?.client.document, after: client.document,
            alsoChanged: write.hasNewSecret
                ? [FieldDifference(field: "client_secret", before: nil, after: existing == nil ? "(set)" : "(changed)")]
                : [],
            generatedSecret: write.generatedSecret
        ) { transaction, now in
            try write.save(at: now, in: transaction)
        }
        return client
    }

    /// Leaves out what ``ForeignSecrets`` finds, and says so.
    mutating func withoutForeignSecrets(_ members: JSONObject, _ path: String) -> JSONObject {
        let (kept, paths) = ForeignSecrets.removed(from: members, path: path)
        notApplied += paths.map { "\(file.problem($0, "not kept; it is a secret that this version does not use"))" }
        return kept
    }

    /// The id of the application that a file calls by its id or its name.
    func clientID(named text: String) -> String? {
        if clients[text] != nil { return text }
        let named = clients.values.filter { $0.name == text }
        return named.count == 1 ? named.first?.clientID : nil
    }
}
