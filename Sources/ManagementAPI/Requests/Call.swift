import AuthorizationServer
import OAuth

/// A request to a route: who asks, and what the path, the query and the body say.
package struct Call<Query: Payload, Body: Payload>: Sendable {
    package let query: Query
    package let body: Body
    package let caller: Caller
    private let path: [String: String]

    init(_ parts: RequestParts, query: Query, body: Body) {
        (self.query, self.body, path) = (query, body, parts.path)
        caller = Caller(
            principal: parts.principal, operation: parts.route.summary, status: parts.route.status,
            request: parts.request)
    }

    /// What stands in the path where the route has `:name`.
    package subscript(_ name: String) -> String { path[name] ?? "" }

    /// Whether the token has the scope.
    package func has(_ scope: String) -> Bool { caller.principal.scope.contains(scope) }
}

/// A request without a body.
package typealias Query<Q: Payload> = Call<Q, NoPayload>
/// A request with a body and no query.
package typealias Submission<B: Payload> = Call<NoPayload, B>
/// A request whose path says everything.
package typealias Plain = Call<NoPayload, NoPayload>

/// Who does what, as it is written down with each change.
package struct Caller: Sendable {
    package let principal: ManagementPrincipal
    /// What is done, such as `Create a client`.
    package let operation: String
    /// The status of success.
    package let status: Int
    package let request: ManagementRequest
}
