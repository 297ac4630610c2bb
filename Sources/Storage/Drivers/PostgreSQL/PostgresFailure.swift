import CLibPQ
import Foundation

/// Why a trip to the server failed, in the driver's own words; ``SQLError`` is what the stores hear.
enum PostgresFailure: Error {
    /// No connection could be made.
    case unreachable(String)
    /// The connection ended after statements were sent.
    case lost(String)
    /// The server has not answered in time; whatever it does with the statements, nobody waits for it.
    case silent
    /// The server refused a statement.
    case refused(state: String, message: String, constraint: String?)
    /// An earlier statement of the same trip failed.
    case skipped

    init(_ result: OpaquePointer, isConnected: Bool) {
        func field(_ code: Character) -> String? {
            PQresultErrorField(result, Int32(code.asciiValue ?? 0)).map { String(cString: $0) }
        }
        let message = field("M") ?? PQresultErrorMessage(result).map { String(cString: $0) } ?? ""
        guard let state = field("C") else {
            self = .lost(message.trimmingCharacters(in: .whitespacesAndNewlines))
            return
        }
        // The server ends the session with these (shutdown, crash of another session, drop of the database).
        let ends = !isConnected || state.hasPrefix("57P") || state.hasPrefix("08") || field("V") == "FATAL"
        self = ends ? .lost(message) : .refused(state: state, message: message, constraint: field("n"))
    }

    /// Whether nothing more will be heard on the connection.
    var endsConnection: Bool {
        switch self {
        case .lost, .silent: true
        case .unreachable, .refused, .skipped: false
        }
    }

    /// Whether a transaction that was not asked to commit may well succeed when it is run again.
    var mayBeRunAgain: Bool {
        // Serialization failure, deadlock.
        if case .refused("40001", _, _) = self { return true }
        if case .refused("40P01", _, _) = self { return true }
        return isOfConnection
    }

    /// Whether the server is there, but lets nobody more in.
    var isForWantOfConnections: Bool {
        guard case .unreachable(let message) = self else { return false }
        return ["too many clients", "remaining connection slots", "too many connections for"].contains {
            message.contains($0)
        }
    }

    /// Whether a statement tried to write where nothing may be written.
    var isReadOnly: Bool { if case .refused("25006", _, _) = self { true } else { false } }

    /// Whether another connection would do what this one cannot.
    var isOfConnection: Bool {
        switch self {
        case .lost, .silent: return true
        case .unreachable, .skipped: return false
        case .refused(let state, let message, _):
            return switch state {
            // A read-only transaction: the server has become a standby.
            case "25006": true
            // The server has forgotten a prepared statement, or a migration has changed what it returns.
            case "26000": true
            case "0A000": message.contains("cached plan") || message.contains("during recovery")
            default: false
            }
        }
    }
}

extension SQLError {
    /// The shared word for a failure, with what to do where an operator can do something.
    init(_ failure: PostgresFailure) {
        switch failure {
        case .unreachable(let message): self = .unavailable(Self.mend(unreachable: message))
        case .lost(let message):
            self = .unavailable(
                "The connection to PostgreSQL ended: \(Self.sentence(message)) Look into the server's log.")
        case .silent:
            self = .unavailable("PostgreSQL does not answer in time; look at the server's load and the network.")
        case .skipped: self = .failed("a statement before this one failed")
        case .refused(let state, let message, let constraint):
            self = Self.refusal(state, message, constraint)
        }
    }

