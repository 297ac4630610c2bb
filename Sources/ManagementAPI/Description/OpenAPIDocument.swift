import AuthorizationServer
import Foundation
import OAuth
import Storage

/// What the API is, in the words of [OpenAPI 3.1](https://spec.openapis.org/oas/v3.1.0): made of the declarations that
/// make the routes, so that neither can say what the other does not.
struct OpenAPIDocument: Sendable {
    private let members: JSONObject
    /// Its `ETag`.
    private let version: String

    init(routes: [Route], issuer: Issuer) {
        var paths: JSONObject = [:]
        for route in routes {
            let path = "/\(route.path)"
            var operations = paths[path]?.object ?? [:]
            operations[route.method.rawValue.lowercased()] = .object(Self.operation(route))
            paths[path] = .object(operations)
        }
        let scopes = Set(routes.flatMap(\.scope.values))
        members = [
            "openapi": "3.1.0",
            "info": ["title": "Portico Management API", "version": "2"],
            "servers": [["url": .string("\(issuer.origin)/api/v2")]],
            "paths": .object(paths),
            "components": [
                "securitySchemes": ["oauth2": Self.security(scopes, issuer)],
                "schemas": ["Error": Self.errorSchema],
            ],
        ]
        version = "\"\(Secret((try? JSON.text(members)) ?? "").digest)\""
    }

    /// The document, or 304 for whoever has it (RFC 9110 §13.1.2).
    func answer(to request: ManagementRequest) -> Answer {
        var answer = request.knownVersions.contains(version) ? Answer(status: 304) : Answer.ok(members)
        answer.headers = [("ETag", version), ("Cache-Control", "public, max-age=300")]
        return answer
    }

    private static func security(_ scopes: Set<String>, _ issuer: Issuer) -> JSONValue {
        let known = Dictionary(SystemAPI.scopes.map { ($0.value, $0.description ?? $0.value) }) { first, _ in first }
        return [
            "type": "oauth2",
            "flows": [
                "clientCredentials": [
                    "tokenUrl": .string(issuer.url("oauth/token")),
                    "scopes": .object(
                        JSONObject(uniqueKeysWithValues: scopes.map { ($0, .string(known[$0] ?? $0)) })),
                ]
            ],
        ]
    }

    private static let errorSchema: JSONValue = [
        "type": "object", "required": ["statusCode", "error", "message"],
        "properties": [
            "statusCode": ["type": "integer"], "error": ["type": "string"], "message": ["type": "string"],
            "errorCode": ["type": "string"],
        ],
    ]

    private static func operation(_ route: Route) -> JSONObject {
        let parameters = route.path.segments.compactMap { segment -> JSONValue? in
            guard case .parameter(let name) = segment else { return nil }
            return [
                "name": .string(name), "in": "path", "required": true, "schema": ["type": "string", "minLength": 1],
            ]
        }
        let query = route.query.sorted { $0.key < $1.key }.map { name, member -> JSONValue in
            [
                "name": .string(name), "in": "query", "required": .bool(member.isRequired),
                "schema": schema(member.schema, isClosed: true),
            ]
        }
        var members: JSONObject = [
            "operationId": .string(operationID(route)), "summary": .string(route.summary),
            "tags": [.string(route.path.description.split(separator: "/").first.map(String.init) ?? "")],
            // One of these suffices: each is a requirement of its own.
            "security": .array(route.scope.values.map { ["oauth2": [.string($0)]] }),
            "responses": .object(responses(route)),
        ]
        if !(parameters + query).isEmpty { members["parameters"] = .array(parameters + query) }
        if let body = route.body {
            members["requestBody"] = [
                "required": .bool(!route.isBodyOptional),
                "content": .object([
                    route.bodyType: [
                        "schema": body[""].map { schema($0) } ?? object(body, isClosed: !route.takesAnyMember)
                    ]
                ]),
            ]
        }
        return members
    }

