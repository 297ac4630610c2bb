import AuthorizationServer
import OAuth
import Storage
import TenantConfiguration

extension ResourceServer: ConfigurationModel {
    package static var further: [String: DocumentSchema.Member] { ["signing_secret": .init(.text(most: 255))] }
    package static var readOnly: Set<String> { ["id", "is_system"] }
    package static var immutable: Set<String> { ["identifier"] }
}

/// `/api/v2/resource-servers`: the APIs, the Management API itself among them.
struct ResourceServersResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("resource-servers")
            .get(
                requires: .read("resource_servers"), "Get resource servers",
                answers: .page("resource_servers", Self.members), use: list
            )
            .post(
                requires: .create("resource_servers"), "Create a resource server", answers: .object(Self.members),
                use: create
            )
            .get(
                ":id", requires: .read("resource_servers"), "Get a resource server", answers: .object(Self.members),
                use: get
            )
            .patch(
                ":id", requires: .update("resource_servers"), "Update a resource server",
                answers: .object(Self.members), use: update
            )
            .delete(":id", requires: .delete("resource_servers"), "Delete a resource server", use: delete)
    }

    static let members = Members.of(ResourceServer.self, always: ["id", "identifier"])

    struct Filter: Payload {
        let paging: Paging
        let fields: FieldSelection
        let identifiers: Set<String>

        init(from document: inout Document) throws(Document.Problem) {
            paging = try Paging(from: &document)
            fields = try FieldSelection(from: &document)
            identifiers = Set(try document.strings("identifiers") ?? [])
        }
    }

    struct Fields: Payload {
        let fields: FieldSelection

        init(from document: inout Document) throws(Document.Problem) { fields = try FieldSelection(from: &document) }
    }

    @Sendable private func list(_ call: Query<Filter>) async throws -> Answer {
        let wanted = call.query.identifiers
        let all = try await management.stores.database.readOnce { try ResourceServerStore.list(in: $0) }
            .map(\.resourceServer).filter { wanted.isEmpty || wanted.contains($0.identifier) }
        return .list("resource_servers", all.map(\.document), by: "id", call.query.paging) {
            call.query.fields.apply(to: $0)
        }
    }

    @Sendable private func get(_ call: Query<Fields>) async throws -> Answer {
        let id = call["id"]
        let api = try await management.stores.database.read { try Self.find(id, $0).resourceServer }
        return .ok(call.query.fields.apply(to: api.document))
    }

    @Sendable private func create(_ call: Submission<New<ResourceServer>>) async throws -> Answer {
        let (id, box) = (RandomBytes.hexadecimal(24), management.services.secret.box)
        let members = call.body.members
        return try await management.configure(call.caller) { transaction, _ in
            let write = try Self.write(members, id, replacing: nil, box, transaction)
            let identifier = write.resourceServer.identifier
            guard try ResourceServerStore.find(identifier: identifier, in: transaction) == nil else {
                throw ManagementError.conflict(
                    "A resource server with the same identifier already exists.", "resource_server_exists")
            }
            try write.save(in: transaction)
            return Changed(
                .created(Self.shown(write, members)),
                [.init("resource-servers", id, before: nil, after: write.resourceServer.document)])
        }
    }

    @Sendable private func update(_ call: Submission<Change<ResourceServer>>) async throws -> Answer {
        let (id, changes, box) = (call["id"], call.body.members, management.services.secret.box)
        return try await management.configure(call.caller) { transaction, _ in
            let existing = try Self.find(id, transaction)
            let api = existing.resourceServer
            if api.isSystem { try Self.checkSystem(changes) }
            var members = api.document.merging(changes) { $1 }.filter { $0.value != .null }
            members["signing_secret"] = changes["signing_secret"]
            let write = try Self.write(members, api.id, replacing: existing, box, transaction)
            try write.save(in: transaction)
            try ResourceServerWrite.withdrawScopes(missingFrom: write.resourceServer, in: transaction)
            return Changed(
                .ok(Self.shown(write, changes)),
                [
                    .init("resource-servers", api.id, before: api.document, after: write.resourceServer.document)
                ])
        }
    }

    @Sendable private func delete(_ call: Plain) async throws -> Answer {
        let id = call["id"]
        return try await management.configure(call.caller) { transaction, _ in
            guard let api = try? Self.find(id, transaction).resourceServer else { return Changed(.noContent, []) }
            guard !api.isSystem else { throw ManagementError(400, "The Management API cannot be deleted") }
            try ResourceServerStore.delete(identifier: api.identifier, in: transaction)
            return Changed(.noContent, [.init("resource-servers", api.id, before: api.document, after: nil)])
        }
    }

    // MARK: Steps

    /// The API with this id or identifier.
    private static func find(_ id: String, _ transaction: any SQLTransaction) throws -> RegisteredResourceServer {
        let found = try ResourceServerStore.find(id: id, in: transaction)
        guard let found = try found ?? ResourceServerStore.find(identifier: id, in: transaction) else {
            throw ManagementError.inexistent("resource_server", "resource server")
        }
        return found
    }

    private static func write(
        _ members: JSONObject, _ id: String, replacing existing: RegisteredResourceServer?, _ box: SecretBox,
        _ transaction: any SQLTransaction
    ) throws -> ResourceServerWrite {
        var document = Document(members, path: "")
        let secret = try document.string("signing_secret", most: 255)
        let api = try ResourceServer(document: document, standardID: id)
        if let problem = SigningRules.problems(of: api, try TenantStore.settings(in: transaction)).first {
            throw problem
        }
        return try ResourceServerWrite(api, replacing: existing, secret: secret, box: box)
    }

    /// What the Management API is follows from the server; how long its tokens are good is the tenant's choice.
    private static func checkSystem(_ changes: JSONObject) throws(ManagementError) {
        let allowed: Set<String> = ["token_lifetime", "token_lifetime_for_web", "proof_of_possession"]
        guard let name = changes.keys.sorted().first(where: { !allowed.contains($0) }) else { return }
        throw .invalidBody(
            Document.Problem(
                path: name, message: "cannot change for the Management API, which is the server's own"))
    }

    /// The API with the secret that it has been given in this request, which is not shown again.
    private static func shown(_ write: ResourceServerWrite, _ request: JSONObject) -> JSONObject {
        var members = write.resourceServer.document
        members["signing_secret"] = write.generatedSecret.map(JSONValue.string)
        if members["signing_secret"] == nil, write.hasNewSecret {
            members["signing_secret"] = request["signing_secret"]
        }
        return members
    }
}
