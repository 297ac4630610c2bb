import Foundation
import Storage
import StorageTesting
import Testing

@Suite("SQLite keeps every promise of the stores")
struct SQLiteSuiteTests {
    @Test(arguments: StorageSuite.behaviours)
    func keeps(_ behaviour: StorageSuite.Behaviour) async throws {
        let (folder, shared) = (try TemporaryFolder(), try TemporaryFolder())
        let suite = StorageSuite(
            // Some behaviours start more than once, each time with another file.
            open: { try SQLiteDatabase(file: folder.url.appending(path: "\(UUID().uuidString).sqlite")) },
            openTwice: { [try shared.open(), try shared.open()] })
        try await behaviour.check(suite)
    }

    @Test("Every behaviour of the suite has a name of its own")
    func names() {
        let names = StorageSuite.behaviours.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(names.count > 50)
    }
}
