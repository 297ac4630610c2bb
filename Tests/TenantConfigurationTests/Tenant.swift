import AuthorizationServer
import Foundation
import OAuth
import Storage
import StorageTesting
import TenantConfiguration

/// A tenant in a database of its own, in a folder that goes with the test.
struct Tenant: Sendable {
    let folder: URL
    let scratch: ScratchDatabase
    let stores: Stores

    static let box = SecretBox(key: [UInt8](repeating: 7, count: 32))
    static let now = Date(timeIntervalSince1970: 1_780_000_000)

    static func run(_ body: (Tenant) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "portico-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await ScratchDatabase.run(folder: folder) { scratch in
            let database = try await scratch.open()
            defer { try? database.close() }
            try await Migrations.run(on: database)
            try await body(Tenant(folder: folder, scratch: scratch, stores: Stores(database: database)))
        }
    }

    func plan(_ yaml: String, _ environment: [String: String] = [:], delete: Bool = false) async throws -> Plan {
        let file = try TenantFile(yaml: yaml, name: "tenant.yaml", environment: environment)
        return try await Plan.make(file, stores: stores, box: Self.box, allowDelete: delete)
    }

    @discardableResult
    func apply(_ yaml: String, _ environment: [String: String] = [:], delete: Bool = false) async throws -> Plan.Outcome
    {
        try await plan(yaml, environment, delete: delete).apply(to: stores, at: Self.now)
    }

    /// What is wrong with a file, a line each; empty where it can be applied.
    func problems(_ yaml: String, _ environment: [String: String] = [:], delete: Bool = false) async throws -> [String]
    {
        do {
            _ = try await plan(yaml, environment, delete: delete)
            return []
        } catch let error as TenantFileError {
            return error.problems.map(\.description)
        }
    }

    func export() async throws -> String { try await TenantExport.yaml(stores) }

    func roles() async throws -> [Role] { try await stores.database.read { try RoleStore.list(in: $0) } }

    func grants() async throws -> [ClientGrant] {
        try await stores.database.read { try ClientGrantStore.list(in: $0) }
    }

    func resourceServers() async throws -> [RegisteredResourceServer] {
        try await stores.database.read { try ResourceServerStore.list(in: $0) }
    }

    func client(_ name: String) async throws -> RegisteredClient? {
        try await stores.clients.list().first { $0.client.name == name }
    }

    /// Writes a file below the tenant's folder.
    @discardableResult
    func write(_ text: String, to path: String) throws -> URL {
        let url = folder.appending(path: path)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
        return url
    }
}

extension Plan {
    /// The changes, such as `+ application Shop`.
    var summary: [String] { changes.map { "\($0.kind.rawValue) \($0.type.rawValue) \($0.name)" } }

    /// The differences of the change of one resource.
    func differences(of name: String) -> [String] {
        changes.first { $0.name == name }?.differences.map(\.description) ?? []
    }
}

/// An application, an API, and what joins them.
let shop = """
    tenant:
      friendly_name: Shop
    resourceServers:
      - name: Orders
        identifier: https://orders.example.com
        scopes:
          - value: read:orders
            description: See your orders
          - value: write:orders
    clients:
      - name: Web
        client_id: web-id
        client_secret: web-secret-0123456789
        app_type: regular_web
        callbacks: ["https://shop.example.com/callback"]
      - name: Robot
        client_id: robot-id
        client_secret: robot-secret-0123456789
        app_type: non_interactive
        grant_types: [client_credentials]
    clientGrants:
      - client_id: Robot
        audience: https://orders.example.com
        scope: ["read:orders"]
    databases:
      - name: Users
        strategy: auth0
        enabled_clients: [Web, Robot]
        options:
          passwordPolicy: good
    connections: []
    roles:
      - name: Clerk
        description: Handles orders
        permissions:
          - resource_server_identifier: https://orders.example.com
            permission_name: read:orders
          - resource_server_identifier: https://orders.example.com
            permission_name: write:orders
    """
