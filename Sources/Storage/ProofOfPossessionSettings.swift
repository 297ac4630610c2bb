import OAuth

/// An API's `proof_of_possession` settings: whether its access tokens must be bound to a key of the client's, so that a
/// stolen one is worth nothing.
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
    private enum Mechanism: String, CaseIterable { case dpop }

    package init() {}

    /// Whether the client must prove a key to get a token for the API.
    package func requires(of client: Client) -> Bool {
        isRequired && (requiredFor == .all || !client.isConfidential)
    }

    init(document: Document) throws(Document.Problem) {
        var document = document
        _ = try document.oneOf("mechanism", Mechanism.self)
        isRequired = try document.bool("required", default: false)
        requiredFor = try document.oneOf("required_for", Clients.self) ?? .all
        _ = try document.remaining(known: [])
    }

    var document: JSONObject {
        [
            "mechanism": .string(Mechanism.dpop.rawValue), "required": .bool(isRequired),
            "required_for": .string(requiredFor.rawValue),
        ]
    }
}
