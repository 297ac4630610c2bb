import AuthorizationServer
import Configuration
import Foundation
import Logging
import OAuth
import Storage
import SystemPackage
import Web

/// Everything that a start of the server is told: flags, then the environment, then the configuration file, then the
/// standard values of ``Setting``.
struct ServerConfiguration: Sendable {
    let issuer: Issuer
    /// Whether somebody told the issuer: a command without one has the standard's, which need not be the server's.
    let isIssuerTold: Bool
    let host: String
    let port: Int
    let data: URL
    /// The PostgreSQL database; nil for SQLite in the data folder.
    let database: PostgresAddress?
    let isDevelopment: Bool
    let tls: TLS?
    let trustedProxies: [AddressRange]
    /// Where the proxies put clients' certificates; nil where mutual TLS is off.
    let clientCertificates: ClientCertificateHeaders?
    /// What the server knows of clients' certificates; nil where mutual TLS is off.
    let mutualTLS: MutualTLS?
    /// Private networks that may be asked.
    let outboundNetworks: [AddressRange]
    let passwordThreads: Int
    let logLevel: Logger.Level
    /// `stdout` or the path of a file; nil where log events go to the database alone.
    let logEvents: String?
    /// Days.
    let logRetention: Int
    /// Kilobytes that a users-import job's file may have.
    let usersImportSize: Int
    /// An address, or the path of a file.
    let breachedPasswords: String
    /// Files that say where addresses are.
    let placeFiles: [String]
    /// How rules and actions run.
    let scripts: ScriptConfiguration
    /// The server's secret from the environment; nil for the one in the data folder.
    let secret: String?

    enum TLS: Sendable {
        case development
        case files(certificate: String, key: String)
    }

    /// - Parameter flags: what the command line gives.
    /// - Throws: ``CommandFailure`` that names the setting and what it takes.
    static func read(flags: [Setting: String], file: String?) async throws -> ServerConfiguration {
        var providers: [any ConfigProvider] = [
            InMemoryProvider(
                name: "command line",
                values: Dictionary(
                    uniqueKeysWithValues: flags.map { setting, value in
                        (AbsoluteConfigKey(setting.segments), ConfigValue(.string(value), isSecret: false))
                    })),
            EnvironmentVariablesProvider(
                secretsSpecifier: .specific(
                    Set(Setting.allCases.filter(\.isSecret).map(\.environmentVariable)))
            ).prefixKeys(with: "portico"),
        ]
        if let file { providers.append(try await FileProvider<YAMLSnapshot>(filePath: FilePath(file))) }
        return try ServerConfiguration(reader: ConfigReader(providers: providers))
    }

    private init(reader: ConfigReader) throws {
        func told(_ setting: Setting) -> String? {
            let found = reader.string(forKey: ConfigKey(setting.segments), isSecret: setting.isSecret)
            return found.flatMap { $0.isEmpty ? nil : $0 }
        }
        func value(_ setting: Setting) -> String? { told(setting) ?? setting.standard }
        issuer = try Self.parse(.issuer, value(.issuer)) { text in try Issuer(text) }
        isIssuerTold = told(.issuer) != nil
        (host, port) = try Self.parse(.listen, value(.listen), Self.address)
        data = URL(filePath: value(.data) ?? ".", directoryHint: .isDirectory).absoluteURL
        database = try Self.database(value(.databaseURL), connections: value(.databaseConnections))
        isDevelopment = try Self.isDevelopment(value(.mode), issuer)
        tls = try Self.tls(value(.tls), certificate: value(.tlsCertificate), key: value(.tlsKey))
        trustedProxies = try Self.ranges(.trustedProxies, value(.trustedProxies))
        clientCertificates = try Self.clientCertificates(
            value(.clientCertificateHeader), verified: value(.clientCertificateVerifiedHeader),
            trustedProxies: trustedProxies)
        let mtlsURL = try value(.mtlsURL).map { try Self.parse(.mtlsURL, $0) { text in try Issuer(text) } }
        guard mtlsURL == nil || clientCertificates != nil else {
            throw CommandFailure("mtls-url: needs client-certificate-header, where its proxy puts certificates")
        }
        mutualTLS = clientCertificates.map { MutualTLS(verifiesChains: $0.hasVerdict, host: mtlsURL) }
        outboundNetworks = try Self.ranges(.outboundNetworks, value(.outboundNetworks))
        let cores = ProcessInfo.processInfo.activeProcessorCount
        passwordThreads = try Self.parse(.passwordThreads, value(.passwordThreads) ?? "\(max(1, cores / 2))") { text in
            Int(text).flatMap { (1...256).contains($0) ? $0 : nil }
        }
        logLevel = try Self.parse(.logLevel, value(.logLevel)) { Logger.Level(rawValue: $0) }
        logEvents = value(.logEvents)
        logRetention = try Self.parse(.logRetention, value(.logRetention)) { text in
            Int(text).flatMap { (1...3650).contains($0) ? $0 : nil }
        }
        usersImportSize = try Self.parse(.usersImportSize, value(.usersImportSize)) { text in
            Int(text).flatMap { (1...1_048_576).contains($0) ? $0 : nil }
        }
        breachedPasswords = try Self.parse(.breachedPasswords, value(.breachedPasswords)) { text in
            guard text.contains("://") else {
                return FileManager.default.isReadableFile(atPath: text) ? text : nil
            }
            return text.hasPrefix("http") && text.hasSuffix("/") ? text : nil
        }
        placeFiles = (value(.geoIPDatabase) ?? "").split(separator: ":").map(String.init)
        scripts = try ScriptConfiguration(value)
        secret = value(.secret)
    }

