import AuthorizationServer
import Foundation
import OAuth
import Storage

extension Planner {
    /// What the Management API returns and nobody may write.
    private static let readOnly: Set<String> = ["tenant", "global", "signing_keys", "owners", "client_secret"]

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
            _ = planClient(entry, existing.found, standardID: id ?? RandomBytes.alphanumeric(32))
        }
        guard allowDelete else { return }
        for registered in current.clients where !seen.contains(registered.client.clientID) {
            let id = registered.client.clientID
            clients[id] = nil
            planDelete(.clients, registered.client.name) { transaction, _ in
                try ClientStore.delete(id, in: transaction)
            }
        }
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
        var members = entry.members.filter { !Self.readOnly.contains($0.key) }
        if let addons = members["addons"]?.object {
            members["addons"] = .object(withoutForeignSecrets(addons, "\(entry.path).addons"))
        }
        var secret = text("client_secret", of: entry)
        let parsed = parse(Self.merged(existing?.client.document ?? [:], members), path: entry.path) {
            document throws(Document.Problem) in try Client(document: document, standardID: standardID)
        }
        guard let client = parsed else { return nil }
        clients[client.clientID] = client
        for (member, problem) in client.keyProblems {
            problems.append(file.problem("\(entry.path).\(member)", problem))
        }
        checkSigning(client.idTokenAlgorithm, of: client.clientID, path: "\(entry.path).jwt_configuration.alg")
        if let algorithm = client.openID.userInfoAlgorithm {
            checkSigning(algorithm, of: client.clientID, path: "\(entry.path).userinfo_signed_response_alg")
        }
        var generated: String?
        if existing?.secretDigest == nil, secret == nil, client.usesSecret {
            generated = Base64URL.encode(RandomBytes.make(48))
            secret = generated
        }
        if let problem = Self.secretProblem(secret, client, existing) {
            problems.append(file.problem("\(entry.path).client_secret", problem))
            return client
        }
        let digest = secret.map { Secret($0).digest }
        let isNewSecret = digest != nil && digest != existing?.secretDigest
        let needsSealing = client.needsReadableSecret && secret != nil
        let sealed = needsSealing ? secret.flatMap { try? box.seal($0) } : nil
        plan(
            .clients, client.name, before: existing?.client.document, after: client.document,
            alsoChanged: isNewSecret
                ? [FieldDifference(field: "client_secret", before: nil, after: existing == nil ? "(set)" : "(changed)")]
                : [],
            generatedSecret: generated
        ) { transaction, now in
            try ClientStore.save(client, secretDigest: digest, sealedSecret: sealed, at: now, in: transaction)
        }
        return client
    }

    private static func secretProblem(_ secret: String?, _ client: Client, _ existing: RegisteredClient?) -> String? {
        if let secret, secret.utf8.count < 16 {
            return "is shorter than 16 characters; make one with: openssl rand -base64 48"
        }
        if client.needsReadableSecret, secret == nil, existing?.sealedSecret == nil {
            return "is needed here because HS256 signs tokens with it; give it, or use RS256"
        }
        if client.tokenEndpointAuthMethod == .clientSecretJWT {
            if secret == nil, existing?.sealedSecret == nil {
                return "is needed here because client_secret_jwt signs with it"
            }
            // RFC 7518 §3.2: a key is at least as long as the hash.
            if let secret, secret.utf8.count < 32 {
                return
                    "is shorter than the 32 characters that client_secret_jwt needs; make one with: openssl rand -base64 48"
            }
        }
        return nil
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
