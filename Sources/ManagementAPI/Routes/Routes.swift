import OAuth
import Storage

/// The routes of a resource, each declared with the scope that it needs:
///
///     Routes("clients")
///         .get(requires: .read("clients"), "Get clients", answers: .page("clients", Self.members), use: list)
///         .patch(":id", requires: .update("clients"), "Update a client", answers: .object(Self.members), use: update)
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
        answers: AnswerShape, use function: @escaping @Sendable (Call<Query, Body>) async throws -> Answer
    ) -> Routes {
        adding(.get, path, scope, summary, 200, answers, function)
    }

    /// `POST`, answered with 201 unless `status` says otherwise.
    package func post<Query: Payload, Body: Payload>(
        _ path: String = "", requires scope: RequiredScope, _ summary: String, status: Int = 201,
        answers: AnswerShape, use function: @escaping @Sendable (Call<Query, Body>) async throws -> Answer
    ) -> Routes {
        adding(.post, path, scope, summary, status, answers, function)
    }

    /// `PUT`, answered with 200 unless `status` says otherwise.
    package func put<Query: Payload, Body: Payload>(
        _ path: String = "", requires scope: RequiredScope, _ summary: String, status: Int = 200,
        answers: AnswerShape, use function: @escaping @Sendable (Call<Query, Body>) async throws -> Answer
    ) -> Routes {
        adding(.put, path, scope, summary, status, answers, function)
    }

    /// `PATCH`, answered with 200 unless `status` says otherwise.
    package func patch<Query: Payload, Body: Payload>(
        _ path: String = "", requires scope: RequiredScope, _ summary: String, status: Int = 200,
        answers: AnswerShape, use function: @escaping @Sendable (Call<Query, Body>) async throws -> Answer
    ) -> Routes {
        adding(.patch, path, scope, summary, status, answers, function)
    }

    /// `DELETE`, answered with 204 unless `status` says otherwise. Auth0's has a body in some places.
    package func delete<Query: Payload, Body: Payload>(
        _ path: String = "", requires scope: RequiredScope, _ summary: String, status: Int = 204,
        answers: AnswerShape = .nothing, use function: @escaping @Sendable (Call<Query, Body>) async throws -> Answer
    ) -> Routes {
        adding(.delete, path, scope, summary, status, answers, function)
    }

    /// `POST` of a form with a file, answered with 202.
    /// - Parameter file: the name of the part that is the file.
    package func upload<Fields: Payload>(
        _ path: String, file: String, requires scope: RequiredScope, _ summary: String, answers: AnswerShape,
        use function: @escaping @Sendable (Form<Fields>) async throws -> Answer
    ) -> Routes {
        var (routes, body) = (self, Fields.schema)
        body[file] = DocumentSchema.Member(.any, isRequired: true)
        routes.all.append(
            Route(
                method: .post, path: RoutePath("\(prefix)/\(path)"), scope: scope, summary: summary, status: 202,
                query: [:], body: body, bodyType: "multipart/form-data", answers: answers,
                run: { parts in
                    _ = try NoPayload.read(query: parts.request.query)
                    return try await function(Form(parts, file: file))
                }))
        return routes
    }

    private func adding<Query: Payload, Body: Payload>(
        _ method: Route.Method, _ path: String, _ scope: RequiredScope, _ summary: String, _ status: Int,
        _ answers: AnswerShape, _ function: @escaping @Sendable (Call<Query, Body>) async throws -> Answer
    ) -> Routes {
        var routes = self
        routes.all.append(
            Route(
                method: method, path: RoutePath(path.isEmpty ? prefix : "\(prefix)/\(path)"), scope: scope,
                summary: summary, status: status, query: Query.schema,
                body: Body.self == NoPayload.self ? nil : Body.schema, isBodyOptional: Body.isOptional,
                takesAnyMember: Body.isOpen, answers: answers,
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