    static func parse<T>(_ setting: Setting, _ text: String?, _ parse: (String) throws -> T?) throws -> T {
        let text = text ?? ""
        do {
            if let value = try parse(text) { return value }
        } catch let problem as Issuer.Problem {
            throw CommandFailure("\(setting.rawValue): \(problem.description)")
        }
        throw CommandFailure("\(setting.rawValue): '\(text)' is not valid. \(setting.help)")
    }

    private static func ranges(_ setting: Setting, _ list: String?) throws -> [AddressRange] {
        try (list ?? "").split(separator: ",").map { text in
            let text = text.trimmed
            guard let range = AddressRange(text) else {
                throw CommandFailure("\(setting.rawValue): '\(text)' is no address or CIDR range such as 10.0.0.0/8")
            }
            return range
        }
    }

    private static func clientCertificates(
        _ header: String?, verified: String?, trustedProxies: [AddressRange]
    ) throws -> ClientCertificateHeaders? {
        guard let header else {
            guard verified == nil else {
                throw CommandFailure("client-certificate-verified-header: needs client-certificate-header beside it")
            }
            return nil
        }
        guard let headers = ClientCertificateHeaders(certificate: header, verdict: verified) else {
            throw CommandFailure(
                "client-certificate-header: '\(header)' and '\(verified ?? "")' must be two names of headers, such as "
                    + "Client-Cert and Client-Cert-Verified")
        }
        guard !trustedProxies.isEmpty else {
            throw CommandFailure(
                "client-certificate-header: needs trusted-proxies: nobody else's certificates are believed")
        }
        return headers
    }

    private static func database(_ url: String?, connections: String?) throws -> PostgresAddress? {
        let most = try parse(.databaseConnections, connections) { text in
            Int(text).flatMap { (1...1000).contains($0) ? $0 : nil }
        }
        guard let url else { return nil }
        do {
            return try PostgresAddress(url, connections: most)
        } catch {
            throw CommandFailure("\(Setting.databaseURL.environmentVariable): \(error.description)")
        }
    }

    private static func address(_ text: String) -> (String, Int)? {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65535).contains(port)
        else { return nil }
        let host = text[..<colon].trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        return (host.isEmpty ? "0.0.0.0" : host, port)
    }

    private static func isDevelopment(_ mode: String?, _ issuer: Issuer) throws -> Bool {
        switch mode {
        case "development": return true
        case "production": return false
        case nil:
            let host = issuer.domain.prefix { $0 != ":" }
            return host == "localhost" || host == "127.0.0.1" || issuer.domain.hasPrefix("[::1]")
        default: throw CommandFailure("mode: '\(mode ?? "")' is neither development nor production")
        }
    }

    private static func tls(_ switched: String?, certificate: String?, key: String?) throws -> TLS? {
        switch (certificate, key) {
        case (let certificate?, let key?): return .files(certificate: certificate, key: key)
        case (nil, nil): return ["true", "1", "yes"].contains(switched) ? .development : nil
        default: throw CommandFailure("tls-certificate and tls-key: give both, or neither")
        }
    }
}
