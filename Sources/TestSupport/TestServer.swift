import AuthorizationServer
import Connections
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOFoundationEssentialsCompat
import OAuth
import Outbound
import Scripting
import Storage
import StorageTesting
import Web

/// The whole server in this process: the real router over a real database in a folder of its own.
package struct TestServer: Sendable {
    package let services: Services
    package let clock: TestClock
    package let client: any TestClientProtocol

    package static let issuer = "https://login.example.com/"
    static let secret = ServerSecret("a secret for tests that has more than thirty-two characters")

    /// The real client for outgoing requests; it may ask this machine, by http too.
    private static let outbound = Result { try GuardedHTTPClient(allowsLoopback: true) }

    /// Starts a server with `fixtures`, and ends it after `body`.
    package static func run(
        _ fixtures: Fixtures = Fixtures(), isDevelopment: Bool = true,
        passwords: PasswordHasher = PasswordHasher(threads: 2), outbound: (any OutboundHTTP)? = nil,
        mailTransport: any MailTransport = NoMailTransport(), proxy: TestProxy? = nil,
        scripts: any ScriptEngine = TestWorkers.pool, places: any AddressPlaces = NoAddressPlaces(),
        _ body: @Sendable (TestServer) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "portico-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await ScratchDatabase.run(folder: folder) { scratch in
            let database = try await scratch.open()
            defer { try? database.close() }
            try await Migrations.run(on: database)
            try await run(
                fixtures, on: database, isDevelopment: isDevelopment, passwords: passwords,
                outbound: outbound ?? Self.outbound.get(), mailTransport: mailTransport, proxy: proxy,
                scripts: scripts, places: places, body)
        }
    }

    private static func run(
        _ fixtures: Fixtures, on database: any SQLDatabase, isDevelopment: Bool, passwords: PasswordHasher,
        outbound: any OutboundHTTP, mailTransport: any MailTransport, proxy: TestProxy?, scripts: any ScriptEngine,
        places: any AddressPlaces, _ body: @Sendable (TestServer) async throws -> Void
    ) async throws {
        let clock = TestClock()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let services = Services(
            issuer: try Issuer(issuer), stores: Stores(database: database), secret: secret,
            passwords: passwords, outbound: outbound,
            strategies: Strategies.all(and: [StandInStrategy()]), mutualTLS: try proxy?.mutualTLS,
            keepsMail: isDevelopment, mailTransport: mailTransport,
            breachedPasswordSource: BreachedPasswordAPI(
                outbound: outbound, address: "https://breached.example.com/range/"),
            scripts: scripts, places: places, logger: logger,
            now: { clock.now })
        try await SystemAPI.prepare(services.stores, issuer: services.issuer, moves: true)
        try await fixtures.write(to: services)
        try await services.configuration.refresh()
        let router = try buildRouter(
            services: services,
            configuration: WebConfiguration(
                isDevelopment: isDevelopment, trustedProxies: proxy?.trusted ?? [],
                clientCertificates: proxy?.headers))
        // Requests have a peer only where they come over a connection.
        try await Application(router: router, logger: logger).test(proxy == nil ? .router : .live) { client in
            try await body(TestServer(services: services, clock: clock, client: client))
        }
    }

    /// Posts a form.
    package func post(
        _ path: String, form: [(String, String)], headers: HTTPFields = [:]
    ) async throws -> TestResponse {
        try await post(
            path, formText: form.map { "\($0.0.formEncoded)=\($0.1.formEncoded)" }.joined(separator: "&"),
            headers: headers)
    }

    /// Posts text as a form, whatever it is.
    package func post(_ path: String, formText: String, headers: HTTPFields = [:]) async throws -> TestResponse {
        var headers = headers
        headers[.contentType] = "application/x-www-form-urlencoded"
        return try await client.execute(
            uri: path, method: .post, headers: headers, body: ByteBuffer(string: formText))
    }

    /// Posts JSON text.
    package func post(_ path: String, json: String, headers: HTTPFields = [:]) async throws -> TestResponse {
        var headers = headers
        headers[.contentType] = "application/json"
        return try await client.execute(uri: path, method: .post, headers: headers, body: ByteBuffer(string: json))
    }

    /// Gets an address without a browser's cookies.
    package func get(_ path: String, headers: HTTPFields = [:]) async throws -> TestResponse {
        try await client.execute(uri: path, method: .get, headers: headers)
    }

    /// A token request.
    package func token(_ form: (String, String)..., headers: HTTPFields = [:]) async throws -> TestResponse {
        try await post("/oauth/token", form: form, headers: headers)
    }
}

extension TestResponse {
    package var text: String { String(buffer: body) }

    /// The members of a JSON answer.
    package func json() throws -> JSONObject { try JSON.decode(JSONObject.self, from: Data(buffer: body)) }

    package var location: String? { headers[.location] }

    /// A parameter of the query of `Location`.
    package func query(_ name: String) -> String? { location.flatMap { $0.parameter(name, after: "?") } }

    /// A parameter of the fragment of `Location`.
    package func fragment(_ name: String) -> String? { location.flatMap { $0.parameter(name, after: "#") } }
}

extension String {
    /// This text as a value of a form or query.
    package var formEncoded: String {
        addingPercentEncoding(
            withAllowedCharacters: CharacterSet(
                charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")) ?? ""
    }

    fileprivate func parameter(_ name: String, after separator: Character) -> String? {
        guard let start = firstIndex(of: separator) else { return nil }
        let part = self[index(after: start)...]
        for pair in (separator == "?" ? part.prefix { $0 != "#" } : part).split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if sides[0] == name { return sides.count == 2 ? sides[1].removingPercentEncoding : "" }
        }
        return nil
    }

    /// The claims of a JSON Web Token, unverified.
    package var claims: JSONObject {
        let parts = split(separator: ".")
        guard parts.count == 3, let bytes = Base64URL.decode(parts[1]) else { return [:] }
        return (try? JSON.decode(JSONObject.self, from: Data(bytes))) ?? [:]
    }

    /// The header of a JSON Web Token.
    package var tokenHeader: JSONObject {
        guard let bytes = Base64URL.decode(prefix { $0 != "." }) else { return [:] }
        return (try? JSON.decode(JSONObject.self, from: Data(bytes))) ?? [:]
    }
}
