import Foundation
import OAuth
import Storage
import StorageTesting

@testable import AuthorizationServer

/// A database of a test's own, with today's schema and an empty tenant.
final class TestDatabase: Sendable {
    let folder: URL
    let database: any SQLDatabase
    private let scratch: ScratchDatabase
    let box = SecretBox(key: Array(repeating: 7, count: 32))

    init() async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "portico-server-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        scratch = try await ScratchDatabase(folder: folder)
        database = try await scratch.open()
        try await Migrations.run(on: database)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    var stores: Stores { Stores(database: database) }

    /// The same database opened once more, as another process does.
    func anotherConnection() async throws -> any SQLDatabase { try await scratch.open() }

    func signingKeys(on database: any SQLDatabase) throws -> SigningKeys {
        SigningKeys(stores: Stores(database: database), box: box, issuer: try Issuer("https://login.example.com/"))
    }
}
