import AuthorizationServer
import OAuth
import Storage

/// `/api/v2/organizations/{id}/client-grants` and `/api/v2/client-grants/{id}/organizations`: which of the grants with an
/// `organization_usage` an organization may use.
struct OrganizationGrantsResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("")
            .get(
                "organizations/:id/client-grants", requires: .read("organization_client_grants"),
                "Get client grants associated to an organization",
                answers: .page("client_grants", ClientGrantsResource.members), use: list
            )
            .post(
                "organizations/:id/client-grants", requires: .create("organization_client_grants"),
                "Associate a client grant with an organization", answers: .object(ClientGrantsResource.members),
                use: add
            )
            .delete(
                "organizations/:id/client-grants/:grant", requires: .delete("organization_client_grants"),
                "Remove a client grant from an organization", use: remove
            )
            .get(
                "client-grants/:id/organizations", requires: .read("organization_client_grants"),
                "Get the organizations associated to a client grant",
                answers: .page("organizations", OrganizationsResource.members), use: organizations)
    }

    struct Filter: Payload {
        let paging: Paging
        let audience: String?
        let clientID: String?
        let ids: Set<String>

        init(from document: inout Document) throws(Document.Problem) {
            paging = try Paging(from: &document)
            audience = try document.string("audience", most: 600)
            clientID = try document.string("client_id", most: 255)
            ids = Set(try document.strings("grant_ids") ?? [])
        }

        func includes(_ grant: ClientGrant) -> Bool {
            audience ?? grant.audience == grant.audience && clientID ?? grant.clientID == grant.clientID
                && (ids.isEmpty || ids.contains(grant.id))
        }
    }

    struct Checkpoints: Payload {
        let paging: Paging

        init(from document: inout Document) throws(Document.Problem) {
            paging = try Paging(from: &document, checkpoints: true)
        }
    }

    struct Association: Payload {
        let grantID: String

        init(from document: inout Document) throws(Document.Problem) {
            grantID = try document.requiredString("grant_id", most: 255)
        }
    }

    @Sendable private func list(_ call: Query<Filter>) async throws -> Answer {
        let id = call["id"]
        let all = try await management.stores.database.read { transaction in
            _ = try OrganizationsResource.find(id, transaction)
            return try OrganizationStore.clientGrants(of: id, in: transaction)
        }
        let shown = all.filter(call.query.includes).map(ClientGrantsResource.shown)
        return .list("client_grants", shown, by: "id", call.query.paging) { $0 }
    }

    @Sendable private func add(_ call: Submission<Association>) async throws -> Answer {
        let (id, grantID) = (call["id"], call.body.grantID)
        return try await management.configure(call.caller) { transaction, _ in
            _ = try OrganizationsResource.find(id, transaction)
            let grant = try ClientGrantsResource.find(grantID, transaction)
            guard grant.organizationUsage ?? .deny != .deny else {
                throw ManagementError(
                    400, "The client grant is for no organization; set its organization_usage to allow or require",
                    "invalid_body")
            }
            try OrganizationStore.addClientGrant(grantID, to: id, in: transaction)
            return Changed(
                .created(ClientGrantsResource.shown(grant)),
                [.init("organizations", id, before: nil, after: ["client_grant": .string(grantID)])])
        }
    }

    @Sendable private func remove(_ call: Plain) async throws -> Answer {
        let (id, grantID) = (call["id"], call["grant"])
        return try await management.configure(call.caller) { transaction, _ in
            _ = try OrganizationsResource.find(id, transaction)
            let isThere = try OrganizationStore.clientGrants(of: id, in: transaction).contains { $0.id == grantID }
            guard isThere else { return Changed(.noContent, []) }
            try OrganizationStore.removeClientGrant(grantID, from: id, in: transaction)
            return Changed(
                .noContent, [.init("organizations", id, before: ["client_grant": .string(grantID)], after: nil)])
        }
    }

    @Sendable private func organizations(_ call: Query<Checkpoints>) async throws -> Answer {
        let id = call["id"]
        let all = try await management.stores.database.read { transaction in
            _ = try ClientGrantsResource.find(id, transaction)
            return try OrganizationStore.organizations(ofGrant: id, in: transaction)
        }
        return .list("organizations", all.map(\.document), by: "id", call.query.paging) { $0 }
    }
}
