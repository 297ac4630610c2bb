import Foundation
import LDAP

/// Debian's `slapd` with a small directory, on ports of its own.
final class TestDirectory: Sendable {
    /// Where the server's program is; nil where it is not installed.
    static let program = ["/usr/sbin/slapd"].first { FileManager.default.isExecutableFile(atPath: $0) }
    static let base = "dc=example,dc=org"
    static let searcher = "cn=search,dc=example,dc=org"
    /// Who is told of one entry at most.
    static let limited = "cn=limited,dc=example,dc=org"

    let folder: URL
    let plain, secure: Int
    /// Open for as long as the server is wanted: it goes with the process of the tests however that ends.
    private let lifeline = Pipe()

    struct NotStarted: Error { let log: String }

    init() async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "portico-slapd-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder.appending(path: "db"), withIntermediateDirectories: true)
        (plain, secure) = (try Self.freePort(), try Self.freePort())
        try makeCertificates()
        try Self.settings(folder).write(to: folder.appending(path: "slapd.conf"), atomically: true, encoding: .utf8)
        try Self.entries.write(to: folder.appending(path: "entries.ldif"), atomically: true, encoding: .utf8)
        let program = Self.program ?? "slapd"
        try run(program, ["-T", "add", "-f", path("slapd.conf"), "-l", path("entries.ldif")])
        let server = Process()
        server.executableURL = URL(filePath: "/bin/sh")
        server.arguments = [
            "-c", #"folder=$1; shift; "$@" & read -r _; kill -9 $!; rm -rf "$folder""#, "sh", folder.path, program,
            "-h",
            "ldap://127.0.0.1:\(plain) ldaps://127.0.0.1:\(secure)", "-f", path("slapd.conf"), "-d", "0",
        ]
        (server.standardOutput, server.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
        server.standardInput = lifeline
        try server.run()
        try lifeline.fileHandleForReading.close()
        // It listens once it accepts.
        while !Self.accepts(secure) {
            guard server.isRunning else { throw NotStarted(log: "slapd has ended") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    var authorities: String { get throws { try String(contentsOf: folder.appending(path: "ca.pem"), encoding: .utf8) } }

    /// The directory as a connection has it, over `ldaps` and searched by an account.
    func directory(
        url: String? = nil, startsTLS: Bool = true, filter: String = "(|(uid={0})(mail={0}))",
        authorities: String? = nil, password: String = "searching"
    ) throws -> Directory {
        var directory = Directory(
            address: try DirectoryAddress(url: url ?? "ldaps://127.0.0.1:\(secure)", startsTLS: startsTLS),
            base: Self.base, filter: try DirectoryFilter(filter))
        directory.authorities = try authorities ?? self.authorities
        directory.account = Directory.Account(name: Self.searcher, password: password)
        directory.attributes = ["entryUUID", "mail", "cn", "sn", "givenName", "memberOf"]
        // Longer than the slowest machine takes.
        directory.timeout = 60
        return directory
    }

    // MARK: Starting

    private func path(_ name: String) -> String { folder.appending(path: name).path }

    private func run(_ program: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        let output = Pipe()
        (process.standardError, process.standardOutput) = (output, output)
        try process.run()
        let log = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw NotStarted(log: "\(program): \(log)") }
    }

    private func makeCertificates() throws {
        let new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        for (name, subject) in [("ca", "/CN=Test authority"), ("other", "/CN=Another authority")] {
            try run(
                "/usr/bin/env",
                ["openssl"] + new + ["-subj", subject, "-keyout", path("\(name).key"), "-out", path("\(name).pem")])
        }
        try run(
            "/usr/bin/env",
            ["openssl"] + new + [
                "-subj", "/CN=directory", "-addext", "subjectAltName=IP:127.0.0.1", "-addext",
                "basicConstraints=critical,CA:FALSE", "-CA", path("ca.pem"), "-CAkey", path("ca.key"), "-keyout",
                path("server.key"), "-out", path("server.pem"),
            ])
    }

    private static func settings(_ folder: URL) -> String {
        """
        include /etc/ldap/schema/core.schema
        include /etc/ldap/schema/cosine.schema
        include /etc/ldap/schema/inetorgperson.schema
        modulepath /usr/lib/ldap
        moduleload back_mdb
        moduleload memberof
        TLSCACertificateFile \(folder.path)/ca.pem
        TLSCertificateFile \(folder.path)/server.pem
        TLSCertificateKeyFile \(folder.path)/server.key
        # An empty password binds as nobody here, as in directories that were set up long ago.
        allow bind_anon_cred
        disallow bind_anon
        require authc
        database mdb
        suffix "\(base)"
        directory \(folder.path)/db
        maxsize 10485760
        overlay memberof
        limits dn.exact="\(limited)" size.soft=1 size.hard=soft
        access to attrs=userPassword by anonymous auth by * none
        access to * by dn="\(searcher)" read by dn="\(limited)" read by self read by anonymous auth
        """
    }

    /// The password of everybody is their name and `'s password`.
    private static let entries = """
        dn: dc=example,dc=org
        objectClass: dcObject
        objectClass: organization
        dc: example
        o: Example

        dn: cn=search,dc=example,dc=org
        objectClass: organizationalRole
        objectClass: simpleSecurityObject
        cn: search
        userPassword: searching

        dn: cn=limited,dc=example,dc=org
        objectClass: organizationalRole
        objectClass: simpleSecurityObject
        cn: limited
        userPassword: searching

        dn: uid=jane,dc=example,dc=org
        objectClass: inetOrgPerson
        uid: jane
        cn: Jane Doe
        sn: Doe
        givenName: Jane
        mail: jane@example.org
        userPassword: jane's password

        dn: uid=joe,dc=example,dc=org
        objectClass: inetOrgPerson
        uid: joe
        cn: Joe Bloggs
        sn: Bloggs
        mail: shared@example.org
        userPassword: joe's password

        dn: uid=jim,dc=example,dc=org
        objectClass: inetOrgPerson
        uid: jim
        cn: Jim Bloggs
        sn: Bloggs
        mail: shared@example.org
        userPassword: jim's password

        dn: cn=Sales,dc=example,dc=org
        objectClass: groupOfNames
        cn: Sales
        member: uid=jane,dc=example,dc=org

        dn: cn=Everybody,dc=example,dc=org
        objectClass: groupOfNames
        cn: Everybody
        member: uid=jane,dc=example,dc=org
        member: uid=joe,dc=example,dc=org

        dn: ou=elsewhere,dc=example,dc=org
        objectClass: referral
        objectClass: extensibleObject
        ou: elsewhere
        ref: ldap://localhost:1/ou=elsewhere,dc=example,dc=org

        """
}
