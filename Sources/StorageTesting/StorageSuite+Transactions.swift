import Foundation
import OAuth
import Storage
import Testing

extension StorageSuite {
    static let transactions: [Behaviour] = [
        Behaviour("values come back as they were bound", valuesComeBack),
        Behaviour("text is bound, never spliced into a statement", textIsBound),
        Behaviour("texts are sorted and paged by their bytes", textsAreSortedByBytes),
        Behaviour("a text with a NUL character is refused, kept or looked for", nulIsRefused),
        Behaviour("the error of a statement whose answer nobody took undoes everything", lateErrorsUndo),
        Behaviour("Unicode is kept scalar by scalar", unicodeIsKept),
        Behaviour("times are kept to the millisecond, near and far", timesAreKept),
        Behaviour("a statement says how many rows it changed", changesAreCounted),
        Behaviour("a violated constraint has the shared word", violationsAreMapped),
        Behaviour("a body that throws leaves nothing; what commits beside it survives", throwingBodiesLeaveNothing),
        Behaviour("a reader sees whole transactions only", readersSeeWholeTransactions),
        Behaviour("a read cannot write", readsCannotWrite),
        Behaviour("what one connection has committed the other one sees", connectionsSeeEachOther),
        Behaviour("two connections that write at once both succeed", connectionsWriteAtOnce),
        Behaviour("every call after close throws", callsAfterCloseThrow),
    ]

    /// A database with one table of one column of each type.
    private func scratch() async throws -> any SQLDatabase {
        let database = try await open()
        try await database.write { transaction in
            try transaction.execute(
                "CREATE TABLE scratch (id BIGINT PRIMARY KEY, number BIGINT, flag BOOLEAN, words TEXT, name TEXT UNIQUE)"
            )
        }
        return database
    }

    private static func valuesComeBack(_ suite: StorageSuite) async throws {
        let database = try await suite.scratch()
        let absent: String? = nil
        try await database.write { transaction in
            try transaction.execute(
                "INSERT INTO scratch (id, number, flag, words) VALUES (\(1), \(Int.max), \(true), \("")), (\(2), \(Int.min), \(false), \(absent))"
            )
        }
        let rows = try await database.read { try $0.rows("SELECT * FROM scratch ORDER BY id") }
        #expect(try rows.map { try $0.integer("number") } == [.max, .min])
        #expect(try rows.map { try $0.bool("flag") } == [true, false])
        #expect(rows.map { $0.optionalText("words") } == ["", nil])
        #expect(rows.first?.optionalText("column that is not there") == nil)
        let missing = await failure { try rows.last?.text("words") }
        #expect(missing as? SQLError == .unexpectedValue(column: "words"))
    }

    private static func textIsBound(_ suite: StorageSuite) async throws {
        let database = try await suite.scratch()
        let texts = [
            "'; DROP TABLE scratch; --", "$1", "?1", "\\'", "\"", "%_", String(repeating: "x", count: 1_000_000),
        ]
        for (index, text) in texts.enumerated() {
            try await database.write { transaction in
                try transaction.execute("INSERT INTO scratch (id, words) VALUES (\(index), \(text))")
            }
            let row = try await database.read { try $0.row("SELECT id FROM scratch WHERE words = \(text)") }
            #expect(try row?.integer("id") == index)
        }
    }

    private static func textsAreSortedByBytes(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let ids = ["auth0|1", "B", "a", "b", "a-b", "a b", "ab", "A", "é", "e\u{301}", "z", "_", "~", "Ω", "👩"]
        try await database.write { transaction in
            for (index, id) in ids.enumerated() where id != Sample.userID {
                try UserStore.insert(
                    Sample.user(id, email: "\(index)@example.org"), passwordHash: nil, in: transaction)
            }
        }
        var listed: [String] = []
        while let page = Optional(try await Stores(database: database).users.list(after: listed.last ?? "", limit: 4)),
            !page.isEmpty
        {
            listed += page.map(\.id)
        }
        let sorted = (ids + [Sample.userID]).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        #expect(listed.map { Array($0.utf8) } == sorted.map { Array($0.utf8) })
    }

    private static func nulIsRefused(_ suite: StorageSuite) async throws {
        let database = try await suite.scratch()
        let written = await failure {
            try await database.write { try $0.execute("INSERT INTO scratch (id, words) VALUES (1, \("a\0b"))") }
        }
        #expect(written as? SQLError == .unstorableText)
        let read = await failure {
            try await database.read { try $0.rows("SELECT id FROM scratch WHERE words = \("a\0b")") }
        }
        #expect(read as? SQLError == .unstorableText)
        #expect(try await Sample.count("SELECT COUNT(*) AS rows FROM scratch", in: database) == 0)
    }