    private static func refusal(_ state: String, _ message: String, _ constraint: String?) -> SQLError {
        switch state {
        case "23505": .uniqueViolation(constraint ?? message)
        case "23503": .foreignKeyViolation
        case "54000", "22021", "22P05": .unstorableText
        case "53100": .unavailable("PostgreSQL's disk is full: \(message). Free some space there.")
        case "53200": .unavailable("PostgreSQL is out of memory: \(message). Give it more, or lower its work_mem.")
        case "53300": .unavailable(tooManyConnections)
        case "55P03":
            .unavailable("Another transaction has held a lock for five seconds; look for it in pg_stat_activity.")
        case "57014":
            .unavailable("PostgreSQL took too long for a statement and gave it up; look at the server's load.")
        case "40001", "40P01":
            .unavailable("PostgreSQL undid a transaction again and again for others' sake; the load may be too high.")
        case "25006": .unavailable(readOnly)
        case "42501" where message.contains("permission denied for database"):
            .unavailable(
                "PostgreSQL does not let this user make the tenant's schema: \(message). Let it: "
                    + "GRANT CREATE ON DATABASE … TO … (or make the schema: CREATE SCHEMA … AUTHORIZATION …)")
        // 3F000: a schema that one may not use is none.
        case "42501", "3F000":
            .unavailable(
                "PostgreSQL does not allow this user that: \(message). Use the address of who owns the schema, "
                    + "or hand over schema and tables: ALTER SCHEMA … OWNER TO … and ALTER TABLE … OWNER TO …")
        default: .failed("\(state): \(message)")
        }
    }

    private static let tooManyConnections =
        "PostgreSQL has no connection left. Raise its max_connections, or lower PORTICO_DATABASE_CONNECTIONS."
    private static let connectionLimit =
        "Raise the CONNECTION LIMIT of the role or the database, or lower PORTICO_DATABASE_CONNECTIONS."
    static let readOnly =
        "The database is read-only: a standby, or default_transaction_read_only is on. Give all hosts in the address, "
        + "so that the primary is found: postgres://host1,host2/…"

    /// libpq breaks its messages into lines, and ends some with a full stop or a question mark.
    private static func sentence(_ message: String) -> String {
        let line = message.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return line.hasSuffix(".") || line.hasSuffix("?") ? line : line + "."
    }

    /// libpq's message with the mend of what it most often means.
    private static func mend(unreachable message: String) -> String {
        let mends = [
            ("password authentication failed", "Check the user and the password in PORTICO_DATABASE_URL."),
            ("no password supplied", "Put the password into PORTICO_DATABASE_URL: postgres://user:password@host/…"),
            (
                "no pg_hba.conf entry",
                "Allow this user and address in the server's pg_hba.conf; if it allows them with TLS only, add sslmode=require "
                    + "to the address."
            ),
            ("too many connections for", connectionLimit),
            ("permission denied for database", "Let this user in: GRANT CONNECT ON DATABASE … TO …"),
            ("not permitted to log in", "Let this user in: ALTER ROLE … LOGIN"),
            ("role \"", "Create the user: CREATE ROLE … LOGIN PASSWORD '…'"),
            ("database \"", "Create the database: CREATE DATABASE … OWNER …"),
            ("remaining connection slots", tooManyConnections),
            ("too many clients", tooManyConnections),
            ("session is read-only", readOnly),
            ("server is in hot standby mode", readOnly),
            ("does not match host name", "Give the host by a name that its certificate has."),
            ("root certificate file", "Correct sslrootcert in the address."),
            ("certificate verify failed", "Give the authority's certificate: …?sslmode=verify-full&sslrootcert=FILE"),
            ("does not support SSL", "Turn ssl on in postgresql.conf, or ask for less with sslmode in the address."),
            ("Connection refused", "Start PostgreSQL, or correct host and port in PORTICO_DATABASE_URL."),
            ("option \"port\"", "Correct the port in PORTICO_DATABASE_URL."),
            ("invalid port number", "Correct the port in PORTICO_DATABASE_URL."),
            ("could not translate host name", "Correct the host's name in PORTICO_DATABASE_URL."),
            ("timeout expired", "Check that the host is up and that no firewall is between."),
            ("starting up", "PostgreSQL is starting; wait a moment."),
            ("in recovery mode", "PostgreSQL is recovering from a crash; wait a moment."),
            ("not yet accepting connections", "PostgreSQL is recovering from a crash; wait a moment."),
            ("shutting down", "PostgreSQL is being stopped; start it again."),
        ]
        let mend = mends.first { message.contains($0.0) }?.1 ?? "Check PORTICO_DATABASE_URL and the server."
        return "PostgreSQL cannot be reached: \(sentence(message)) \(mend)"
    }
}
