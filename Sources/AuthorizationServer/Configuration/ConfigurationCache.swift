import Foundation
import OAuth
import Storage
import Synchronization

/// The tenant's configuration in this process's memory, read from the database on demand.
///
/// Whoever changes the configuration counts up its version in the database; ``refresh()`` sees that and forgets
/// everything. What is not there is not remembered, so nobody can fill the memory with names of nothing.
package final class ConfigurationCache: Sendable {
    private struct State {
        var version = -1
        var settings: TenantSettings?
        var sections: TenantSections?
        var keyRing: KeyRing?
        var connections: [Connection]?
        var origins: Set<String>?
        var allowedOrigins: Set<String>?
        var metadata: Data?
        var possessionDemands: [String: ProofOfPossessionSettings]?
        var dueScripts: DueScripts?
        var clients: [String: RegisteredClient] = [:]
        var resourceServers: [String: RegisteredResourceServer] = [:]
        var clientGrants: [[String]: ClientGrant] = [:]
    }

    private let stores: Stores
    private let box: SecretBox
    /// Whose built-in APIs there are; nil for none.
    private let issuer: Issuer?
    private let state = Mutex(State())

    /// - Parameter issuer: whose built-in APIs there are.
    package init(stores: Stores, box: SecretBox, issuer: Issuer? = nil) {
        (self.stores, self.box, self.issuer) = (stores, box, issuer)
    }

    /// Forgets everything if the database has a newer configuration.
    package func refresh() async throws {
        let version = try await stores.tenant.configurationVersion()
        state.withLock { state in
            guard state.version != version else { return }
            state = State()
            state.version = version
        }
    }

    /// The settings of the tenant.
    package func settings() async throws -> TenantSettings {
        try await cached(\.settings) { [stores] in try await stores.tenant.settings() }
    }

    /// The settings of the tenant that have a place of their own.
    package func sections() async throws -> TenantSections {
        try await cached(\.sections) { [stores] in
            try await stores.database.read { try TenantSectionStore.all(in: $0) }
        }
    }

    /// The database and other connections, by name.
    package func connections() async throws -> [Connection] {
        try await cached(\.connections) { [stores] in try await stores.connections.list() }
    }

    /// The origins whose scripts may call the token and userinfo endpoints: those of the applications' callbacks, and
    /// what they list as web origins and allowed origins. In lower case.
    package func origins() async throws -> Set<String> {
        try await cached(\.origins) { [stores] in
            var origins: Set<String> = []
            for client in try await stores.clients.list().map(\.client) {
                let callbacks = client.callbacks.compactMap { RedirectURI($0.text)?.origin }
                origins.formUnion((callbacks + client.webOrigins + client.allowedOrigins).map { $0.lowercased() })
            }
            return origins
        }
    }

    /// What the applications list as allowed origins. In lower case.
    package func allowedOrigins() async throws -> Set<String> {
        try await cached(\.allowedOrigins) { [stores] in
            Set(try await stores.clients.list().flatMap(\.client.allowedOrigins).map { $0.lowercased() })
        }
    }

    /// The bytes of the discovery document.
    package func providerMetadata(_ issuer: Issuer, _ mutualTLS: MutualTLS? = nil) async throws -> Data {
        let settings = try await settings()
        return try await cached(\.metadata) { try JSON.bytes(ProviderMetadata.document(issuer, settings, mutualTLS)) }
    }

    /// - Throws: ``NoSigningKey`` before the first key is made.
    package func keyRing() async throws -> KeyRing {
        try await cached(\.keyRing) { [stores, box] in
            let algorithms = try await stores.tenant.settings().signingAlgorithms
            let rows = try await stores.signingKeys.list()
            guard let ring = try KeyRing(rows, algorithms: algorithms, box: box) else { throw NoSigningKey() }
            return ring
        }
    }

    /// The client with this `client_id`, or nil where there is none.
    package func client(_ id: String) async throws -> RegisteredClient? {
        let found = try await cached(id, in: \.clients) { [stores] in try await stores.clients.find(id) }
        guard let found, found.client.isMetadataDocument else { return found }
        // A tenant that no longer reads such documents knows no such clients.
        return try await settings().readsClientMetadataDocuments ? found : nil
    }

    /// The API with this identifier, or nil where there is none.
    package func resourceServer(_ identifier: String) async throws -> RegisteredResourceServer? {
        if let issuer, identifier == issuer.mfaAudience { return MFAAPI.resourceServer(issuer) }
        return try await cached(identifier, in: \.resourceServers) { [stores] in
            try await stores.resourceServers.find(identifier: identifier)
        }
    }

    /// What the APIs want of their tokens' possession, by their identifiers; those that want nothing are left out.
    func possessionDemands() async throws -> [String: ProofOfPossessionSettings] {
        try await cached(\.possessionDemands) { [stores] in
            let all = try await stores.database.readOnce { try ResourceServerStore.list(in: $0) }
            return all.map(\.resourceServer).reduce(into: [:]) { demands, api in
                if api.proofOfPossession != ProofOfPossessionSettings() {
                    demands[api.identifier] = api.proofOfPossession
                }
            }
        }
    }

    /// The rules and actions that are to run.
    func dueScripts() async throws -> DueScripts {
        try await cached(\.dueScripts) { [stores] in try await stores.database.read { try DueScripts(in: $0) } }
    }

    /// What the client may ask of the API on its own behalf, or nil where nothing is granted.
    package func clientGrant(clientID: String, audience: String) async throws -> ClientGrant? {
        try await cached([clientID, audience], in: \.clientGrants) { [stores] in
            try await stores.clientGrants.find(clientID: clientID, audience: audience)
        }
    }

    /// The database has no key to sign with.
    package struct NoSigningKey: Error, CustomStringConvertible {
        package let description = "The tenant has no signing key; 'portico serve' makes one at its start."
    }

    private func cached<T: Sendable>(
        _ path: any WritableKeyPath<State, T?> & Sendable, load: () async throws -> T
    ) async throws -> T {
        let (found, version) = state.withLock { ($0[keyPath: path], $0.version) }
        if let found { return found }
        let loaded = try await load()
        try await refresh()
        // What was read before somebody else's change must not outlive it, nor what was read after it stand beside what
        // was read before: a client that signs with a new key, and the keys without it.
        state.withLock { if $0.version == version { $0[keyPath: path] = loaded } }
        return loaded
    }

    private func cached<Key: Hashable & Sendable, T: Sendable>(
        _ key: Key, in path: any WritableKeyPath<State, [Key: T]> & Sendable, load: () async throws -> T?
    ) async throws -> T? {
        let (found, version) = state.withLock { ($0[keyPath: path][key], $0.version) }
        if let found { return found }
        guard let loaded = try await load() else { return nil }
        try await refresh()
        state.withLock { if $0.version == version { $0[keyPath: path][key] = loaded } }
        return loaded
    }
}
