import OAuth
import Storage

/// `none`: a public client names itself, and what it sends beside its name counts for nothing.
enum NoProof: ClientProof {
    static let methods: Set<ClientAuthenticationMethod> = [.none]

    static func prove(_ credentials: ClientCredentials, of registered: RegisteredClient, _ services: Services) {}
}
