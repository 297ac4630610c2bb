import OAuth

/// What sends the tenant's mail: Auth0's e-mail provider. Of those that Auth0 knows this is SMTP, which the others speak as
/// well. The password is not part of it: it is written and never read.
package struct EmailProvider: Sendable, Equatable {
    package var isEnabled = true
    /// The sender of mails whose template names none.
    package var defaultFromAddress: String
    package var host: String
    package var port: Int
    package var user: String?
    package var security: Security
    /// Headers that every mail has.
    package var headers: [String: String] = [:]

    /// How the connection is protected.
    package enum Security: String, Sendable, CaseIterable {
        /// TLS from the first byte on, as port 465 has it (RFC 8314 §3.3).
        case implicit = "tls"
        /// TLS before anything else is said; a server without it gets no mail (RFC 3207).
        case startTLS = "starttls"
        /// None: for a server on the same machine or network.
        case none
    }

    /// Auth0's other providers.
    package static let foreign: Set<String> = [
        "mailgun", "mandrill", "sendgrid", "ses", "sparkpost", "resend", "azure_cs", "ms365", "custom",
    ]

    /// The headers that a tenant may not set: they are each mail's own.
    private static let ownHeaders: Set<String> = [
        "from", "to", "cc", "bcc", "sender", "reply-to", "subject", "date", "message-id", "mime-version",
        "content-type", "content-transfer-encoding", "auto-submitted", "return-path", "received",
    ]

    /// A provider with the password that was sent along.
    /// - Throws: ``Document/Problem`` for the first member that is unknown or has a wrong value.
    package static func read(
        _ document: Document
    ) throws(Document.Problem) -> (provider: EmailProvider, password: String?) {
        var (document, password) = (document, String?.none)
        let provider = try EmailProvider(&document, &password)
        return (provider, password)
    }

    private init(_ document: inout Document, _ password: inout String?) throws(Document.Problem) {
        let name = try document.requiredString("name")
        guard name == "smtp" else {
            throw document.problem(
                "name",
                "'\(name.forDisplay)' is not among the providers of this server: use smtp with that provider's host")
        }
        isEnabled = try document.bool("enabled", default: true)
        defaultFromAddress = try document.requiredString("default_from_address", most: 320)
        guard var credentials = try document.document("credentials") else {
            throw document.problem("credentials", "is required: smtp_host, smtp_port, smtp_user, smtp_pass")
        }
        host = try credentials.requiredString("smtp_host", most: 253)
        guard host.utf8.allSatisfy(Self.isHostByte) else {
            throw credentials.problem("smtp_host", "must be the name or address of a server")
        }
        port = try credentials.integer("smtp_port", in: 1...65_535) ?? 587
        user = try credentials.string("smtp_user", most: 255).flatMap { $0.isEmpty ? nil : $0 }
        password = try credentials.string("smtp_pass", most: 4096).flatMap { $0.isEmpty ? nil : $0 }
        _ = try credentials.remaining(known: [])
        var settings = try document.document("settings")
        security = try settings?.oneOf("security", Security.self) ?? (port == 465 ? .implicit : .startTLS)
        headers = try Self.headers(&settings)
        _ = try settings?.remaining(known: [])
        _ = try document.remaining(known: [])
        guard security != .none || user == nil || isLocal else {
            throw document.problem(
                "settings.security", "must be tls or starttls: a password goes to another machine encrypted only")
        }
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: ":"):
            true
        default: false
        }
    }

    private static func headers(_ settings: inout Document?) throws(Document.Problem) -> [String: String] {
        guard let members = try settings?.object("headers") else { return [:] }
        var headers: [String: String] = [:]
        for (name, value) in members where value != .null {
            let isName = !name.isEmpty && name.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x3A }
            guard isName, name.utf8.count <= 76, !ownHeaders.contains(name.lowercased()), let text = value.string,
                text.utf8.count <= 900, text.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
            else {
                throw Document.Problem(
                    path: "settings.headers.\(name.forDisplay)",
                    message: "must be a header of its own with a text of printable ASCII characters")
            }
            headers[name] = text
        }
        return headers
    }

    /// Whether the server is on this machine.
    package var isLocal: Bool { ["localhost", "127.0.0.1", "::1"].contains(host.lowercased()) }

    /// Whether a password for `other` may be used here: nobody else may be sent it.
    package func keepsPassword(of other: EmailProvider) -> Bool {
        (host.lowercased(), port, user) == (other.host.lowercased(), other.port, other.user)
            && (security == other.security || security != .none)
    }

    /// The provider as Auth0 writes it, without the password.
    package var document: JSONObject {
        var credentials: JSONObject = ["smtp_host": .string(host), "smtp_port": .integer(Int64(port))]
        credentials["smtp_user"] = user.map(JSONValue.string)
        var settings: JSONObject = ["security": .string(security.rawValue)]
        if !headers.isEmpty { settings["headers"] = .object(headers.mapValues(JSONValue.string)) }
        return [
            "name": "smtp", "enabled": .bool(isEnabled), "default_from_address": .string(defaultFromAddress),
            "credentials": .object(credentials), "settings": .object(settings),
        ]
    }
}

/// The tenant's e-mail provider, of which there is one.
package enum EmailProviderStore {
    /// A provider and its password as the server has sealed it.
    package struct Stored: Sendable {
        package let provider: EmailProvider
        package let sealedPassword: String?
    }

    /// The provider, or nil where the tenant has none.
    package static func find(in transaction: any SQLTransaction) throws -> Stored? {
        try transaction.row("SELECT * FROM email_provider WHERE name = 'smtp'").map { row in
            Stored(
                provider: try EmailProvider.read(Document(row.json("document"), path: "email_provider")).provider,
                sealedPassword: row.optionalText("sealed_credentials"))
        }
    }

    /// Inserts or replaces the provider.
    package static func save(
        _ provider: EmailProvider, sealedPassword: String?, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO email_provider (name, document, sealed_credentials)
            VALUES ('smtp', \(JSON.text(provider.document)), \(sealedPassword))
            ON CONFLICT (name) DO UPDATE SET document = excluded.document,
                sealed_credentials = excluded.sealed_credentials
            """)
    }

    /// Removes the provider, where there is one.
    package static func delete(in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM email_provider")
    }
}