    private static func lateErrorsUndo(_ suite: StorageSuite) async throws {
        let database = try await suite.scratch()
        try await database.write { try $0.execute("INSERT INTO scratch (id) VALUES (1)") }
        let error = await failure {
            try await database.write { transaction in
                try transaction.execute("INSERT INTO scratch (id) VALUES (2)")
                try transaction.execute("INSERT INTO scratch (id) VALUES (1)")
                try transaction.execute("INSERT INTO scratch (id) VALUES (3)")
            }
        }
        #expect(isUniqueViolation(error))
        #expect(try await Sample.count("SELECT COUNT(*) AS rows FROM scratch", in: database) == 1)
    }

    private static func unicodeIsKept(_ suite: StorageSuite) async throws {
        let database = try await suite.scratch()
        // The two é are equal for Swift, and different texts for a database.
        let texts = [
            "é", "e\u{301}", "👩‍👩‍👧‍👦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "مرحبا\u{200F}", "עִבְרִית", "नमस्ते", "Z̸̢͝a", "\u{FEFF}x", "\u{10FFFF}", "İıſß",
        ]
        for (index, text) in texts.enumerated() {
            try await database.write { transaction in
                try transaction.execute("INSERT INTO scratch (id, words) VALUES (\(index), \(text))")
            }
        }
        let rows = try await database.read { try $0.rows("SELECT words FROM scratch ORDER BY id") }
        #expect(try rows.map { Array(try $0.text("words").unicodeScalars) } == texts.map { Array($0.unicodeScalars) })
    }

    private static func timesAreKept(_ suite: StorageSuite) async throws {
        let database = try await suite.scratch()
        let milliseconds: [Int64] =
            [0, 1, -1, -62_135_596_800_000, 253_402_300_799_999, 1_780_000_000_123]
            + (0..<1_000).map { 1_780_000_000_000 + $0 }
        try await database.write { transaction in
            for (index, millisecond) in milliseconds.enumerated() {
                let date = Date(milliseconds: millisecond)
                try transaction.execute("INSERT INTO scratch (id, number) VALUES (\(index), \(date))")
            }
            // What was read may be written again without losing a millisecond.
            for row in try transaction.rows("SELECT id, number FROM scratch") {
                try transaction.execute(
                    "UPDATE scratch SET number = \(try row.date("number")) WHERE id = \(try row.integer("id"))")
            }
        }
        let rows = try await database.read { try $0.rows("SELECT number FROM scratch ORDER BY id") }
        #expect(try rows.map { try Int64($0.integer("number")) } == milliseconds)
        #expect(try rows.map { try $0.date("number") } == milliseconds.map(Date.init(milliseconds:)))
        let date = Date(timeIntervalSince1970: 1_780_000_000.123_9)
        #expect(date.storable == date.storable.storable)
    }

    private static func changesAreCounted(_ suite: StorageSuite) async throws {
        let database = try await suite.scratch()
        try await database.write { transaction in
            let inserted = try transaction.changes("INSERT INTO scratch (id) VALUES (1), (2), (3)")
            let updated = try transaction.changes("UPDATE scratch SET number = 1 WHERE id > 1")
            let missed = try transaction.changes("UPDATE scratch SET number = 1 WHERE id > 9")
            let conflicting = try transaction.changes("INSERT INTO scratch (id) VALUES (1) ON CONFLICT DO NOTHING")
            let deleted = try transaction.changes("DELETE FROM scratch")
            let counts: [Int] = [inserted, updated, missed, conflicting, deleted]
            #expect(counts == [3, 2, 0, 0, 3])
        }
    }

    private static func violationsAreMapped(_ suite: StorageSuite) async throws {
        let database = try await suite.prepared()
        let duplicate = await failure {
            try await database.write { try UserStore.insert(Sample.user(), passwordHash: nil, in: $0) }
        }
        #expect(isUniqueViolation(duplicate))
        let sameEmail = await failure {
            try await database.write { try UserStore.insert(Sample.user("auth0|2"), passwordHash: nil, in: $0) }
        }
        #expect(isUniqueViolation(sameEmail))
        let orphan = await failure {
            try await database.write { try SessionStore.insert(Sample.session("s", userID: "nobody"), in: $0) }
        }
        #expect(orphan as? SQLError == .foreignKeyViolation)
        let secondTenant = await failure {
            try await database.write {
                try $0.execute("INSERT INTO tenant (id, document, configuration_version) VALUES (2, '{}', 1)")
            }
        }
        let nothing = await failure {
            try await database.write { try $0.execute("INSERT INTO role (id) VALUES ('r')") }
        }
        let nonsense = await failure { try await database.write { try $0.execute("SELEKT") } }
        for error in [secondTenant, nothing, nonsense] {
            guard case .failed? = error as? SQLError else {
                Issue.record("\(String(describing: error)) is not SQLError.failed")
                continue
            }
        }
    }

