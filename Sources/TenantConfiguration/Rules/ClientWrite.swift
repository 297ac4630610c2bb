import AuthorizationServer
import Foundation
import OAuth
import Storage

/// An application on its way into the database, with the secret that goes with it: the rules of a file that is applied
/// and of a request to the Management API.
package struct ClientWrite: Sendable {
    package let client: Client
    /// The secret that was made because the application needs one and was given none; to be shown once.
    package let generatedSecret: String?
    /// Whether another secret than the present one, or the first, will be stored.
    package let hasNewSecret: Bool
    private let digest: String?
    private let sealed: String?

    /// What Auth0's Management API says of a client that is no part of its document.
    package static let notInDocument: Set<String> = ["tenant", "global", "signing_keys", "owners", "client_secret"]

    /// - Parameter secret: the secret that was given; nil keeps the present one.
    /// - Throws: ``Document/Problem`` for a secret that does not do.
    package init(
        _ client: Client, replacing existing: RegisteredClient?, secret given: String?, box: SecretBox
    ) throws(Document.Problem) {
        var secret = given
        var generated: String?
        if existing?.secretDigest == nil, secret == nil, client.usesSecret {
            generated = Self.makeSecret()
            secret = generated
        }
        if let message = Self.problem(secret, client, existing) {
            throw Document.Problem(path: "client_secret", message: message)
        }
        self.client = client
        generatedSecret = generated
        let digest = secret.map { Secret($0).digest }
        hasNewSecret = digest != nil && digest != existing?.secretDigest
        self.digest = digest
        sealed = client.needsReadableSecret ? secret.flatMap { try? box.seal($0) } : nil
    }

    /// Every rule that a client's document has to keep beyond its own shape: grant types that exist, keys that can be used,
    /// and algorithms that the tenant has keys for.
    package static func problems(of client: Client, _ settings: TenantSettings) -> [Document.Problem] {
        // A client keeps its grant types in an order of its own, so that their places would mislead.
        GrantTypeRules.problems(of: client.document).map {
            Document.Problem(path: "grant_types", message: $0.message)
        }
            + client.keyProblems.map { Document.Problem(path: $0.member, message: $0.problem) }
            + SigningRules.problems(of: client, settings)
    }

    /// 64 characters with 384 random bits.
    package static func makeSecret() -> String { Base64URL.encode(RandomBytes.make(48)) }

    /// Inserts the client, or replaces the one with its `client_id`.
    package func save(at now: Date, in transaction: any SQLTransaction) throws {
        try ClientStore.save(client, secretDigest: digest, sealedSecret: sealed, at: now, in: transaction)
    }

    /// Removes the client with its grants, consents and tokens, and from the connections that serve it.
    package static func delete(_ clientID: String, in transaction: any SQLTransaction) throws {
        for var connection in try ConnectionStore.list(in: transaction)
        where connection.enabledClients.contains(clientID) {
            connection.enabledClients.remove(clientID)
            try ConnectionStore.save(connection, in: transaction)
        }
        try ClientStore.delete(clientID, in: transaction)
    }

    private static func problem(_ secret: String?, _ client: Client, _ existing: RegisteredClient?) -> String? {
        if let secret, secret.utf8.count < 16 {
            return "is shorter than 16 characters; make one with: openssl rand -base64 48"
        }
        if client.needsReadableSecret, secret == nil, existing?.sealedSecret == nil {
            return "is needed here because HS256 signs tokens with it; give it, or use RS256"
        }
        if client.tokenEndpointAuthMethod == .clientSecretJWT {
            if secret == nil, existing?.sealedSecret == nil {
                return "is needed here because client_secret_jwt signs with it"
            }
            // RFC 7518 §3.2: a key is at least as long as the hash.
            if let secret, secret.utf8.count < 32 {
                return
                    "is shorter than the 32 characters that client_secret_jwt needs; make one with: openssl rand -base64 48"
            }
        }
        return nil
    }
}
