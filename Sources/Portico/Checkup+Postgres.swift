import Foundation
import Storage

/// What `portico doctor` thinks of a PostgreSQL server.
struct PostgresCheckup {
    let facts: PostgresFacts
    let address: PostgresAddress
    let isDevelopment: Bool

    private typealias Finding = DoctorCommand.Finding

    func findings() -> [DoctorCommand.Finding] {
        [server, privileges, durability, isolation, transport, connections, clock]
    }

    private var server: DoctorCommand.Finding {
        Finding(grade: .good, text: "PostgreSQL: \(facts.version) at \(address)")
    }

    private var privileges: DoctorCommand.Finding {
        guard facts.forbiddenTables.isEmpty else {
            return Finding(
                grade: .bad,
                text:
                    "privileges: this user may not read and write \(facts.forbiddenTables.joined(separator: ", ")). Mend with: "
                    + "ALTER TABLE … OWNER TO …, for each")
        }
        return facts.mayCreateTables
            ? Finding(grade: .good, text: "privileges: all tables can be read and written, and new ones made")
            : Finding(
                grade: .warning,
                text:
                    "privileges: this user may not make tables in schema \(address.schema), so updates of Portico will not "
                    + "start. Mend with: GRANT CREATE ON SCHEMA \(address.schema) TO …")
    }

    private var durability: DoctorCommand.Finding {
        if !facts.hasFsync || !facts.hasFullPageWrites {
            let name = facts.hasFsync ? "full_page_writes" : "fsync"
            return Finding(
                grade: isDevelopment ? .warning : .bad,
                text:
                    "durability: \(name) is off, so a crash of the machine can damage the database beyond repair. Set "
                    + "\(name) = on in postgresql.conf")
        }
        return Finding(
            grade: .good, text: "durability: commits wait for the disk (synchronous_commit \(facts.synchronousCommit))")
    }

    private var isolation: DoctorCommand.Finding {
        let own = "writes are read committed with locks, reads repeatable read"
        return facts.standardIsolation == "read committed"
            ? Finding(grade: .good, text: "isolation: \(own)")
            : Finding(
                grade: .good,
                text: "isolation: \(own); the server's standard, \(facts.standardIsolation), is not used")
    }

    private var transport: DoctorCommand.Finding {
        if let tls = facts.tls { return Finding(grade: .good, text: "transport: \(tls)") }
        if facts.isLocal { return Finding(grade: .good, text: "transport: in clear, on this machine") }
        return Finding(
            grade: isDevelopment ? .warning : .bad,
            text:
                "transport: passwords' hashes and sessions cross the network in clear. Turn ssl on in postgresql.conf, and "
                + "end the address with ?sslmode=verify-full&sslrootcert=FILE")
    }

    private var connections: DoctorCommand.Finding {
        let most = facts.maxConnections - facts.reservedConnections
        let text =
            "connections: \(address.connections) and one that listens, for each node; the server has \(most), "
            + "\(facts.openConnections) open now"
        guard address.connections + 1 > most else {
            let nodes = most / (address.connections + 1)
            return Finding(grade: .good, text: "\(text): enough for \(nodes) node\(nodes == 1 ? "" : "s")")
        }
        return Finding(
            grade: .bad,
            text: "\(text). Raise max_connections there, or lower PORTICO_DATABASE_CONNECTIONS")
    }

    private var clock: DoctorCommand.Finding {
        let difference = abs(facts.clockAhead)
        let text =
            "server's clock: \(String(format: "%.1f", difference)) s \(facts.clockAhead < 0 ? "behind" : "ahead of") this machine's"
        return difference < 2
            ? Finding(grade: .good, text: text)
            : Finding(
                grade: difference < 30 ? .warning : .bad,
                text: "\(text): set both (timedatectl set-ntp true); expiry times depend on the nodes' clocks")
    }
}
