import AuthorizationServer
import Foundation
import OAuth
import Storage

/// `/api/v2/grants`: what users have allowed applications to do.
struct GrantsResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("grants")
            .get(requires: .read("grants"), "Get grants", answers: .page("grants", Self.members), use: list)
            .delete(requires: .delete("grants"), "Delete a grant by user_id", use: deleteAll)
            .delete(":grant", requires: .delete("grants"), "Delete a grant by id", use: delete)
    }

    static let members: Members = [
        "id": .text.always, "clientID": .text.always, "user_id": .text.always, "audience": .text,
        "organization_id": .text, "scope": .texts.always,
    ]

    struct Filter: Payload {
        let paging: Paging
        let filter: ConsentGrantStore.Filter

        init(from document: inout Document) throws(Document.Problem) {
            paging = try Paging(from: &document)
            filter = ConsentGrantStore.Filter(
                userID: try document.string("user_id", most: 255),
                clientID: try document.string("client_id", most: 255),
                audience: try document.string("audience", most: 600))
        }
    }

    struct Owner: Payload {
        let userID: String

        init(from document: inout Document) throws(Document.Problem) {
            userID = try document.requiredString("user_id", most: 255)
        }
    }

    @Sendable private func list(_ call: Query<Filter>) async throws -> Answer {
        let (filter, paging) = (call.query.filter, call.query.paging)
        return try await management.stores.database.read { transaction in
            let grants = try ConsentGrantStore.list(
                filter, start: paging.start, limit: paging.perPage, in: transaction)
            let total = paging.includesTotals ? try ConsentGrantStore.count(filter, in: transaction) : 0
            return .page("grants", grants.map(Self.shown), total: total, paging)
        }
    }

    @Sendable private func deleteAll(_ call: Query<Owner>) async throws -> Answer {
        let userID = call.query.userID
        return try await management.write(call.caller) { transaction, now in
            let gone = try ConsentGrantStore.deleteAll(of: userID, in: transaction)
            for consent in gone { try Self.withdraw(consent, at: now, in: transaction) }
            return Changed(.noContent, gone.map { .init("grants", $0.id, before: Self.shown($0), after: nil) })
        }
    }

    @Sendable private func delete(_ call: Plain) async throws -> Answer {
        let id = call["grant"]
        return try await management.write(call.caller) { transaction, now in
            guard let gone = try ConsentGrantStore.delete(id, in: transaction) else { return Changed(.noContent, []) }
            try Self.withdraw(gone, at: now, in: transaction)
            return Changed(.noContent, [.init("grants", id, before: Self.shown(gone), after: nil)])
        }
    }

    /// What is no longer allowed the application cannot go on with.
    private static func withdraw(
        _ consent: StoredConsent, at now: Date, in transaction: any SQLTransaction
    ) throws {
        try RefreshTokenStore.revokeAll(
            of: consent.grant.userID, clientID: consent.grant.clientID, at: now, in: transaction)
    }

    private static func shown(_ consent: StoredConsent) -> JSONObject {
        var members: JSONObject = [
            "id": .string(consent.id), "clientID": .string(consent.grant.clientID),
            "user_id": .string(consent.grant.userID), "scope": JSONValue(consent.grant.scope.values),
        ]
        members["audience"] = consent.grant.audience.map(JSONValue.string)
        members["organization_id"] = consent.grant.organizationID.map(JSONValue.string)
        return members
    }
}
