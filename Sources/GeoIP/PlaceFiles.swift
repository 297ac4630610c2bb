import AuthorizationServer
import Foundation
import Logging
import Synchronization

/// Where addresses are, by the files that the operator names: a database of cities, one of autonomous systems, or both. A file that
/// changes is read anew; while it cannot be, what it said before stands.
package final class PlaceFiles: AddressPlaces {
    private let files: [PlaceFile]

    /// - Parameter paths: databases in MaxMind's format; of what several say the first one's word counts.
    /// - Throws: a description of the first that cannot be read.
    package init(_ paths: [String], logger: Logger) throws {
        files = try paths.map { try PlaceFile($0, logger: logger) }
    }

    /// What the files say of an address; nil where none says anything.
    package func place(of address: String) -> AddressPlace? {
        var place = AddressPlace()
        for file in files { file.database().read(address) { place.take(&$0) } }
        return place == AddressPlace() ? nil : place
    }
}

/// A database's file, and what it said when it was last read.
private final class PlaceFile: Sendable {
    /// What tells that a file is another than it was.
    private struct Mark: Equatable {
        let size: Int?
        let changedAt: Date?
        let number: Int?

        init(_ path: String) {
            let attributes = try? FileManager.default.attributesOfItem(
                atPath: URL(filePath: path).resolvingSymlinksInPath().path(percentEncoded: false))
            size = (attributes?[.size] as? NSNumber)?.intValue
            changedAt = attributes?[.modificationDate] as? Date
            number = (attributes?[.systemFileNumber] as? NSNumber)?.intValue
        }
    }

    private struct State {
        var database: PlaceDatabase
        var mark: Mark
        var lookedAt: ContinuousClock.Instant
    }

    private let path: String
    private let logger: Logger
    private let state: Mutex<State>
    /// The file is looked at so often at most.
    private static let interval = Duration.seconds(1)

    init(_ path: String, logger: Logger) throws {
        (self.path, self.logger) = (path, logger)
        let mark = Mark(path)
        state = Mutex(State(database: try PlaceDatabase(path), mark: mark, lookedAt: .now))
    }

    /// As the file is now, or was while it could be read.
    func database() -> PlaceDatabase {
        state.withLock { state in
            guard state.lookedAt.duration(to: .now) >= Self.interval else { return state.database }
            state.lookedAt = .now
            let mark = Mark(path)
            guard mark != state.mark else { return state.database }
            // A file that is no database now is not tried again before it changes.
            state.mark = mark
            do {
                state.database = try PlaceDatabase(path)
                logger.info("the database of addresses was read anew", metadata: ["file": "\(path)"])
            } catch {
                logger.warning("the database of addresses stays as it was", metadata: ["cause": "\(error)"])
            }
            return state.database
        }
    }
}

extension AddressPlace {
    /// Takes in what a database says and no other has said before.
    fileprivate mutating func take(_ entry: inout PlaceDatabase.Entry) {
        cityName = cityName ?? entry.text("city", "names", "en")
        continentCode = continentCode ?? entry.text("continent", "code")
        countryCode = countryCode ?? entry.text("country", "iso_code")
        countryName = countryName ?? entry.text("country", "names", "en")
        latitude = latitude ?? entry.number("location", "latitude")
        longitude = longitude ?? entry.number("location", "longitude")
        subdivisionCode = subdivisionCode ?? entry.text("subdivisions", "0", "iso_code")
        subdivisionName = subdivisionName ?? entry.text("subdivisions", "0", "names", "en")
        timeZone = timeZone ?? entry.text("location", "time_zone")
        system = system ?? entry.number("autonomous_system_number").flatMap(UInt32.init(exactly:))
    }
}
