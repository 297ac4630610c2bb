import Foundation
import Storage

/// A folder of a test's own, removed with the last one who knows it.
final class TemporaryFolder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "portico-storage-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    var file: URL { url.appending(path: "portico.sqlite") }

    /// Opens the folder's database; another call opens it once more, as another process does.
    func open() throws -> any SQLDatabase { try SQLiteDatabase(file: file) }
}
