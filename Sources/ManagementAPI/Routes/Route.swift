import AuthorizationServer
import OAuth
import Storage

/// One address of the API and what may be done there: its declaration makes the route, the check of the token's scope, and
/// its part of the OpenAPI document.
package struct Route: Sendable {
    /// The verbs that the API uses.
    package enum Method: String, Sendable, CaseIterable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    package let method: Method
    package let path: RoutePath
    package let scope: RequiredScope
    /// What it does, in the words of Auth0's documentation, such as `Create a client`.
    package let summary: String
    /// The status of success.
    package let status: Int
    /// The members of the query, and of the body where there is one.
    package let query: [String: DocumentSchema.Member]
    package let body: [String: DocumentSchema.Member]?
    /// Whether the body may be left out.
    var isBodyOptional = false
    /// The type of the body.
    var bodyType = "application/json"
    /// Whether the body's members are the caller's own.
    var takesAnyMember = false
    /// What it answers with when all went well.
    package let answers: AnswerShape
    let run: @Sendable (RequestParts) async throws -> Answer
}

/// What a request was made of, before a route has read it.
struct RequestParts: Sendable {
    let request: ManagementRequest
    let principal: ManagementPrincipal
    let route: Route
    let path: [String: String]
}

/// The path of a route below `/api/v2`, such as `clients/:id`.
package struct RoutePath: Sendable, Hashable, CustomStringConvertible {
    /// A part between slashes.
    package enum Segment: Sendable, Hashable {
        case literal(String)
        case parameter(String)
    }

    package let segments: [Segment]

    init(_ text: String) {
        segments = text.split(separator: "/").map { part in
            part.first == ":" ? .parameter(String(part.dropFirst())) : .literal(String(part))
        }
    }

    package var description: String {
        segments.map { segment in
            switch segment {
            case .literal(let text): text
            case .parameter(let name): "{\(name)}"
            }
        }.joined(separator: "/")
    }

    /// The values of the parameters, or nil where `sent` is another path.
    /// - Parameter sent: the parts of a path, each decoded on its own: an identifier has slashes of its own.
    package func match(_ sent: [String]) -> [String: String]? {
        guard sent.count == segments.count else { return nil }
        var values: [String: String] = [:]
        for (segment, part) in zip(segments, sent) {
            switch segment {
            case .literal(let text): guard text == part else { return nil }
            case .parameter(let name):
                guard !part.isEmpty else { return nil }
                values[name] = part
            }
        }
        return values
    }

    /// How many parts are literal; of several routes that match, the one with the most wins.
    package var precision: Int {
        segments.count { if case .literal = $0 { true } else { false } }
    }
}
