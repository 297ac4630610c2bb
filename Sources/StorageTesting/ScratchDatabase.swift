import Foundation
import Storage
import Synchronization

/// A fresh, empty database of a test's own, of the kind that `PORTICO_TEST_DATABASE` asks for: `sqlite` (standard) or
/// `postgres`.
package struct ScratchDatabase: Sendable {
    private enum Kind: String { case sqlite, postgres }
    private enum Place: Sendable { case file(URL), schema(PostgresAddress) }

    private let place: Place

    /// - Parameter folder: where SQLite keeps its files.
    package init(folder: URL) async throws {
        let chosen = ProcessInfo.processInfo.environment["PORTICO_TEST_DATABASE"] ?? Kind.sqlite.rawValue
        switch Kind(rawValue: chosen) {
        case .sqlite: place = .file(folder.appending(path: "portico.sqlite"))
        case .postgres: place = .schema(try await TemporaryPostgres.newSchema())
        case nil: throw UnknownKind(chosen: chosen)
        }
    }

    /// Runs `body` with a database, not too many at a time: tests start by the hundred, and a server has a limit.
    package static func run<T: Sendable>(
        folder: URL, _ body: (ScratchDatabase) async throws -> T
    ) async throws -> T {
        // A test that waits for a second turn with the first in hand may wait for others that do the same.
        guard !hasTurn else { return try await body(ScratchDatabase(folder: folder)) }
        await turns.take()
        defer { turns.give() }
        return try await $hasTurn.withValue(true) { try await body(ScratchDatabase(folder: folder)) }
    }

    private static let turns = Turns(count: 8)
    @TaskLocal private static var hasTurn = false

    /// Opens it; another call opens it once more, as another process does.
    package func open() async throws -> any SQLDatabase {
        switch place {
        case .file(let file): try SQLiteDatabase(file: file)
        case .schema(let address): try await PostgresDatabase.open(address)
        }
    }

    private struct UnknownKind: Error, CustomStringConvertible {
        let chosen: String
        var description: String { "PORTICO_TEST_DATABASE is '\(chosen)'; sqlite and postgres are supported" }
    }
}

/// Lets so many in at a time; the others wait in their order.
private final class Turns: Sendable {
    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }
    private let state: Mutex<State>

    init(count: Int) { state = Mutex(State(free: count)) }

    func take() async {
        await withCheckedContinuation { continuation in
            let mayGo = state.withLock { state in
                guard state.free == 0 else {
                    state.free -= 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if mayGo { continuation.resume() }
        }
    }

    func give() {
        let next = state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.free += 1
                return CheckedContinuation<Void, Never>?.none
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
