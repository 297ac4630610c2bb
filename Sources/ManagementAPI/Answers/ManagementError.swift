import OAuth
import Storage

/// What the API refuses, in Auth0's words: its SDKs read them.
package struct ManagementError: Error, Sendable, Equatable {
    package let status: Int
    package let message: String
    /// Auth0's name of the reason; some answers have none.
    package let errorCode: String?
    /// What `WWW-Authenticate` says of it; nil where no other token would help.
    package var challenge: String?

    package init(_ status: Int, _ message: String, _ errorCode: String? = nil) {
        (self.status, self.message, self.errorCode) = (status, message, errorCode)
    }

    /// The body of the answer.
    package var answer: Answer {
        var members: JSONObject = [
            "statusCode": .integer(Int64(status)), "error": .string(Self.reasons[status] ?? "Error"),
            "message": .string(message),
        ]
        members["errorCode"] = errorCode.map(JSONValue.string)
        var answer = Answer(status: status, body: .object(members))
        if let challenge { answer.headers.append(("WWW-Authenticate", challenge)) }
        return answer
    }

    private static let reasons = [
        400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 409: "Conflict",
        413: "Payload Too Large", 415: "Unsupported Media Type", 429: "Too Many Requests",
        500: "Internal Server Error", 501: "Not Implemented", 503: "Service Unavailable",
    ]
}

extension ManagementError {
    static let missingToken: ManagementError = {
        var error = ManagementError(401, "Missing authentication")
        error.challenge = "Bearer"
        return error
    }()

    /// The token is none that is good here.
    static func invalidToken(_ error: OAuthError, isDPoP: Bool) -> ManagementError {
        var refusal = ManagementError(401, error.description, error.code == .invalidToken ? nil : error.code.rawValue)
        refusal.challenge = "\(isDPoP ? "DPoP" : "Bearer") error=\"\(error.code.rawValue)\""
        return refusal
    }

    static func insufficientScope(_ scopes: [String]) -> ManagementError {
        var error = ManagementError(
            403, "Insufficient scope, expected any of: \(scopes.joined(separator: ", "))", "insufficient_scope")
        error.challenge = "Bearer error=\"insufficient_scope\", scope=\"\(scopes.joined(separator: " "))\""
        return error
    }

    /// The body as a whole cannot be read.
    static func malformedBody(_ message: String) -> ManagementError { ManagementError(400, message, "invalid_body") }
    static func malformedQuery(_ message: String) -> ManagementError {
        ManagementError(400, message, "invalid_query_string")
    }
    static func tooLarge(most: Int) -> ManagementError {
        ManagementError(413, "Payload content length greater than maximum allowed: \(most)")
    }
    static func unsupportedMediaType(_ type: String, expected: String = "application/json") -> ManagementError {
        ManagementError(
            415, "Unsupported content type: \(type.isEmpty ? "none" : type.forDisplay); send \(expected)")
    }

    /// A member of the body has a wrong value.
    package static func invalidBody(_ problem: Document.Problem) -> ManagementError {
        ManagementError(400, "Payload validation error: \(describe(problem))", "invalid_body")
    }

    /// A member of the query has a wrong value.
    package static func invalidQuery(_ problem: Document.Problem) -> ManagementError {
        ManagementError(400, "Query validation error: \(describe(problem))", "invalid_query_string")
    }

    /// A part of the path has a wrong value.
    package static func invalidPath(_ problem: Document.Problem) -> ManagementError {
        ManagementError(400, "Path validation error: \(describe(problem))", "invalid_uri")
    }

    private static func describe(_ problem: Document.Problem) -> String {
        let path = problem.path.forDisplay
        if !problem.names.isEmpty { return "'Additional properties not allowed: \(path)'." }
        if problem.message == "is required" { return "'Missing required property: \(path)'." }
        return "'\(problem.message)' on property \(path)."
    }

    /// Something that the path or body names is not there, in Auth0's words: `inexistent_client`.
    package static func inexistent(_ code: String, _ name: String) -> ManagementError {
        ManagementError(404, "The \(name) does not exist", "inexistent_\(code)")
    }

    /// What the request makes is there already, or its state does not allow the change.
    package static func conflict(_ message: String, _ code: String? = "conflict") -> ManagementError {
        ManagementError(409, message, code)
    }

    /// No such address.
    static let notFound = ManagementError(404, "Not Found")

    /// The answer to an address of Auth0's that this server has not.
    static func notImplemented(_ route: String) -> ManagementError {
        ManagementError(
            501, "Auth0's Management API has \(route); this version of Portico does not have it yet.", "not_implemented"
        )
    }

    /// The refusal that an error amounts to; nil for one that is no fault of the caller's.
    init?(_ error: any Error) {
        switch error {
        case let error as ManagementError: self = error
        case let problem as Document.Problem: self = .invalidBody(problem)
        case SQLError.uniqueViolation: self = .conflict("There is one with the same name or id already")
        case SQLError.foreignKeyViolation: self = .conflict("Something that the request names has gone meanwhile")
        case SQLError.unstorableText:
            self = .malformedBody("A text has the character NUL or is far too long for what it is")
        default: return nil
        }
    }
}
