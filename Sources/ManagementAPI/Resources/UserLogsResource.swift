import AuthorizationServer
import OAuth
import Storage

/// `/api/v2/users/{id}/logs`: what a user has done, and what was tried in their name.
struct UserLogsResource: Resource {
    let management: Management

    init(_ management: Management) { self.management = management }

    var routes: Routes {
        Routes("users")
            .get(
                ":id/logs", requires: .read("logs").or(.read("logs_users")), "Get a user's log events",
                answers: .page("logs", LogsResource.members), use: list)
    }

    @Sendable private func list(_ call: Query<UserSearch>) async throws -> Answer {
        try await call.query.search.answer(management, path: "users/logs", userID: call["id"])
    }

    /// As for all events, without checkpoints.
    struct UserSearch: Payload {
        let search: LogsResource.Search

        init(from document: inout Document) throws(Document.Problem) {
            search = try LogsResource.Search(from: &document, checkpoints: false)
        }
    }
}
