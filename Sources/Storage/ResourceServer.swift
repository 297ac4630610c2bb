import Foundation
import OAuth

/// An API that accepts our access tokens: Auth0's resource server, with the names and defaults of
/// `/api/v2/resource-servers`.
package struct ResourceServer: Sendable, Hashable {
    /// 24 hexadecimal digits.
    package var id: String
    package var name: String
    /// What clients send as `audience`; compared exactly.
    package var identifier: String
    package var scopes: [Permission] = []
    package var signingAlgorithm = SigningAlgorithm.rs256
    /// Seconds for which an access token from the token endpoint is valid.
    package var tokenLifetime = 86_400
    /// Seconds for which an access token from the authorization endpoint is valid.
    package var tokenLifetimeForWeb = 7_200
    package var allowsOfflineAccess = false
    package var skipsConsentForVerifiableFirstPartyClients = false
    /// Whether a user gets only the scopes that the user's permissions cover (role-based access control).
    package var enforcesPolicies = false
    package var tokenDialect = TokenDialect.accessToken
    package var proofOfPossession = ProofOfPossessionSettings()
    /// Whether it is the server's own Management API, which nobody configures into being.
    package var isSystem = false
    /// Auth0's other fields, kept and given back.
    package var other: JSONObject = [:]

    /// A scope of an API; as a role's or user's it is a permission.
    package struct Permission: Sendable, Hashable {
        package var value: String
        package var description: String?

        package init(value: String, description: String? = nil) {
            (self.value, self.description) = (value, description)
        }
    }

    /// Which claims an access token has.
    package enum TokenDialect: String, Sendable, CaseIterable {
        case accessToken = "access_token"
        /// With the user's `permissions`.
        case accessTokenAuthz = "access_token_authz"
        /// As [RFC 9068](https://www.rfc-editor.org/rfc/rfc9068) says.
        case rfc9068Profile = "rfc9068_profile"
        case rfc9068ProfileAuthz = "rfc9068_profile_authz"

        package var hasPermissions: Bool { self == .accessTokenAuthz || self == .rfc9068ProfileAuthz }
        package var isRFC9068: Bool { self == .rfc9068Profile || self == .rfc9068ProfileAuthz }
    }

    package init(id: String, name: String, identifier: String) {
        (self.id, self.name, self.identifier) = (id, name, identifier)
    }

    /// The values of the API's scopes.
    package var scope: Scope { Scope(scopes.map(\.value)) }
}

extension ResourceServer {
    /// - Parameter standardID: the `id` of a document that has none.
    /// - Throws: ``Document/Problem`` for the first member that is unknown or has a wrong value.
    package init(document: Document, standardID: String) throws(Document.Problem) {
        var document = document
        id = try document.string("id", most: 255) ?? standardID
        identifier = try document.requiredString("identifier")
        name = try document.string("name") ?? identifier
        guard identifier.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), identifier.utf8.count <= 600 else {
            throw document.problem("identifier", "must be at most 600 printable ASCII characters without spaces")
        }
        scopes = try Self.scopes(&document)
        signingAlgorithm = try document.oneOf("signing_alg", SigningAlgorithm.self) ?? .rs256
        tokenLifetime = try document.integer("token_lifetime", in: 1...2_592_000) ?? 86_400
        tokenLifetimeForWeb =
            try document.integer("token_lifetime_for_web", in: 1...2_592_000) ?? min(7_200, tokenLifetime)
        guard tokenLifetimeForWeb <= tokenLifetime else {
            throw document.problem("token_lifetime_for_web", "must not be longer than token_lifetime")
        }
        allowsOfflineAccess = try document.bool("allow_offline_access", default: false)
        skipsConsentForVerifiableFirstPartyClients =
            try document.bool("skip_consent_for_verifiable_first_party_clients", default: false)
        enforcesPolicies = try document.bool("enforce_policies", default: false)
        tokenDialect = try document.oneOf("token_dialect", TokenDialect.self) ?? .accessToken
        if let settings = try document.document("proof_of_possession") {
            proofOfPossession = try ProofOfPossessionSettings(document: settings)
        }
        isSystem = try document.bool("is_system", default: false)
        other = try document.remaining(known: Self.known)
    }

    private static func scopes(_ document: inout Document) throws(Document.Problem) -> [Permission] {
        var scopes: [Permission] = []
        for var scope in try document.documents("scopes") ?? [] {
            let value = try scope.requiredString("value")
            guard (try? Scope(parsing: value))?.values == [value] else {
                throw scope.problem("value", "must be printable ASCII without spaces, quotes and backslashes")
            }
            scopes.append(Permission(value: value, description: try scope.string("description")))
            _ = try scope.remaining(known: [])
        }
        return scopes
    }

    /// The API as Auth0 writes it, without its secret.
    package var document: JSONObject {
        var members = other
        members["id"] = .string(id)
        members["name"] = .string(name)
        members["identifier"] = .string(identifier)
        members["scopes"] = .array(
            scopes.map { scope in
                var members: JSONObject = ["value": .string(scope.value)]
                members["description"] = scope.description.map(JSONValue.string)
                return .object(members)
            })
        members["signing_alg"] = .string(signingAlgorithm.rawValue)
        members["token_lifetime"] = .integer(Int64(tokenLifetime))
        members["token_lifetime_for_web"] = .integer(Int64(tokenLifetimeForWeb))
        members["allow_offline_access"] = .bool(allowsOfflineAccess)
        members["skip_consent_for_verifiable_first_party_clients"] = .bool(skipsConsentForVerifiableFirstPartyClients)
        members["enforce_policies"] = .bool(enforcesPolicies)
        if proofOfPossession != ProofOfPossessionSettings() {
            members["proof_of_possession"] = .object(proofOfPossession.document)
        }
        if isSystem { members["is_system"] = true }
        members["token_dialect"] = .string(tokenDialect.rawValue)
        return members
    }

    /// Auth0's fields that change nothing here yet.
    private static let known: Set<String> = [
        "token_encryption", "consent_policy", "authorization_details",
        "subject_type_authorization", "allow_online_access", "client_id", "verificationLocation",
    ]
}

