import OAuth

/// What a client may choose by registration and Auth0 has no field for, with the names of OpenID Connect Dynamic Client
/// Registration §2 and RFC 9449 §5.2.
package struct OpenIDSettings: Sendable, Hashable {
    /// Which `sub` the client sees.
    package var subjectType = SubjectType.public
    /// Names the sector of several hosts' redirect URIs, OpenID Connect Core §8.1.
    package var sectorIdentifierURI: String?
    /// How the userinfo endpoint signs its answer; nil for plain JSON.
    package var userInfoAlgorithm: SigningAlgorithm?
    /// The `max_age` of requests that have none, in seconds.
    package var defaultMaxAge: Int?
    /// Whether each ID token has `auth_time`.
    package var requiresAuthenticationTime = false
    /// The `acr_values` of requests that have none, best first.
    package var defaultACRValues: [String] = []
    /// The response types that the client restricts itself to; nil for all that its grant types allow.
    package var responseTypes: [ResponseType]?

    /// Whether the client's access tokens are always bound to a key that it proves
    /// ([RFC 9449 §5.2](https://www.rfc-editor.org/rfc/rfc9449#section-5.2)); a certificate does not replace the proof.
    package var bindsTokensToKeys = false

    package init() {}
}

/// The kinds of `sub`, OpenID Connect Core §8.
package enum SubjectType: String, Sendable, CaseIterable {
    /// The user's id, the same for every client.
    case `public`
    /// Another one for each sector of clients, so that two of them cannot find out that they share a user.
    case pairwise
}

extension OpenIDSettings {
    /// Takes the settings out of a client's document.
    /// - Throws: ``Document/Problem`` for a member with a wrong value.
    package init(from document: inout Document) throws(Document.Problem) {
        subjectType = try document.oneOf("subject_type", SubjectType.self) ?? .public
        sectorIdentifierURI = try document.string("sector_identifier_uri", most: 2048)
        userInfoAlgorithm = try document.oneOf("userinfo_signed_response_alg", SigningAlgorithm.self)
        defaultMaxAge = try document.integer("default_max_age", in: 0...31_557_600)
        requiresAuthenticationTime = try document.bool("require_auth_time", default: false)
        defaultACRValues = try document.strings("default_acr_values") ?? []
        bindsTokensToKeys = try document.bool("dpop_bound_access_tokens", default: false)
        guard let texts = try document.strings("response_types") else { return }
        var types: [ResponseType] = []
        for (index, text) in texts.enumerated() {
            do {
                types.append(try ResponseType(parsing: text))
            } catch {
                throw document.problem(
                    "response_types[\(index)]",
                    "'\(text.forDisplay)' is none of " + ResponseType.supported.map(\.text).joined(separator: ", "))
            }
        }
        responseTypes = types
    }

    /// The members of a client's document; what is as it is by itself is left out.
    package var members: JSONObject {
        var members: JSONObject = [:]
        if subjectType != .public { members["subject_type"] = .string(subjectType.rawValue) }
        members["sector_identifier_uri"] = sectorIdentifierURI.map(JSONValue.string)
        members["userinfo_signed_response_alg"] = userInfoAlgorithm.map { .string($0.rawValue) }
        members["default_max_age"] = defaultMaxAge.map { .integer(Int64($0)) }
        if requiresAuthenticationTime { members["require_auth_time"] = true }
        if bindsTokensToKeys { members["dpop_bound_access_tokens"] = true }
        if !defaultACRValues.isEmpty { members["default_acr_values"] = JSONValue(defaultACRValues) }
        members["response_types"] = responseTypes.map { JSONValue($0.map(\.text)) }
        return members
    }
}
