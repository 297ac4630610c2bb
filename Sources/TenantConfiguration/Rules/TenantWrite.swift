import AuthorizationServer
import Foundation
import OAuth
import Storage

/// The tenant's settings on their way into the database, with the first keys of the kinds that they need and the tenant has
/// none of. RSA keys, which every tenant has, are made when a server starts.
package struct TenantWrite: Sendable {
    package let settings: TenantSettings
    private let keys: [@Sendable (Date) -> SigningKey]

    /// - Parameter kinds: the kinds of key that the tenant has.
    /// - Throws: what keeps keys from being made.
    package init(_ settings: TenantSettings, having kinds: Set<SigningKey.Kind>, box: SecretBox) throws {
        self.settings = settings
        keys = try settings.signingAlgorithms.keyKinds.filter { $0 != .rsa && !kinds.contains($0) }.flatMap { kind in
            try SigningKeys.makePair(kind, box: box, certificateName: "")
        }
    }

    /// Replaces the settings.
    package func save(at now: Date, in transaction: any SQLTransaction) throws {
        try TenantStore.update(settings, in: transaction)
        try SigningKeyStore.insertFirst(keys.map { $0(now) }, in: transaction)
    }

    /// The document after a change: members replace those that there are and null removes them; of `flags` the same holds
    /// for each.
    /// - Throws: ``Document/Problem`` for flags that are no object.
    package static func merged(_ settings: TenantSettings, _ changes: JSONObject) throws(Document.Problem) -> JSONObject
    {
        var members = settings.document.merging(changes) { $1 }
        if let flags = changes["flags"], flags != .null {
            guard let changed = flags.object else {
                throw Document.Problem(path: "flags", message: "must be an object")
            }
            members["flags"] = .object(
                (settings.other["flags"]?.object ?? [:]).merging(changed) { $1 }.filter { $0.value != .null })
        }
        return members.filter { $0.value != .null }
    }

    /// What signs already with an algorithm that the settings take from the tenant.
    /// - Parameter known: the applications and APIs, by their ids and identifiers, of which that is told already.
    package static func problems(
        of settings: TenantSettings, clients: some Sequence<Client>, apis: some Sequence<ResourceServer>,
        except known: Set<String> = []
    ) -> [Document.Problem] {
        let users =
            clients.flatMap { client in
                Set([client.idTokenAlgorithm, client.openID.userInfoAlgorithm].compactMap(\.self)).map {
                    ("the application \(client.name)", client.clientID, $0)
                }
            } + apis.map { ("the API \($0.identifier)", $0.identifier, $0.signingAlgorithm) }
        return users.sorted { $0.0 < $1.0 }.filter { _, id, algorithm in
            !settings.signingAlgorithms.allow(algorithm) && !known.contains(id)
        }.map { user, _, algorithm in
            Document.Problem(
                path: "signing_algorithms",
                message: "must have \(algorithm.rawValue) for as long as \(user) signs with it")
        }
    }
}
