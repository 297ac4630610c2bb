import AuthorizationServer
import OAuth
import Storage

/// An API on its way into the database, with the secret that signs its tokens where it uses HS256.
package struct ResourceServerWrite: Sendable {
    package let resourceServer: ResourceServer
    /// The secret that was made because the API needs one and was given none; to be shown once.
    package let generatedSecret: String?
    /// Whether another secret than the present one, or the first, will be stored.
    package let hasNewSecret: Bool
    /// Whether there is a present secret that gives way to it.
    package let replacesSecret: Bool
    private let sealed: String?

    /// - Parameter secret: the secret that was given; nil keeps the present one.
    /// - Throws: ``Document/Problem`` for a secret that does not do.
    package init(
        _ api: ResourceServer, replacing existing: RegisteredResourceServer?, secret given: String?, box: SecretBox
    ) throws(Document.Problem) {
        if let given, given.utf8.count < 16 {
            throw Document.Problem(
                path: "signing_secret",
                message: "is shorter than 16 characters; make one with: openssl rand -base64 48")
        }
        // Exports have secrets of RS256 APIs too; nothing is signed with them.
        var secret = api.signingAlgorithm == .hs256 ? given : nil
        var generated: String?
        if api.signingAlgorithm == .hs256, given == nil, existing?.sealedSigningSecret == nil {
            generated = ClientWrite.makeSecret()
            secret = generated
        }
        let known = existing?.sealedSigningSecret.flatMap { try? box.open($0) }
        (resourceServer, generatedSecret) = (api, generated)
        hasNewSecret = secret != nil && secret != known
        replacesSecret = known != nil
        sealed = hasNewSecret ? secret.flatMap { try? box.seal($0) } : nil
    }

    /// Inserts the API, or replaces the one with its identifier.
    package func save(in transaction: any SQLTransaction) throws {
        try ResourceServerStore.save(resourceServer, sealedSigningSecret: sealed, in: transaction)
    }

    /// Takes the scopes that the API has no longer from the grants and roles that name them.
    package static func withdrawScopes(missingFrom api: ResourceServer, in transaction: any SQLTransaction) throws {
        for var grant in try ClientGrantStore.list(in: transaction) where grant.audience == api.identifier {
            let remaining = grant.scope.intersection(api.scope)
            guard remaining != grant.scope else { continue }
            grant.scope = remaining
            try ClientGrantStore.save(grant, in: transaction)
        }
        for var role in try RoleStore.list(in: transaction) {
            let remaining = role.permissions.filter { $0.audience != api.identifier || api.scope.contains($0.name) }
            guard remaining != role.permissions else { continue }
            role.permissions = remaining
            try RoleStore.save(role, in: transaction)
        }
    }
}
