import AuthorizationServer
import Connections
import Foundation
import GeoIP
import Logging
import OAuth
import Outbound
import Scripting
import Storage
import Web

/// The data folder, opened: the database with today's schema, in it or in PostgreSQL, and the server's secret.
struct Workspace: Sendable {
    let configuration: ServerConfiguration
    let stores: Stores
    let secret: ServerSecret
    let services: Services
    /// Runs rules and actions.
    let scripts: ScriptPool

    /// What is wrong with the folder, and how to mend it.
    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    /// - Throws: ``Problem``, ``Migrations/TooNew`` or ``SQLError``.
    init(configuration: ServerConfiguration, logger: Logger? = nil) async throws {
        self.configuration = configuration
        let logger = logger ?? Logger(label: "portico") { _ in SwiftLogNoOpLogHandler() }
        // The database and its log are the owner's alone.
        umask(0o077)
        try Self.makeFolder(configuration.data)
        secret = ServerSecret(try Self.secret(configuration))
        let database = try await Self.database(configuration)
        let ran = try await Migrations.run(on: database)
        try await TenantCopy.requireFinished(in: database)
        for migration in ran {
            logger.info("schema updated", metadata: ["migration": "\(migration.number) \(migration.name)"])
        }
        stores = Stores(database: database)
        try await SystemAPI.prepare(stores, issuer: configuration.issuer, moves: configuration.isIssuerTold)
        let outbound = try GuardedHTTPClient(
            allowsLoopback: configuration.isDevelopment,
            isAllowed: { [networks = configuration.outboundNetworks] address in
                networks.contains { $0.contains(address) }
            })
        scripts = configuration.scripts.pool()
        services = Services(
            issuer: configuration.issuer, stores: stores, secret: secret,
            passwords: PasswordHasher(threads: configuration.passwordThreads), outbound: outbound,
            strategies: Strategies.all(), mutualTLS: configuration.mutualTLS,
            mostImportBytes: configuration.usersImportSize * 1024, keepsMail: configuration.isDevelopment,
            mailTransport: SMTPTransport(authorities: ProcessInfo.processInfo.environment["SSL_CERT_FILE"]),
            breachedPasswordSource: Self.breachedPasswords(configuration.breachedPasswords, outbound),
            scripts: scripts, places: try Self.places(configuration.placeFiles, logger), logger: logger)
    }

    private static func places(_ files: [String], _ logger: Logger) throws -> any AddressPlaces {
        do {
            return try files.isEmpty ? NoAddressPlaces() : PlaceFiles(files, logger: logger)
        } catch {
            throw Problem(description: "\(Setting.geoIPDatabase.rawValue): \(error)")
        }
    }

    private static func breachedPasswords(_ place: String, _ outbound: any OutboundHTTP) -> any BreachedPasswordSource {
        place.contains("://")
            ? BreachedPasswordAPI(outbound: outbound, address: place)
            : BreachedPasswordFile(file: URL(filePath: place))
    }

    private static func database(_ configuration: ServerConfiguration) async throws -> any SQLDatabase {
        if let address = configuration.database { return try await PostgresDatabase.open(address) }
        return try SQLiteDatabase(file: databaseFile(configuration))
    }

    static func databaseFile(_ configuration: ServerConfiguration) -> URL {
        configuration.data.appending(path: "portico.sqlite")
    }

    private static func makeFolder(_ folder: URL) throws {
        do {
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw Problem(
                description: "The data folder \(folder.path()) cannot be made: \(error.localizedDescription) "
                    + "Give another one with --data or PORTICO_DATA.")
        }
    }

    /// The secret from the environment, or the folder's own, made at the first start.
    private static func secret(_ configuration: ServerConfiguration) throws -> String {
        if let given = configuration.secret {
            guard given.utf8.count >= 32 else {
                throw Problem(
                    description: "PORTICO_SECRET is shorter than 32 characters. Make one with: openssl rand -base64 48")
            }
            return given
        }
        return try SecretFile(file: configuration.data.appending(path: "secret")).read()
    }
}