    private static func operationID(_ route: Route) -> String {
        let words = route.summary.lowercased().split { !$0.isLetter && !$0.isNumber }
        return words.joined(separator: "_")
    }

    private static func responses(_ route: Route) -> JSONObject {
        var responses: JSONObject = [
            String(route.status): success(route),
            "default": error("Too many requests, a defect, or a database that is away"),
        ]
        if route.answers.mayBeNothing { responses["204"] = ["description": "There is nothing"] }
        var errors = [400: "A wrong value", 401: "No good access token", 403: "Another scope is needed"]
        if route.path.segments.count > 1 || route.body != nil { errors[404] = "It is not there" }
        if route.body != nil {
            errors[409] = "It is there already"
            errors[413] = "The body is too large"
            errors[415] = "The body is not JSON"
        }
        if route.method == .delete || route.method == .post { errors[409] = "Its state does not allow it" }
        for (status, description) in errors {
            responses[String(status)] = error(description)
        }
        return responses
    }

    private static func error(_ description: String) -> JSONValue {
        [
            "description": .string(description),
            "content": ["application/json": ["schema": ["$ref": "#/components/schemas/Error"]]],
        ]
    }

    private static func success(_ route: Route) -> JSONValue {
        if case .file(let mediaType) = route.answers {
            return ["description": "The file", "content": [mediaType: ["schema": ["type": "string"]]]]
        }
        let variants = route.answers.variants(of: route).map { variant -> JSONValue in
            switch variant {
            case .number: ["type": "integer"]
            case .texts: ["type": "array", "items": ["type": "string"]]
            case .anyObject: ["type": "object"]
            case .object(let members): object(members, isClosed: false)
            case .list(let members): ["type": "array", "items": object(members, isClosed: false)]
            }
        }
        guard let first = variants.first else { return ["description": "Done"] }
        let schema: JSONValue = variants.count == 1 ? first : ["anyOf": .array(variants)]
        return ["description": "Success", "content": ["application/json": ["schema": schema]]]
    }

    /// - Parameter isClosed: whether there is no other member. An answer may get more with a later version.
    private static func object(_ members: Members, isClosed: Bool = true) -> JSONValue {
        let members = members.filter { $0.key != Members.others }
        var schema: JSONObject = [
            "type": "object", "properties": .object(members.mapValues { Self.schema($0, isClosed: isClosed) }),
        ]
        if isClosed { schema["additionalProperties"] = false }
        let required = members.filter(\.value.isRequired).keys.sorted()
        if !required.isEmpty { schema["required"] = JSONValue(required) }
        return .object(schema)
    }

    private static func schema(_ member: DocumentSchema.Member, isClosed: Bool = true) -> JSONValue {
        let schema = schema(member.schema, isClosed: isClosed)
        // In a request null is as good as nothing, where nothing is good.
        guard member.isNullable || isClosed && !member.isRequired, var members = schema.object,
            let type = members["type"]
        else { return schema }
        members["type"] = [type, "null"]
        if let values = members["enum"]?.array { members["enum"] = .array(values + [.null]) }
        return .object(members)
    }

    private static func schema(_ schema: DocumentSchema, isClosed: Bool) -> JSONValue {
        switch schema {
        case .text(let most):
            guard let most else { return ["type": "string"] }
            return ["type": "string", "maxLength": .integer(Int64(most))]
        case .bool: return ["type": "boolean"]
        case .integer(let range):
            return [
                "type": "integer", "minimum": .integer(Int64(range.lowerBound)),
                "maximum": .integer(Int64(range.upperBound)),
            ]
        case .choice(let values): return ["type": "string", "enum": JSONValue(values)]
        case .texts: return ["type": "array", "items": ["type": "string"]]
        case .list(let members): return ["type": "array", "items": object(members, isClosed: isClosed)]
        case .object(let members): return object(members, isClosed: isClosed)
        case .anyObject: return ["type": "object"]
        case .any: return [:]
        }
    }
}
