import OAuth

/// What a client says about itself to people and decides nothing, with the names of
/// [RFC 7591 §2](https://www.rfc-editor.org/rfc/rfc7591#section-2).
package struct ClientInformation: Sendable, Hashable {
    /// E-mail addresses of those who look after it.
    package var contacts: [String] = []
    /// Its home page.
    package var uri: String?
    /// What it does with the user's data.
    package var policyURI: String?
    package var termsURI: String?
    package var softwareID: String?
    package var softwareVersion: String?
    /// Names and addresses in other languages by their member, such as `client_name#de` (RFC 7591 §2.2).
    package var localized: [String: String] = [:]

    package init() {}

    /// Takes the information out of a client's document.
    /// - Throws: ``Document/Problem`` for a member with a wrong value.
    package init(from document: inout Document) throws(Document.Problem) {
        contacts = try document.strings("contacts") ?? []
        uri = try document.string("client_uri", most: 2048)
        policyURI = try document.string("policy_uri", most: 2048)
        termsURI = try document.string("tos_uri", most: 2048)
        softwareID = try document.string("software_id", most: 255)
        softwareVersion = try document.string("software_version", most: 255)
        for (name, value) in try document.object("localized_metadata") ?? [:] {
            guard let text = value.string else {
                throw document.problem("localized_metadata.\(name)", "must be a text")
            }
            localized[name] = text
        }
    }

    /// The members of a client's document.
    package var members: JSONObject {
        var members: JSONObject = [:]
        if !contacts.isEmpty { members["contacts"] = JSONValue(contacts) }
        members["client_uri"] = uri.map(JSONValue.string)
        members["policy_uri"] = policyURI.map(JSONValue.string)
        members["tos_uri"] = termsURI.map(JSONValue.string)
        members["software_id"] = softwareID.map(JSONValue.string)
        members["software_version"] = softwareVersion.map(JSONValue.string)
        if !localized.isEmpty { members["localized_metadata"] = .object(localized.mapValues(JSONValue.string)) }
        return members
    }
}

extension Client {
    /// The client as people who read these languages are shown it: with the names and addresses that it has registered in
    /// the first of them (`client_name#de`, RFC 7591 §2.2), and otherwise as it is.
    /// - Parameter locales: BCP 47 tags, the best first.
    package func localized(for locales: [String]) -> Client {
        guard !information.localized.isEmpty, !locales.isEmpty else { return self }
        let texts = Dictionary(information.localized.map { ($0.lowercased(), $1) }) { first, _ in first }
        func text(_ member: String) -> String? {
            locales.lazy.flatMap(Self.lookup).compactMap { texts["\(member)#\($0)"] }.first
        }
        var client = self
        client.name = text("client_name") ?? name
        client.logoURI = text("logo_uri") ?? logoURI
        client.information.uri = text("client_uri") ?? information.uri
        client.information.policyURI = text("policy_uri") ?? information.policyURI
        client.information.termsURI = text("tos_uri") ?? information.termsURI
        return client
    }

    /// The tags that a lookup tries: `de-at`, then `de` ([RFC 4647 §3.4](https://www.rfc-editor.org/rfc/rfc4647#section-3.4)).
    private static func lookup(_ locale: String) -> [String] {
        let subtags = locale.lowercased().split(separator: "-")
        return subtags.indices.reversed().map { subtags[...$0].joined(separator: "-") }
    }
}