    private struct Refusal: Error, Equatable { let index: Int }

    private static func throwingBodiesLeaveNothing(_ suite: StorageSuite) async throws {
        let database = try await suite.scratch()
        // Enough at once for several of them to meet in one commit.
        let errors = try await race(200) { index in
            await failure {
                try await database.write { transaction in
                    try transaction.execute("INSERT INTO scratch (id, number) VALUES (\(index), \(index))")
                    if index % 3 == 0 { throw Refusal(index: index) }
                    if index % 3 == 1 { try transaction.execute("INSERT INTO scratch (id) VALUES (\(index))") }
                }
            }
        }
        #expect(Set(errors.compactMap { ($0 as? Refusal)?.index }) == Set(stride(from: 0, to: 200, by: 3)))
        #expect(errors.count(where: isUniqueViolation) == 67)
        let rows = try await database.read { try $0.rows("SELECT id FROM scratch ORDER BY id") }
        #expect(try rows.map { try $0.integer("id") } == Array(stride(from: 2, to: 200, by: 3)))
    }

    private static func readersSeeWholeTransactions(_ suite: StorageSuite) async throws {
        let database = try await suite.scratch()
        try await database.write { try $0.execute("INSERT INTO scratch (id, number) VALUES (1, 0), (2, 0)") }
        let sums = try await race(60) { index in
            guard index % 2 == 0 else {
                try await database.write { transaction in
                    try transaction.execute("UPDATE scratch SET number = number + \(index) WHERE id = 1")
                    try transaction.execute("UPDATE scratch SET number = number - \(index) WHERE id = 2")
                }
                return 0
            }
            return try await database.read { transaction in
                let first = try transaction.row("SELECT number FROM scratch WHERE id = 1")?.integer("number") ?? .max
                return try first + (transaction.row("SELECT number FROM scratch WHERE id = 2")?.integer("number") ?? 0)
            }
        }
        #expect(sums.allSatisfy { $0 == 0 })
    }

    private static func readsCannotWrite(_ suite: StorageSuite) async throws {
        let database = try await suite.scratch()
        let error = await failure {
            try await database.read { _ = try $0.execute("INSERT INTO scratch (id) VALUES (1)") }
        }
        #expect(error is SQLError)
        #expect(try await Sample.count("SELECT COUNT(*) AS rows FROM scratch", in: database) == 0)
    }

    private static func connectionsSeeEachOther(_ suite: StorageSuite) async throws {
        let connections = try await suite.openTwice()
        #expect(connections.count == 2)
        guard let first = connections.first, let second = connections.last else { return }
        try await first.write { try $0.execute("CREATE TABLE scratch (id BIGINT PRIMARY KEY)") }
        for index in 0..<20 {
            let (writer, reader) = index % 2 == 0 ? (first, second) : (second, first)
            try await writer.write { try $0.execute("INSERT INTO scratch (id) VALUES (\(index))") }
            #expect(try await Sample.count("SELECT COUNT(*) AS rows FROM scratch", in: reader) == index + 1)
        }
    }

    private static func connectionsWriteAtOnce(_ suite: StorageSuite) async throws {
        let connections = try await suite.openTwice()
        try await connections.first?.write {
            try $0.execute("CREATE TABLE scratch (id BIGINT PRIMARY KEY, number BIGINT NOT NULL)")
            try $0.execute("INSERT INTO scratch (id, number) VALUES (1, 0)")
        }
        _ = try await race(100) { index in
            try await connections[index % connections.count].write {
                try $0.execute("UPDATE scratch SET number = number + 1 WHERE id = 1")
            }
        }
        for connection in connections {
            #expect(try await connection.read { try $0.row("SELECT number FROM scratch")?.integer("number") } == 100)
        }
    }

    private static func callsAfterCloseThrow(_ suite: StorageSuite) async throws {
        let database = try await suite.scratch()
        try database.close()
        #expect(await failure { try await database.read { try $0.rows("SELECT 1") } } is SQLError)
        #expect(await failure { try await database.write { try $0.execute("DELETE FROM scratch") } } is SQLError)
    }
}
