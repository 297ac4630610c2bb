import ArgumentParser
import AuthorizationServer
import Foundation
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import OAuth
import Scripting
import ServiceLifecycle
import Storage
import Web

/// `portico serve`.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Start the server.",
        discussion: """
            SETTINGS: a flag wins over its environment variable, that over the configuration file (--config, YAML with \
            the same names, '-' between words being a level: tls: { key: … }), that over the standard value in brackets.
            \(Setting.table)

            EXAMPLES
              portico serve --issuer http://localhost:8080/ --listen 127.0.0.1:8080
              portico serve --issuer https://localhost:8443/ --listen 127.0.0.1:8443 --tls
              PORTICO_DATA=/var/lib/portico portico serve \\
                --issuer https://login.example.com/ \\
                --listen 127.0.0.1:8080 --trusted-proxies 127.0.0.1
            """)

    @OptionGroup var options: DataOptions

    @Option(help: ArgumentHelp(stringLiteral: Setting.issuer.help))
    var issuer: String?

    @Option(help: ArgumentHelp(stringLiteral: Setting.listen.help))
    var listen: String?

    @Option(help: ArgumentHelp(stringLiteral: Setting.mode.help))
    var mode: String?

    @Flag(help: ArgumentHelp(stringLiteral: Setting.tls.help))
    var tls = false

    @Option(help: ArgumentHelp(stringLiteral: Setting.tlsCertificate.help))
    var tlsCertificate: String?

    @Option(help: ArgumentHelp(stringLiteral: Setting.tlsKey.help))
    var tlsKey: String?

    @Option(help: ArgumentHelp(stringLiteral: Setting.trustedProxies.help))
    var trustedProxies: String?

    @Option(help: ArgumentHelp(stringLiteral: Setting.clientCertificateHeader.help))
    var clientCertificateHeader: String?

    @Option(help: ArgumentHelp(stringLiteral: Setting.clientCertificateVerifiedHeader.help))
    var clientCertificateVerifiedHeader: String?

    @Option(name: .customLong("mtls-url"), help: ArgumentHelp(stringLiteral: Setting.mtlsURL.help))
    var mtlsURL: String?

    @Option(help: ArgumentHelp(stringLiteral: Setting.outboundNetworks.help))
    var outboundNetworks: String?

    @Option(help: ArgumentHelp(stringLiteral: Setting.passwordThreads.help))
    var passwordThreads: String?

    @Option(help: ArgumentHelp(stringLiteral: Setting.logLevel.help))
    var logLevel: String?

    @Option(help: ArgumentHelp(stringLiteral: Setting.logEvents.help))
    var logEvents: String?

    @Option(help: ArgumentHelp(stringLiteral: Setting.logRetention.help))
    var logRetention: String?

    @Option(help: ArgumentHelp(stringLiteral: Setting.usersImportSize.help))
    var usersImportSize: String?

    @Option(help: ArgumentHelp(stringLiteral: Setting.breachedPasswords.help))
    var breachedPasswords: String?

    @OptionGroup var scripts: ScriptOptions

    private var flags: [Setting: String] {
        var flags = options.flags.merging(scripts.flags) { $1 }
        flags[.issuer] = issuer
        flags[.listen] = listen
        flags[.mode] = mode
        flags[.tls] = tls ? "true" : nil
        flags[.tlsCertificate] = tlsCertificate
        flags[.tlsKey] = tlsKey
        flags[.trustedProxies] = trustedProxies
        flags[.clientCertificateHeader] = clientCertificateHeader
        flags[.clientCertificateVerifiedHeader] = clientCertificateVerifiedHeader
        flags[.mtlsURL] = mtlsURL
        flags[.outboundNetworks] = outboundNetworks
        flags[.passwordThreads] = passwordThreads
        flags[.logLevel] = logLevel
        flags[.logEvents] = logEvents
        flags[.logRetention] = logRetention
        flags[.usersImportSize] = usersImportSize
        flags[.breachedPasswords] = breachedPasswords
        return flags
    }

    func run() async throws {
        let configuration = try await ServerConfiguration.read(flags: flags, file: options.config)
        var logger = Logger(label: "portico")
        logger.logLevel = configuration.logLevel
        let workspace = try await Workspace(configuration: configuration, logger: logger)
        let services = workspace.services
        try await SystemAPI.prepare(workspace.stores, issuer: configuration.issuer, moves: true)
        try await services.signingKeys.makeFirst(at: services.now())
        try await services.configuration.refresh()
        // A secret that does not open the keys must end the start, not the first login.
        _ = try await services.configuration.keyRing()
        announce(configuration, logger)
        try await announceScripts(workspace, logger)
        do {
            try await application(configuration, services, logger).runService()
        } catch let error as IOError {
            throw CommandFailure(Self.explain(error, configuration))
        }
    }

    /// What to mend where the address cannot be listened on.
    private static func explain(_ error: IOError, _ configuration: ServerConfiguration) -> String {
        let address = "\(configuration.host):\(configuration.port)"
        return switch error.errnoCode {
        case EADDRINUSE:
            "Another process listens on \(address). End it (it is listed by: ss -ltnp | grep :\(configuration.port)), or "
                + "give another address with --listen."
        case EACCES:
            "This user may not listen on \(address): ports below 1024 belong to root. Give a higher one with --listen, "
                + "and let a proxy or the service manager hold the low one."
        case EADDRNOTAVAIL:
            "\(configuration.host) is no address of this machine. Give one that is with --listen, or 0.0.0.0 for all."
        default: "Listening on \(address) ended: \(error)"
        }
    }

    private func application(
        _ configuration: ServerConfiguration, _ services: Services, _ logger: Logger
    ) throws -> some ApplicationProtocol {
        let outages = OutageLog()
        let router = try buildRouter(
            services: services,
            configuration: WebConfiguration(
                isDevelopment: configuration.isDevelopment, trustedProxies: configuration.trustedProxies,
                clientCertificates: configuration.clientCertificates),
            outages: outages)
        let idle = HTTP1Channel.Configuration(idleTimeout: .seconds(75))
        return Application(
            router: router,
            server: try configuration.tls.map { tls in
                try .tls(
                    .http1(configuration: idle), tlsConfiguration: TLSFiles.configuration(tls, configuration))
            } ?? .http1(configuration: idle),
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port), serverName: "Portico"),
            services: [
                // The first is the last to end: it writes what the others leave.
                LogEventWriting(
                    services: services, sink: try configuration.logEvents.map { try LogEventLines(place: $0) }),
                ConfigurationWatch(services: services, outages: outages),
                ExpiredRowsSweep(services: services, logRetention: Double(configuration.logRetention) * 86_400),
                DueWork.logoutTokens(services), DueWork.logStreams(services),
                DueWork.jobs(services), DueWork.mail(services), DueWork.passwordResets(services),
            ],
            logger: logger)
    }

    /// Whoever has scripts hears at the start whether they can run, and not at the first login.
    private func announceScripts(_ workspace: Workspace, _ logger: Logger) async throws {
        let due = try await workspace.stores.database.read { try DueScripts(in: $0) }
        guard !due.at(ActionTrigger.allCases).isEmpty else { return }
        switch await workspace.scripts.check() {
        case .success(let report):
            for layer in report.layers {
                guard let problem = layer.problem else { continue }
                logger.warning("scripts run without \(layer.name)", metadata: ["problem": "\(problem)"])
            }
        case .failure(let failure):
            logger.error("scripts cannot run; what needs one is refused", metadata: ["reason": "\(failure)"])
        }
    }

    private func announce(_ configuration: ServerConfiguration, _ logger: Logger) {
        logger.notice(
            "Portico \(Version.text)",
            metadata: [
                "issuer": "\(configuration.issuer)", "data": "\(configuration.data.path())",
                "database": "\(configuration.database?.description ?? "SQLite")",
                "mode": "\(configuration.isDevelopment ? "development" : "production")",
            ])
        if configuration.isDevelopment {
            logger.notice("development mode: errors show their causes to everybody; never use it on a public address")
        }
        if configuration.tls != nil, !configuration.issuer.isSecure {
            logger.warning("the server answers https, but its issuer is http; set --issuer to the https address")
        }
    }
}