/// An API with the secret that signs its tokens where it uses HS256, sealed.
package struct RegisteredResourceServer: Sendable {
    package let resourceServer: ResourceServer
    package let sealedSigningSecret: String?

    package init(resourceServer: ResourceServer, sealedSigningSecret: String?) {
        (self.resourceServer, self.sealedSigningSecret) = (resourceServer, sealedSigningSecret)
    }
}

/// The APIs of the tenant.
package struct ResourceServerStore: Sendable {
    let database: any SQLDatabase

    /// The API with this identifier, or nil where there is none.
    package func find(identifier: String) async throws -> RegisteredResourceServer? {
        try await database.readOnce { try Self.find(identifier: identifier, in: $0) }
    }

    /// The API with this identifier, or nil where there is none.
    package static func find(
        identifier: String, in transaction: any SQLTransaction
    ) throws -> RegisteredResourceServer? {
        try transaction.row("SELECT * FROM resource_server WHERE identifier = \(identifier)")
            .map(RegisteredResourceServer.init)
    }

    /// The API with this id, or nil where there is none.
    package static func find(id: String, in transaction: any SQLTransaction) throws -> RegisteredResourceServer? {
        try transaction.row("SELECT * FROM resource_server WHERE id = \(id)").map(RegisteredResourceServer.init)
    }

    /// Every API, in the order of the names.
    package static func list(in transaction: any SQLTransaction) throws -> [RegisteredResourceServer] {
        try transaction.rows("SELECT * FROM resource_server ORDER BY name, identifier").map(
            RegisteredResourceServer.init)
    }

    /// Inserts the API, or replaces the one with its identifier; a nil secret leaves a stored one as it is. A
    /// secret goes with HS256, which alone needs it.
    package static func save(
        _ resourceServer: ResourceServer, sealedSigningSecret: String?, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO resource_server (id, identifier, name, document, sealed_signing_secret)
            VALUES (\(resourceServer.id), \(resourceServer.identifier), \(resourceServer.name),
                \(JSON.text(resourceServer.document)), \(sealedSigningSecret))
            ON CONFLICT (identifier) DO UPDATE SET id = excluded.id, name = excluded.name, document = excluded.document,
                sealed_signing_secret = COALESCE(excluded.sealed_signing_secret, resource_server.sealed_signing_secret)
            """)
        if resourceServer.signingAlgorithm != .hs256 {
            try transaction.execute(
                """
                UPDATE resource_server SET sealed_signing_secret = NULL WHERE identifier = \(resourceServer.identifier)
                """)
        }
        try TenantStore.configurationChanged(in: transaction)
    }

    /// Gives what is granted for the API `former` to the one that takes its place, and removes it: an API whose identifier
    /// has changed, as the tenant's own does with the tenant's address.
    package static func replace(
        _ former: String, with identifier: String, in transaction: any SQLTransaction
    ) throws {
        for var grant in try ClientGrantStore.list(in: transaction) where grant.audience == former {
            try ClientGrantStore.delete(grant.id, in: transaction)
            grant.audience = identifier
            try ClientGrantStore.save(grant, in: transaction)
        }
        try transaction.execute("UPDATE role_permission SET audience = \(identifier) WHERE audience = \(former)")
        try transaction.execute("UPDATE user_permission SET audience = \(identifier) WHERE audience = \(former)")
        try delete(identifier: former, in: transaction)
    }

    /// Removes the API with the grants and permissions for it.
    package static func delete(identifier: String, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM resource_server WHERE identifier = \(identifier)")
        try TenantStore.configurationChanged(in: transaction)
    }
}

extension RegisteredResourceServer {
    fileprivate init(_ row: SQLRow) throws {
        resourceServer = try ResourceServer(
            document: Document(row.json("document"), path: "resource server"), standardID: row.text("id"))
        sealedSigningSecret = row.optionalText("sealed_signing_secret")
    }
}
