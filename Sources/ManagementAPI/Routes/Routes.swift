import OAuth
import Storage

/// The routes of a resource, each declared with the scope that it needs:
///
///     Routes("clients")
///         .get(requires: .read("clients"), "Get clients", use: list)
///         .patch(":id", requires: .update("clients"), "Update a client", use: update)
///
/// What a route reads follows from its function: a ``Call`` says the types of the query and the body.
package struct Routes: Sendable {
    private let prefix: String
    package private(set) var all: [Route] = []

    /// - Parameter prefix: the path of the resource below `/api/v2`; empty where its routes have several.
    package init(_ prefix: String) { self.prefix = prefix }

    /// `GET`, answered with 200.
    package func get<Query: Payload, Body: Payload>(
        _ path: String = "", requires scope: RequiredScope, _ summary: String,
        use function: @escaping @Sendable (Call<Query, Body>) async throws -> Answer
    ) -> Routes {
        adding(.get, path, scope, summary, 200, function)
    }

    /// `POST`, answered with 201 unless `status` says otherwise.
    package func post<Query: Payload, Body: Payload>(
        _ path: String = "", requires scope: RequiredScope, _ summary: String, status: Int = 201,
        use function: @escaping @Sendable (Call<Query, Body>) async throws -> Answer
    ) -> Routes {
        adding(.post, path, scope, summary, status, function)
    }

    /// `PUT`, answered with 200 unless `status` says otherwise.
    package func put<Query: Payload, Body: Payload>(
        _ path: String = "", requires scope: RequiredScope, _ summary: String, status: Int = 200,
        use function: @escaping @Sendable (Call<Query, Body>) async throws -> Answer
    ) -> Routes {
        adding(.put, path, scope, summary, status, function)
    }

    /// `PATCH`, answered with 200 unless `status` says otherwise.
    package func patch<Query: Payload, Body: Payload>(
        _ path: String = "", requires scope: RequiredScope, _ summary: String, status: Int = 200,
        use function: @escaping @Sendable (Call<Query, Body>) async throws -> Answer
    ) -> Routes {
        adding(.patch, path, scope, summary, status, function)
    }

    /// `DELETE`, answered with 204 unless `status` says otherwise. Auth0's has a body in some places.
    package func delete<Query: Payload, Body: Payload>(
        _ path: String = "", requires scope: RequiredScope, _ summary: String, status: Int = 204,
        use function: @escaping @Sendable (Call<Query, Body>) async throws -> Answer
    ) -> Routes {
        adding(.delete, path, scope, summary, status, function)
    }

    private func adding<Query: Payload, Body: Payload>(
        _ method: Route.Method, _ path: String, _ scope: RequiredScope, _ summary: String, _ status: Int,
        _ function: @escaping @Sendable (Call<Query, Body>) async throws -> Answer
    ) -> Routes {
        var routes = self
        routes.all.append(
            Route(
                method: method, path: RoutePath(path.isEmpty ? prefix : "\(prefix)/\(path)"), scope: scope,
                summary: summary, status: status, query: Query.schema,
                body: Body.self == NoPayload.self ? nil : Body.schema, isBodyOptional: Body.isOptional,
                run: { parts in
                    let query = try Query.read(query: parts.request.query)
                    let body = try await Body.read(body: parts.request)
                    return try await function(Call(parts, query: query, body: body))
                }))
        return routes
    }
}

/// A kind of thing that the API manages: one file, one line in ``ManagementAPI``.
package protocol Resource: Sendable {
    init(_ management: Management)
    var routes: Routes { get }
}
