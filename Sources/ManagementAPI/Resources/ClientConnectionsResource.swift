import OAuth
import Storage

/// `/api/v2/clients/{id}/connections`: where the users of an application may come from.
struct ClientConnectionsResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("clients/:id/connections").get(
            requires: .read("connections"), "Get enabled connections of a client",
            answers: .window("connections", ConnectionsResource.members.optional), use: list)
    }

    @Sendable private func list(_ call: Query<ConnectionsResource.Filter>) async throws -> Answer {
        guard let client = try await management.stores.clients.find(call["id"])?.client else {
            throw ClientsResource.inexistent
        }
        let all = try await management.stores.connections.list().filter { call.query.includes($0) && $0.serves(client) }
        return .checkpoint("connections", all.map(\.document), by: "id", call.query.paging) {
            call.query.fields.apply(to: $0)
        }
    }
}
