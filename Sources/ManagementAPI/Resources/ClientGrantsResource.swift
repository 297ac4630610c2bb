import AuthorizationServer
import OAuth
import Storage
import TenantConfiguration

extension ClientGrant: ConfigurationModel {
    package static var readOnly: Set<String> { ["id", "is_system"] }
    package static var immutable: Set<String> { ["client_id", "audience", "subject_type"] }
}

/// `/api/v2/client-grants`: what applications may ask of APIs on their own behalf.
struct ClientGrantsResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("client-grants")
            .get(
                requires: .read("client_grants"), "Get client grants", answers: .page("client_grants", Self.members),
                use: list
            )
            .post(
                requires: .create("client_grants"), "Create a client grant", answers: .object(Self.members), use: create
            )
            .get(
                ":id", requires: .read("client_grants"), "Get a client grant", answers: .object(Self.members), use: get
            )
            .patch(
                ":id", requires: .update("client_grants"), "Update a client grant", answers: .object(Self.members),
                use: update
            )
            .delete(":id", requires: .delete("client_grants"), "Delete a client grant", use: delete)
    }

    static let members = Members.of(
        ClientGrant.self, always: ["id", "client_id", "audience", "scope"], and: ["subject_type": .text])

    struct Filter: Payload {
        let paging: Paging
        let audience: String?
        let clientID: String?
        let subjectType: SubjectType?
        let allowsAnyOrganization: Bool?
        /// No grant is one for a whole group of applications: each has its application.
        let isDefaultAsked: Bool

        enum SubjectType: String, CaseIterable { case client, user }

        init(from document: inout Document) throws(Document.Problem) {
            paging = try Paging(from: &document, checkpoints: true)
            audience = try document.string("audience")
            clientID = try document.string("client_id")
            subjectType = try document.oneOf("subject_type", SubjectType.self)
            allowsAnyOrganization = try document.bool("allow_any_organization")
            isDefaultAsked = try document.oneOf("default_for", Group.self) != nil
        }

        enum Group: String, CaseIterable { case thirdParty = "third_party_clients" }

        func includes(_ grant: ClientGrant) -> Bool {
            audience ?? grant.audience == grant.audience && clientID ?? grant.clientID == grant.clientID
                && subjectType != .user && !isDefaultAsked
                && (allowsAnyOrganization == nil
                    || allowsAnyOrganization == (grant.allowsAnyOrganization ?? false))
        }
    }

    @Sendable private func list(_ call: Query<Filter>) async throws -> Answer {
        let all = try await management.stores.database.readOnce { try ClientGrantStore.list(in: $0) }
            .filter(call.query.includes)
        return .list("client_grants", all.map(Self.shown), by: "id", call.query.paging) { $0 }
    }

    @Sendable private func get(_ call: Plain) async throws -> Answer {
        let id = call["id"]
        return .ok(try await management.stores.database.readOnce { Self.shown(try Self.find(id, $0)) })
    }

    @Sendable private func create(_ call: Submission<New<ClientGrant>>) async throws -> Answer {
        let (id, members) = (RandomBytes.alphanumeric(16, prefix: "cgr_"), call.body.members)
        if let reason = GrantRules.unsupported(members) {
            throw Document.Problem(path: "subject_type", message: reason)
        }
        return try await management.configure(call.caller) { transaction, _ in
            let grant = try ClientGrant(document: Document(members, path: ""), standardID: id)
            guard try ClientStore.find(grant.clientID, in: transaction) != nil else { throw ClientsResource.inexistent }
            try Self.check(grant, transaction)
            let others = try ClientGrantStore.list(in: transaction)
            guard !others.contains(where: { $0.clientID == grant.clientID && $0.audience == grant.audience }) else {
                throw ManagementError.conflict("A client grant for this client and API combination already exists")
            }
            try ClientGrantStore.save(grant, in: transaction)
            return Changed(
                .created(Self.shown(grant)), [.init("client-grants", id, before: nil, after: grant.document)])
        }
    }

    @Sendable private func update(_ call: Submission<Change<ClientGrant>>) async throws -> Answer {
        let (id, changes) = (call["id"], call.body.members)
        return try await management.configure(call.caller) { transaction, _ in
            let existing = try Self.find(id, transaction)
            let members = existing.document.merging(changes) { $1 }.filter { $0.value != .null }
            let grant = try ClientGrant(document: Document(members, path: ""), standardID: id)
            try Self.check(grant, transaction)
            try ClientGrantStore.save(grant, in: transaction)
            return Changed(
                .ok(Self.shown(grant)),
                [.init("client-grants", id, before: existing.document, after: grant.document)])
        }
    }

    @Sendable private func delete(_ call: Plain) async throws -> Answer {
        let id = call["id"]
        return try await management.configure(call.caller) { transaction, _ in
            guard let grant = try ClientGrantStore.find(id, in: transaction) else { return Changed(.noContent, []) }
            try ClientGrantStore.delete(id, in: transaction)
            return Changed(.noContent, [.init("client-grants", id, before: grant.document, after: nil)])
        }
    }

    // MARK: Steps

    static func find(_ id: String, _ transaction: any SQLTransaction) throws -> ClientGrant {
        guard let grant = try ClientGrantStore.find(id, in: transaction) else {
            throw ManagementError.inexistent("client_grant", "client grant")
        }
        return grant
    }

    private static func check(_ grant: ClientGrant, _ transaction: any SQLTransaction) throws {
        guard let api = try ResourceServerStore.find(identifier: grant.audience, in: transaction) else {
            throw ManagementError.inexistent("resource_server", "resource server")
        }
        if let problem = GrantRules.problem(of: grant, for: api.resourceServer) { throw problem }
    }

    static func shown(_ grant: ClientGrant) -> JSONObject {
        grant.document.merging(["subject_type": "client"]) { first, _ in first }
    }
}
