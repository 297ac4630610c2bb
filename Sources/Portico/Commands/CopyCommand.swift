import ArgumentParser
import Foundation
import Storage

/// `portico copy`.
struct CopyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy",
        abstract: "Move a tenant from one database to another.",
        discussion: """
            The target must be empty: a file or a schema that does not exist yet. Stop Portico on the source first. A copy \
            that was interrupted goes on when the same command is given again. At the end every row is compared.

            Private keys stay sealed, so start Portico on the copy with the same secret: the file 'secret' of the data \
            folder, or PORTICO_SECRET. A password may be left out of an address and given as PGPASSWORD or in ~/.pgpass.

            EXAMPLES
              portico copy --from sqlite:.portico/portico.sqlite --to postgres://portico@localhost/portico
              portico copy --from 'postgres://portico@localhost/portico?schema=acme' --to sqlite:acme.sqlite
            """)

    @Option(help: "The database to copy: sqlite:PATH or postgres://…")
    var from: String

    @Option(help: "The empty database to copy it to: sqlite:PATH or postgres://…")
    var to: String

    func run() async throws {
        let (source, target) = (try DatabaseName("--from", from), try DatabaseName("--to", to))
        guard source != target else { throw CommandFailure("--from and --to are the same database.") }
        let copy = TenantCopy(
            from: try await source.open("--from", mayCreate: false), named: source.description,
            to: try await target.open("--to", mayCreate: true))
        let bar = ProgressBar(label: "rows")
        let report: TenantCopy.Report
        do {
            report = try await copy.run { progress in
                bar.show(
                    progress.done, fraction: Double(progress.done) / Double(max(1, progress.total)),
                    note: " \(progress.isVerifying ? "compared" : "copied"): \(progress.table)")
            }
            bar.finish()
        } catch {
            bar.finish()
            throw error
        }
        if report.wasResumed { print("Went on with a copy that was interrupted.") }
        let width = 1 + (report.tables.map(\.table.count).max() ?? 0)
        for table in report.tables {
            print(
                "\(table.table.padding(toLength: width, withPad: " ", startingAt: 0))"
                    + "\(table.rows) rows  sha256 \(table.checksum.prefix(16))…")
        }
        let count = report.tables.reduce(0) { $0 + $1.rows }
        print(
            "Copied \(count) row\(count == 1 ? "" : "s") to \(target), and compared each: both databases hold the same."
        )
    }
}

/// A database as `portico copy` takes it.
private struct DatabaseName: Equatable, CustomStringConvertible {
    private enum Place { case file(URL), schema(PostgresAddress) }

    let description: String
    private let place: Place

    init(_ option: String, _ text: String) throws {
        if text.hasPrefix("sqlite:"), text != "sqlite:" {
            let file = URL(filePath: String(text.dropFirst(7))).absoluteURL.standardizedFileURL
            (place, description) = (.file(file), "sqlite:\(file.path(percentEncoded: false))")
        } else if text.hasPrefix("postgres") {
            do {
                let address = try PostgresAddress(text, connections: 2)
                (place, description) = (.schema(address), address.description)
            } catch {
                throw CommandFailure("\(option): \(error.description)")
            }
        } else {
            throw CommandFailure("\(option): give sqlite:PATH or postgres://user@host/database?schema=name")
        }
    }

    static func == (left: DatabaseName, right: DatabaseName) -> Bool { left.description == right.description }

    /// - Parameter mayCreate: whether it need not be there: a misspelt source must not become an empty tenant.
    func open(_ option: String, mayCreate: Bool) async throws -> any SQLDatabase {
        do {
            return try await open(mayCreate: mayCreate)
        } catch {
            throw CommandFailure("\(option): \(error)")
        }
    }

    private func open(mayCreate: Bool) async throws -> any SQLDatabase {
        switch place {
        case .file(let file):
            let path = file.path(percentEncoded: false)
            guard mayCreate || FileManager.default.fileExists(atPath: path) else {
                throw CommandFailure("there is no file \(path).")
            }
            guard mayCreate || (try? Data(contentsOf: file, options: .alwaysMapped).isEmpty) == false else {
                throw CommandFailure("there is no tenant in the empty file \(path).")
            }
            umask(0o077)
            return try SQLiteDatabase(file: file)
        case .schema(let address): return try await PostgresDatabase.open(address, mayCreate: mayCreate)
        }
    }
}
