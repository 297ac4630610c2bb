import OAuth

/// How a client sends its authorization requests as request objects,
/// [RFC 9101](https://www.rfc-editor.org/rfc/rfc9101) and OpenID Connect Core §6.
package struct RequestObjectSettings: Sendable, Hashable {
    /// Whether a request must be a signed object: then nothing beside it counts.
    package var isRequired = false
    /// Auth0's `signed_request_object.credentials`.
    package var credentials: [ClientKeys.Credential] = []
    /// The one algorithm that the client signs with; nil for each that fits.
    package var algorithm: JWSAlgorithm?
    /// Whether objects have no signature at all: the client has registered `none`.
    package var isUnsigned = false
    /// The addresses at which the client keeps objects.
    package var uris: [String] = []

    package init() {}

    /// Whether an object without a signature is heard: a client that has registered no algorithm may use each, `none` too
    /// (OpenID Connect Dynamic Client Registration §2). It counts no more than the query in whose place it stands, which nobody
    /// has signed either.
    package var mayBeUnsigned: Bool { !isRequired && algorithm == nil }

    /// Whether objects are signed with the client's secret: only where the client has registered that.
    package var isSignedWithSecret: Bool { algorithm?.family == .secret }

    /// What is wrong with such an algorithm for a client without a secret.
    package static let needsSecret = "HS256, HS384 and HS512 sign with the client's secret, and this client has none"

    /// What a client may register, `none` first (OpenID Connect Discovery §3).
    package static let algorithmNames = ["none"] + JWSAlgorithm.allCases.map(\.rawValue)
}

extension RequestObjectSettings {
    /// Takes the settings out of a client's document.
    /// - Throws: ``Document/Problem`` for a member with a wrong value.
    package init(from document: inout Document) throws(Document.Problem) {
        if var settings = try document.document("signed_request_object") {
            isRequired = try settings.bool("required", default: false)
            credentials = try ClientKeys.credentials(&settings)
            _ = try settings.remaining(known: [])
        }
        isRequired = try document.bool("require_signed_request_object", default: isRequired)
        switch try document.string("request_object_signing_alg") {
        case nil: break
        case "none": isUnsigned = true
        case let name?:
            guard let known = JWSAlgorithm(rawValue: name) else {
                throw document.problem(
                    "request_object_signing_alg",
                    "'\(name.forDisplay)' is none of " + Self.algorithmNames.joined(separator: ", "))
            }
            algorithm = known
        }
        guard !isRequired || !isUnsigned else {
            throw document.problem("request_object_signing_alg", "must not be none where signed objects are required")
        }
        uris = try document.strings("request_uris") ?? []
        guard uris.count <= 20 else { throw document.problem("request_uris", "must have at most 20 addresses") }
        for (index, text) in uris.enumerated() {
            let uri = RedirectURI(String(text.prefix { $0 != "#" }))
            guard text.utf8.count <= 512, let uri, uri.isAskable else {
                throw document.problem(
                    "request_uris[\(index)]", "must be an absolute https address of at most 512 bytes")
            }
        }
    }

    /// The members of a client's document; what is as it is by itself is left out.
    package var members: JSONObject {
        var members: JSONObject = [:]
        if isRequired || !credentials.isEmpty {
            var settings: JSONObject = ["required": .bool(isRequired)]
            if !credentials.isEmpty { settings["credentials"] = ClientKeys.document(credentials) }
            members["signed_request_object"] = .object(settings)
        }
        members["request_object_signing_alg"] = isUnsigned ? "none" : algorithm.map { .string($0.rawValue) }
        if !uris.isEmpty { members["request_uris"] = JSONValue(uris) }
        return members
    }
}
