import Storage
import Testing

/// What the stores promise, as checks that every driver of ``SQLDatabase`` passes unchanged.
///
/// A driver's tests run each of ``behaviours`` on databases of their own:
///
/// ```swift
/// @Test(arguments: StorageSuite.behaviours)
/// func keeps(_ behaviour: StorageSuite.Behaviour) async throws { try await behaviour.check(suite) }
/// ```
///
/// A promise that is not kept is an issue of the test that runs; an error of the database is thrown.
package struct StorageSuite: Sendable {
    /// A fresh, empty database.
    let open: @Sendable () async throws -> any SQLDatabase
    /// Two connections to one fresh, empty database, as two processes have them.
    let openTwice: @Sendable () async throws -> [any SQLDatabase]

    /// - Parameters:
    ///   - open: makes a fresh, empty database each time.
    ///   - openTwice: makes a fresh, empty database and opens it twice, as two processes do.
    package init(
        open: @escaping @Sendable () async throws -> any SQLDatabase,
        openTwice: @escaping @Sendable () async throws -> [any SQLDatabase]
    ) {
        (self.open, self.openTwice) = (open, openTwice)
    }

    /// One promise of the stores.
    package struct Behaviour: Sendable, CustomTestStringConvertible {
        package let name: String
        package let check: @Sendable (StorageSuite) async throws -> Void

        init(_ name: String, _ check: @escaping @Sendable (StorageSuite) async throws -> Void) {
            (self.name, self.check) = (name, check)
        }

        package var testDescription: String { name }
    }

    /// Every behaviour.
    package static var behaviours: [Behaviour] {
        transactions + migrations + configuration + users + tokens + deviceCodes + logins + logouts + expiry + races
            + copying + registration + signingKeys + logs + jobs + attackProtection + organizations + scripts
            + mail + upstream
    }

    /// A database with today's schema and ``Sample``'s rows.
    func prepared() async throws -> any SQLDatabase {
        let database = try await open()
        try await Migrations.run(on: database)
        try await database.write { try Sample.insert(in: $0) }
        return database
    }
}

/// Runs `body` at once in `count` tasks and returns what they return.
func race<T: Sendable>(_ count: Int, _ body: @escaping @Sendable (Int) async throws -> T) async throws -> [T] {
    try await withThrowingTaskGroup { group in
        for index in 0..<count { group.addTask { try await body(index) } }
        return try await group.reduce(into: []) { $0.append($1) }
    }
}

/// The error that `body` throws, or nil where it throws none.
func failure<T>(_ body: () async throws -> T) async -> (any Error)? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error
    }
}

/// Whether the error says that a row with the same unique value is there already; drivers name the value differently.
func isUniqueViolation(_ error: (any Error)?) -> Bool {
    if case .uniqueViolation? = error as? SQLError { true } else { false }
}
