import AuthorizationServer
import OAuth
import SAML
import Storage

/// Which attributes of an assertion are what of a profile: Auth0's `fieldsMap`, and what it takes for granted.
struct SAMLProfile: Sendable {
    /// Names of attributes, the first that is there counts, by the member of the profile.
    private let names: [String: [String]]
    /// Whether the connection itself says which attribute is the user's id.
    private let hasOwnIdentifier: Bool

    private static let claims = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
    private static let standard: [String: [String]] = [
        "user_id": [claims + "nameidentifier"],
        "email": [claims + "emailaddress", "urn:oid:0.9.2342.19200300.100.1.3", "email", "mail"],
        "email_verified": ["email_verified"],
        "given_name": [claims + "givenname", "urn:oid:2.5.4.42", "given_name", "givenName", "firstName"],
        "family_name": [claims + "surname", "urn:oid:2.5.4.4", "family_name", "sn", "surname", "lastName"],
        "name": [claims + "name", "urn:oid:2.16.840.1.113730.3.1.241", "urn:oid:2.5.4.3", "displayName", "name", "cn"],
        "nickname": ["nickname", "urn:oid:0.9.2342.19200300.100.1.1", "uid"],
        "picture": ["picture"],
        "groups": ["http://schemas.xmlsoap.org/claims/Group", "groups"],
    ]

    /// - Throws: ``Document/Problem`` where `fieldsMap` holds something else than names.
    init(_ options: inout Document) throws(Document.Problem) {
        var names = Self.standard
        var hasOwnIdentifier = false
        for (member, value) in try options.object("fieldsMap") ?? [:] {
            guard let list = value.string.map({ [$0] }) ?? value.array?.compactMap(\.string), !list.isEmpty else {
                throw options.problem("fieldsMap.\(member)", "must be the name of an attribute, or a list of names")
            }
            if member == "user_id" { hasOwnIdentifier = true }
            names[member] = list
        }
        (self.names, self.hasOwnIdentifier) = (names, hasOwnIdentifier)
    }

    /// - Throws: ``UpstreamFailure`` where the assertion names nobody for good.
    func profile(of assertion: Assertion) throws(UpstreamFailure) -> UpstreamProfile {
        func values(_ member: String) -> [String] {
            (names[member] ?? []).lazy.compactMap { assertion.attributes[$0] }.first { !$0.isEmpty } ?? []
        }
        guard let id = values("user_id").first ?? (hasOwnIdentifier ? nil : assertion.nameID) else {
            throw .misconfigured(
                cause: "The assertion has none of the attributes that fieldsMap.user_id names",
                mend: "Let the provider send one of them, or correct fieldsMap.user_id")
        }
        guard assertion.nameFormat != Assertion.transientFormat || id != assertion.nameID else {
            throw .misconfigured(
                cause: "The provider calls the user by another name at each login (a transient NameID)",
                mend: "Let it send a persistent one, or set fieldsMap.user_id to an attribute that stays the same")
        }
        var profile = UpstreamProfile(id: id)
        let isAddress = assertion.nameFormat == "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
        profile.email = values("email").first ?? (isAddress ? assertion.nameID : nil)
        profile.isEmailVerified = values("email_verified").first == "true"
        profile.authenticatedAt = assertion.authenticatedAt
        var members: JSONObject = [:]
        for (name, values) in assertion.attributes { members[name] = Self.value(values) }
        for member in names.keys where !["user_id", "email", "email_verified"].contains(member) {
            let found = values(member)
            if !found.isEmpty { members[member] = member == "groups" ? JSONValue(found) : Self.value(found) }
        }
        members["sessionIndex"] = assertion.sessionIndex.map(JSONValue.string)
        profile.attributes = members
        return profile
    }

    private static func value(_ texts: [String]) -> JSONValue? {
        texts.count > 1 ? JSONValue(texts) : texts.first.map(JSONValue.string)
    }
}
