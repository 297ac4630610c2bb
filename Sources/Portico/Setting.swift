/// A key of the configuration: its flag, its environment variable, its line in the configuration file, documented once.
enum Setting: String, CaseIterable {
    case issuer
    case listen
    case data
    case databaseURL = "database-url"
    case databaseConnections = "database-connections"
    case mode
    case tls
    case tlsCertificate = "tls-certificate"
    case tlsKey = "tls-key"
    case trustedProxies = "trusted-proxies"
    case clientCertificateHeader = "client-certificate-header"
    case clientCertificateVerifiedHeader = "client-certificate-verified-header"
    case mtlsURL = "mtls-url"
    case outboundNetworks = "outbound-networks"
    case passwordThreads = "password-threads"
    case logLevel = "log-level"
    case logEvents = "log-events"
    case logRetention = "log-retention"
    case usersImportSize = "users-import-size"
    case breachedPasswords = "breached-passwords"
    case scriptWorkers = "script-workers"
    case scriptCPU = "script-cpu"
    case scriptTime = "script-time"
    case scriptMemory = "script-memory"
    case scriptNamespaces = "script-namespaces"
    case scriptLibrary = "script-library"
    case scriptModules = "script-modules"
    case geoIPDatabase = "geoip-database"
    case secret

    var help: String {
        switch self {
        case .issuer: "The address under which browsers and applications reach this server; the 'iss' of its tokens."
        case .listen: "The address and port to listen on."
        case .data: "The folder for the SQLite database, the server's secret and development certificates."
        case .databaseURL:
            "A PostgreSQL database in place of SQLite: postgres://user:password@host/database?schema=portico&sslmode=…; "
                + "several hosts may stand there, with commas between. Nodes that share one need the same "
                + "PORTICO_SECRET. Not as a flag, which other users of the machine could read."
        case .databaseConnections: "Connections to PostgreSQL at most, for this node."
        case .mode:
            "development (errors explain themselves) or production (errors show an id). "
                + "Standard: development for an issuer on localhost, production otherwise."
        case .tls: "Serve https; with a certificate of an own development authority unless files are given."
        case .tlsCertificate: "A certificate chain in PEM."
        case .tlsKey: "The certificate's private key in PEM."
        case .trustedProxies:
            "Proxies whose X-Forwarded-For is believed: addresses or CIDR ranges, with commas between."
        case .clientCertificateHeader:
            "The header in which a trusted proxy passes on the certificate of a client's TLS connection, such as "
                + "Client-Cert; turns mutual TLS on. The proxy must remove what clients send in it."
        case .clientCertificateVerifiedHeader:
            "The header in which the proxy says SUCCESS where it has verified the certificate's chain, which "
                + "tls_client_auth needs. The proxy must remove what clients send in it."
        case .mtlsURL:
            "Where clients show their certificates, if not at the issuer itself, such as https://mtls.example.com/; "
                + "discovery names its endpoints (mtls_endpoint_aliases)."
        case .outboundNetworks:
            "Private networks that this server may send requests to, such as a company's own applications for their "
                + "keys: addresses or CIDR ranges, with commas between. Without it, public addresses alone."
        case .passwordThreads:
            "Password hashes computed at once; each takes a core and 19 MiB. Standard: half the cores."
        case .logLevel: "trace, debug, info, notice, warning, error or critical."
        case .logEvents:
            "Where log events go beside the database, a line of JSON each: stdout, or the path of a file that is appended to."
        case .logRetention: "Days for which log events are kept in the database."
        case .usersImportSize: "Kilobytes that the file of POST /api/v2/jobs/users-imports may have."
        case .breachedPasswords:
            "Where breached password detection looks passwords up: the https address of a server that answers as Have I "
                + "Been Pwned's does, to which five digits of a password's SHA-1 are appended, or the path of a file of "
                + "SHA-1 hashes in their order, as its downloader makes it. Asked only where a tenant turns detection on."
        case .scriptWorkers:
            "Rules and actions that run at once, each in a process of its own. Standard: the cores. None is started "
                + "before the first script."
        case .scriptCPU: "Milliseconds of processor time that a rule or an action may use."
        case .scriptTime:
            "Milliseconds that a rule or an action may take on the clock, with the answers that it waits for; at most 20000."
        case .scriptMemory: "Megabytes that a rule or an action may take."
        case .scriptNamespaces:
            "false lets rules and actions run where the kernel gives their sandbox no namespaces, as in most containers, "
                + "behind the filter of system calls and the other layers."
        case .scriptModules:
            "Folders of npm packages that rules and actions may require beside Portico's own modules, with colons between, "
                + "such as /opt/portico/node_modules. Only packages of plain JavaScript can run."
        case .geoIPDatabase:
            "Databases in MaxMind's format that say where addresses are, for rules and actions: the paths of files, with colons "
                + "between, such as GeoLite2-City.mmdb:GeoLite2-ASN.mmdb. A file that changes is read anew."
        case .scriptLibrary: "The library JavaScriptCore that runs rules and actions, if not the system's."
        case .secret:
            "At least 32 random characters that seal private keys in the database. "
                + "Without it, a file 'secret' in the data folder is made and used. Environment only."
        }
    }

    /// The value where nobody gives one.
    var standard: String? {
        switch self {
        case .issuer: "http://localhost:8080/"
        case .listen: "127.0.0.1:8080"
        case .data: "./.portico"
        case .tls: "false"
        case .logLevel: "info"
        case .logRetention: "30"
        case .usersImportSize: "500"
        case .breachedPasswords: "https://api.pwnedpasswords.com/range/"
        case .databaseConnections: "10"
        case .scriptCPU: "1000"
        case .scriptTime: "10000"
        case .scriptMemory: "128"
        case .scriptNamespaces: "true"
        case .mode, .tlsCertificate, .tlsKey, .trustedProxies, .clientCertificateHeader,
            .clientCertificateVerifiedHeader,
            .mtlsURL, .outboundNetworks, .passwordThreads, .databaseURL, .logEvents, .scriptWorkers,
            .scriptLibrary, .scriptModules, .geoIPDatabase, .secret:
            nil
        }
    }

    /// `PORTICO_TLS_KEY` for `tls-key`.
    var environmentVariable: String { "PORTICO_" + rawValue.uppercased().replacing("-", with: "_") }

    /// Whether the value must not be shown, nor stand on a command line.
    var isSecret: Bool { self == .secret || self == .databaseURL }

    /// The segments of the key, `["tls", "key"]`.
    var segments: [String] { rawValue.split(separator: "-").map(String.init) }

    /// The table that `portico serve --help` shows.
    static var table: String {
        allCases.map { setting in
            let flag = setting.isSecret ? "" : "--\(setting.rawValue), "
            let standard = setting.standard.map { " [\($0)]" } ?? ""
            return "  \(flag)\(setting.environmentVariable)\(standard)\n      \(setting.help)"
        }.joined(separator: "\n")
    }
}
