import Foundation
import Storage
import StorageTesting
import Testing

@Suite("PostgreSQL keeps every promise of the stores", .serialized)
struct PostgresSuiteTests {
    @Test(arguments: StorageSuite.behaviours)
    func keeps(_ behaviour: StorageSuite.Behaviour) async throws {
        let suite = StorageSuite(
            open: { try await PostgresDatabase.open(TemporaryPostgres.newSchema()) },
            openTwice: {
                let address = try await TemporaryPostgres.newSchema()
                return [try await PostgresDatabase.open(address), try await PostgresDatabase.open(address)]
            })
        try await behaviour.check(suite)
    }
}
