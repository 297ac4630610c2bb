import OAuth

/// An API's `proof_of_possession` settings: whether its access tokens must be bound to a key or certificate of the
/// client's, so that a stolen one is worth nothing.
package struct ProofOfPossessionSettings: Sendable, Hashable {
    /// Whether tokens that are not bound are refused.
    package var isRequired = false
    /// Whose tokens must be bound where it is required.
    package var requiredFor = Clients.all

    /// Which clients a requirement is for.
    package enum Clients: String, Sendable, CaseIterable {
        case all = "all_clients"
        case `public` = "public_clients"
    }

    /// How possession is proved.
    package var mechanism = Mechanism.dpop

    /// A proof of possession that an API understands.
    package enum Mechanism: String, Sendable, CaseIterable { case dpop, mtls }

    package init() {}

    /// Whether the client must prove a key, or show a certificate, to get a token for the API.
    package func requires(of client: Client) -> Bool {
        isRequired && (requiredFor == .all || !client.isConfidential)
    }

    init(document: Document) throws(Document.Problem) {
        var document = document
        mechanism = try document.oneOf("mechanism", Mechanism.self) ?? .dpop
        isRequired = try document.bool("required", default: false)
        requiredFor = try document.oneOf("required_for", Clients.self) ?? .all
        _ = try document.remaining(known: [])
    }

    var document: JSONObject {
        [
            "mechanism": .string(mechanism.rawValue), "required": .bool(isRequired),
            "required_for": .string(requiredFor.rawValue),
        ]
    }
}
