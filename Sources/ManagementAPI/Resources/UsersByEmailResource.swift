import OAuth
import Storage

/// `/api/v2/users-by-email`: the users of every connection with an address.
struct UsersByEmailResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("users-by-email").get(
            requires: .read("users"), "Search users by email", answers: .list(UserMembers.members.optional), use: list)
    }

    struct Filter: Payload {
        let email: String
        let fields: FieldSelection

        init(from document: inout Document) throws(Document.Problem) {
            email = try document.requiredString("email", most: 320)
            fields = try FieldSelection(from: &document)
        }
    }

    /// Addresses are stored in lower case, and compared as they are stored.
    @Sendable private func list(_ call: Query<Filter>) async throws -> Answer {
        let query = call.query
        guard query.email == query.email.lowercased() else { return .ok([]) }
        let users = try await management.stores.database.read { transaction in
            let found = try UserStore.search(
                .match(.email, .equal(query.email)), order: .init(.createdAt), start: 0, limit: 100, in: transaction)
            return try UserMembers.shown(found, in: transaction)
        }
        return .ok(users.map { query.fields.apply(to: $0) })
    }
}
