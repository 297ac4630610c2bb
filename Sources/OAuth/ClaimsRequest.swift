import Foundation

/// The `claims` parameter: single claims that the client asks for beside what scopes give, OpenID Connect Core §5.5.
package struct ClaimsRequest: Sendable, Hashable {
    /// What the userinfo endpoint shall return.
    package let userInfo: [String: Demand]
    /// What the ID token shall hold.
    package let idToken: [String: Demand]
    /// The parameter as it was sent, for keeping it.
    package let text: String

    /// How much a claim matters, and which of its values count (OpenID Connect Core §5.5.1).
    package struct Demand: Sendable, Hashable {
        package let isEssential: Bool
        /// The values that the client can use, the preferred first; empty for any.
        package let values: [JSONValue]

        /// Whether a claim with this value is what the client asked for.
        package func accepts(_ value: JSONValue) -> Bool { values.isEmpty || values.contains(value) }
    }

    /// Bytes of the parameter at most.
    package static let mostBytes = 8192

    /// Members that nobody knows are ignored, as the specification asks.
    /// - Throws: ``OAuthError`` `invalid_request` for what is not such a JSON object.
    package init(parsing text: String) throws(OAuthError) {
        guard text.utf8.count <= Self.mostBytes, let object = try? JSON.decode(JSONObject.self, from: Data(text.utf8))
        else { throw Self.malformed("it is not a JSON object of at most \(Self.mostBytes) bytes") }
        self.text = text
        userInfo = try Self.demands(object, "userinfo")
        idToken = try Self.demands(object, "id_token")
    }

    private static func demands(_ object: JSONObject, _ name: String) throws(OAuthError) -> [String: Demand] {
        switch object[name] {
        case nil, .null?: return [:]
        case .object(let members)?:
            var demands: [String: Demand] = [:]
            for (claim, value) in members { demands[claim] = try demand(value, "\(name).\(claim)") }
            return demands
        default: throw malformed("\(name) is not an object")
        }
    }

    private static func demand(_ value: JSONValue, _ path: String) throws(OAuthError) -> Demand {
        if value == .null { return Demand(isEssential: false, values: []) }
        guard let members = value.object else {
            throw malformed("\(path.forDisplay) is neither null nor an object")
        }
        guard members["essential"].map({ $0.bool != nil }) ?? true else {
            throw malformed("\(path.forDisplay).essential is not true or false")
        }
        guard members["values"].map({ $0.array != nil }) ?? true else {
            throw malformed("\(path.forDisplay).values is not a list")
        }
        let values = members["value"].map { [$0] } ?? members["values"]?.array ?? []
        return Demand(isEssential: members["essential"]?.bool ?? false, values: values)
    }

    private static func malformed(_ cause: String) -> OAuthError {
        .invalidRequest(
            "Malformed claims: \(cause)",
            hint:
                #"claims is a JSON object such as {"id_token":{"email":{"essential":true}},"userinfo":{"name":null}}."#)
    }

    /// The scopes that reveal the same claims: what the user is asked about.
    package var scope: Scope {
        Scope((Set(userInfo.keys).union(idToken.keys)).sorted().compactMap(Scope.value(revealing:)))
    }
}
