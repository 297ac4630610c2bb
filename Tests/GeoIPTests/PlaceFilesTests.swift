import AuthorizationServer
import Foundation
import GeoIP
import Logging
import Testing

@Suite("Databases that say where addresses are")
struct PlaceFilesTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private static func city(_ name: String) -> PlaceDatabaseWriter.Value {
        .map([
            ("city", .map([("names", .map([("de", .text("\(name) auf Deutsch")), ("en", .text(name))]))])),
            ("continent", .map([("code", .text("EU"))])),
            ("country", .map([("iso_code", .text("DE")), ("names", .map([("en", .text("Germany"))]))])),
            (
                "location",
                .map([
                    ("latitude", .double(52.5)), ("longitude", .double(-13.25)), ("time_zone", .text("Europe/Berlin")),
                ])
            ),
            (
                "subdivisions",
                .list([
                    .map([("iso_code", .text("BE")), ("names", .map([("en", .text("Land Berlin"))]))])
                ])
            ),
        ])
    }

    private static func inFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "portico places \(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder)
    }

    private static func write(_ value: PlaceDatabaseWriter.Value, to file: URL) throws {
        try PlaceDatabaseWriter.database([192, 0, 2], bits: 24, value).write(to: file)
    }

    @Test("A city's and a system's database are one answer; other addresses, and what is none, have no place")
    func places() async throws {
        try await Self.inFolder { folder in
            let (cities, systems) = (folder.appending(path: "city.mmdb"), folder.appending(path: "asn.mmdb"))
            try Self.write(Self.city("Berlin"), to: cities)
            try Self.write(.map([("autonomous_system_number", .number(64500))]), to: systems)
            let files = try PlaceFiles(
                [cities, systems].map { $0.path(percentEncoded: false) }, logger: Self.logger)
            let place = try #require(files.place(of: "192.0.2.77"))
            #expect(place.cityName == "Berlin" && place.continentCode == "EU" && place.countryCode == "DE")
            #expect(place.countryName == "Germany" && place.latitude == 52.5 && place.longitude == -13.25)
            #expect(place.subdivisionCode == "BE" && place.subdivisionName == "Land Berlin")
            #expect(place.timeZone == "Europe/Berlin" && place.system == 64500)
            for other in ["192.0.3.1", "2001:db8::1", "localhost", "", "192.0.2"] {
                #expect(files.place(of: other) == nil, "\(other)")
            }
        }
    }

    @Test("Of what a database has in another shape nothing is taken")
    func otherShapes() async throws {
        try await Self.inFolder { folder in
            let file = folder.appending(path: "odd.mmdb")
            try Self.write(
                .map([
                    ("city", .text("Berlin")), ("country", .map([("iso_code", .number(7))])),
                    ("location", .map([("latitude", .text("52.5"))])), ("subdivisions", .list([])),
                    ("autonomous_system_number", .double(-1)), ("continent", .map([("code", .text("EU"))])),
                ]), to: file)
            var expected = AddressPlace()
            expected.continentCode = "EU"
            let files = try PlaceFiles([file.path(percentEncoded: false)], logger: Self.logger)
            #expect(files.place(of: "192.0.2.1") == expected)
        }
    }

    @Test("A file that changes is read anew; while it is no database, what it said stands")
    func reload() async throws {
        try await Self.inFolder { folder in
            let file = folder.appending(path: "city.mmdb")
            try Self.write(Self.city("Berlin"), to: file)
            let files = try PlaceFiles([file.path(percentEncoded: false)], logger: Self.logger)
            // Written over in its place, and shorter: what has it mapped would be ended by reading on.
            try Data("no database".utf8).write(to: file)
            try await Self.wait(milliseconds: 1100)
            #expect(files.place(of: "192.0.2.1")?.cityName == "Berlin")
            try Self.write(Self.city("Potsdam"), to: file)
            for _ in 0..<600 where files.place(of: "192.0.2.1")?.cityName != "Potsdam" {
                try await Self.wait(milliseconds: 50)
            }
            #expect(files.place(of: "192.0.2.1")?.cityName == "Potsdam")
        }
    }

    private static func wait(milliseconds: Int) async throws { try await Task.sleep(for: .milliseconds(milliseconds)) }

    @Test("A file that is not there, or no database, is named at the start")
    func refused() async throws {
        try await Self.inFolder { folder in
            let file = folder.appending(path: "text.mmdb").path(percentEncoded: false)
            for text in [nil, "no database"] as [String?] {
                if let text { try Data(text.utf8).write(to: URL(filePath: file)) }
                do {
                    _ = try PlaceFiles([file], logger: Self.logger)
                    Issue.record("it was opened")
                } catch {
                    #expect("\(error)".contains(file))
                }
            }
        }
    }
}
