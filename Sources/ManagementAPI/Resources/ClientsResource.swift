import AuthorizationServer
import Foundation
import OAuth
import Storage
import TenantConfiguration

extension Client: ConfigurationModel {
    package static var further: [String: DocumentSchema.Member] { ["client_secret": .init(.text(most: 255))] }
    package static var readOnly: Set<String> { ["client_id", "external_metadata_type", "credentials"] }
}

/// `/api/v2/clients`.
struct ClientsResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("clients")
            .get(requires: Self.readers, "Get clients", answers: .page("clients", Self.members.optional), use: list)
            .post(requires: .create("clients"), "Create a client", answers: .object(Self.members), use: create)
            .get(":id", requires: Self.readers, "Get a client", answers: .object(Self.members.optional), use: get)
            .patch(
                ":id", requires: .update("clients", "client_keys", "client_credentials"), "Update a client",
                answers: .object(Self.members), use: update
            )
            .delete(":id", requires: .delete("clients"), "Delete a client", use: delete)
            .post(
                ":id/rotate-secret", requires: .update("client_keys"), "Rotate a client secret", status: 200,
                answers: .object(Self.members), use: rotateSecret)
    }

    /// The secret is there when it has just been made.
    static let members = Members.of(
        Client.self, always: ["client_id", "tenant"], and: ["tenant": .text, "global": .bool])

    private static let readers = RequiredScope.read("clients", "client_keys", "client_credentials", "client_summary")

    struct Filter: Payload {
        let paging: Paging
        let fields: FieldSelection
        let isGlobal: Bool?
        let isFirstParty: Bool?
        let appTypes: Set<String>
        let externalID: String?
        let grants: ClientQuery?

        init(from document: inout Document) throws(Document.Problem) {
            paging = try Paging(from: &document, checkpoints: true)
            fields = try FieldSelection(from: &document)
            isGlobal = try document.bool("is_global")
            isFirstParty = try document.bool("is_first_party")
            appTypes = Set((try document.string("app_type") ?? "").split(separator: ",").map { $0.trimmed })
            externalID = try document.string("external_client_id")
            grants = try ClientQuery(from: &document)
            guard grants == nil || isGlobal == nil && isFirstParty == nil && appTypes.isEmpty && externalID == nil
            else { throw document.problem("q", "excludes the other filters") }
        }

        func includes(_ client: Client) -> Bool {
            // Portico has no client that stands for all of them.
            isGlobal != true && isFirstParty ?? client.isFirstParty == client.isFirstParty
                && (appTypes.isEmpty || appTypes.contains(client.appType?.rawValue ?? ""))
                && (externalID == nil || client.isMetadataDocument && client.clientID == externalID)
        }
    }

    struct Fields: Payload {
        let fields: FieldSelection

        init(from document: inout Document) throws(Document.Problem) { fields = try FieldSelection(from: &document) }
    }

    @Sendable private func list(_ call: Query<Filter>) async throws -> Answer {
        var clients = try await management.stores.clients.list().map(\.client).filter(call.query.includes)
        if let grants = call.query.grants {
            let wanted = try await management.stores.database.read { try grants.clientIDs(in: $0) }
            clients.removeAll { !wanted.contains($0.clientID) }
        }
        let all = clients.map { shown($0, to: call.caller) }
        return .list("clients", all, by: "client_id", call.query.paging) {
            call.query.fields.apply(to: $0, keeping: ["tenant"])
        }
    }

    @Sendable private func get(_ call: Query<Fields>) async throws -> Answer {
        guard let client = try await management.stores.clients.find(call["id"])?.client else { throw Self.inexistent }
        return .ok(call.query.fields.apply(to: shown(client, to: call.caller), keeping: ["tenant"]))
    }

    @Sendable private func create(_ call: Submission<New<Client>>) async throws -> Answer {
        let id = RandomBytes.alphanumeric(32)
        let members = try ClientMembers.new(call.body.members)
        let secret = try Self.secret(call.body.members)
        let box = management.services.secret.box
        return try await management.configure(call.caller) { transaction, now in
            let write = try Self.write(members, id, replacing: nil, secret: secret, box, transaction)
            try write.save(at: now, in: transaction)
            return Changed(
                .created(full(write.client, secret: secret ?? write.generatedSecret)),
                [.init("clients", id, before: nil, after: write.client.document)])
        }
    }

    @Sendable private func update(_ call: Submission<Change<Client>>) async throws -> Answer {
        try Self.checkScope(of: call)
        let (id, changes, box) = (call["id"], call.body.members, management.services.secret.box)
        let secret = try Self.secret(changes)
        return try await management.configure(call.caller) { transaction, now in
            let existing = try Self.find(id, transaction)
            let members = try ClientMembers.merged(existing.client, changes)
            let write = try Self.write(members, id, replacing: existing, secret: secret, box, transaction)
            try write.save(at: now, in: transaction)
            return Changed(
                .ok(full(write.client, secret: write.generatedSecret)),
                [.init("clients", id, before: existing.client.document, after: write.client.document)])
        }
    }

    @Sendable private func delete(_ call: Plain) async throws -> Answer {
        let id = call["id"]
        return try await management.configure(call.caller) { transaction, _ in
            guard let client = try ClientStore.find(id, in: transaction)?.client else { return Changed(.noContent, []) }
            try ClientWrite.delete(id, in: transaction)
            return Changed(.noContent, [.init("clients", id, before: client.document, after: nil)])
        }
    }

    @Sendable private func rotateSecret(_ call: Plain) async throws -> Answer {
        let (id, secret, box) = (call["id"], ClientWrite.makeSecret(), management.services.secret.box)
        return try await management.configure(call.caller) { transaction, now in
            let existing = try Self.find(id, transaction)
            guard existing.client.usesSecret else {
                throw ManagementError(400, "The client has no secret: it authenticates with a key, or not at all")
            }
            let write = try ClientWrite(existing.client, replacing: existing, secret: secret, box: box)
            try write.save(at: now, in: transaction)
            var after = existing.client.document
            after["client_secret"] = "rotated"
            return Changed(
                .ok(full(existing.client, secret: secret)),
                [.init("clients", id, before: existing.client.document, after: after)])
        }
    }

    // MARK: Steps

    static let inexistent = ManagementError.inexistent("client", "client")

    /// The client, for a change.
    static func find(_ id: String, _ transaction: any SQLTransaction) throws -> RegisteredClient {
        guard let found = try ClientStore.find(id, in: transaction) else { throw inexistent }
        guard !found.client.isMetadataDocument else {
            throw ManagementError(
                400, "The client is what the document at its client_id says, and is changed there", "invalid_uri")
        }
        return found
    }

    /// The client that the members make, once every rule is kept.
    static func write(
        _ members: JSONObject, _ id: String, replacing existing: RegisteredClient?, secret: String?, _ box: SecretBox,
        _ transaction: any SQLTransaction
    ) throws -> ClientWrite {
        let client = try Client(document: Document(members, path: ""), standardID: id)
        if let problem = ClientWrite.problems(of: client, try TenantStore.settings(in: transaction)).first {
            throw problem
        }
        return try ClientWrite(client, replacing: existing, secret: secret, box: box)
    }

    private static func secret(_ members: JSONObject) throws(Document.Problem) -> String? {
        var document = Document(members, path: "")
        return try document.string("client_secret", most: 255)
    }

    /// Secrets and credentials have scopes of their own, and these scopes are for nothing else.
    private static func checkScope(of call: Submission<Change<Client>>) throws(ManagementError) {
        for name in call.body.members.keys.sorted() {
            let scope =
                switch name {
                case "client_secret": "update:client_keys"
                case "client_authentication_methods", "jwks", "jwks_uri": "update:client_credentials"
                default: "update:clients"
                }
            let isAllowed = call.has(scope) || name != "client_secret" && call.has("update:clients")
            guard isAllowed else { throw .insufficientScope([scope]) }
        }
    }

    /// The client as whoever has made or changed it sees it.
    private func full(_ client: Client, secret: String?) -> JSONObject {
        var members = ClientMembers.shown(client)
        members["tenant"] = .string(management.tenantName)
        members["global"] = false
        members["client_secret"] = secret.map(JSONValue.string)
        return members
    }

    /// What the token's scope shows of it: some scopes show only which applications there are.
    private func shown(_ client: Client, to caller: Caller) -> JSONObject {
        let scope = caller.principal.scope
        var members = full(client, secret: nil)
        if !scope.contains("read:client_credentials") { members["client_authentication_methods"] = nil }
        guard !scope.contains("read:clients") else { return members }
        var visible: Set<String> = ["client_id", "app_type", "name", "description", "tenant"]
        if scope.contains("read:client_credentials") { visible.insert("client_authentication_methods") }
        return members.filter { visible.contains($0.key) }
    }
}
