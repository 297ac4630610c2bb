import OAuth

/// How the tenant has a mail read: Auth0's e-mail template.
package struct EmailTemplate: Sendable, Equatable {
    package let kind: MessageKind
    /// Liquid that gives HTML.
    package var body: String
    /// Liquid that gives an address, with a name before it or none; nil for the provider's.
    package var from: String?
    /// Liquid.
    package var subject: String
    /// Where the user goes from the page behind the mail's link: Liquid that gives an address.
    package var resultURL: String?
    /// Seconds for which the mail's link works; 5 days.
    package var urlLifetime = EmailTemplate.standardLifetime
    /// Whether the address that ``resultURL`` names learns the user's.
    package var includesEmailInRedirect = false
    package var isEnabled = true

    /// Seconds for which a link works where nobody says how long; 5 days.
    package static let standardLifetime = 432_000

    package init(kind: MessageKind, subject: String, body: String) {
        (self.kind, self.subject, self.body) = (kind, subject, body)
    }

    /// - Throws: ``Document/Problem`` for the first member that is unknown or has a wrong value. Whether the Liquid can be
    ///   read is not for a store to say.
    package init(document: Document) throws(Document.Problem) {
        var document = document
        guard let kind = try document.oneOf("template", MessageKind.self) else {
            throw document.problem("template", "is required")
        }
        guard kind.hasTemplate else {
            throw document.problem("template", "'\(kind.rawValue)' belongs to its connection's options.email")
        }
        self.kind = kind
        body = try document.requiredString("body", most: 256 * 1024)
        from = try document.string("from", most: 1024).flatMap { $0.isEmpty ? nil : $0 }
        subject = try document.requiredString("subject", most: 1024)
        if let syntax = try document.string("syntax"), syntax != "liquid" {
            throw document.problem("syntax", "must be liquid")
        }
        resultURL = try document.string("resultUrl", most: 2048).flatMap { $0.isEmpty ? nil : $0 }
        urlLifetime = try document.integer("urlLifetimeInSeconds", in: 0...2_592_000) ?? 0
        if urlLifetime == 0 { urlLifetime = Self.standardLifetime }
        includesEmailInRedirect = try document.bool("includeEmailInRedirect", default: false)
        isEnabled = try document.bool("enabled", default: true)
        _ = try document.remaining(known: [])
    }

    /// The template as Auth0 writes it.
    package var document: JSONObject {
        var members: JSONObject = [
            "template": .string(kind.rawValue), "body": .string(body), "subject": .string(subject), "syntax": "liquid",
            "urlLifetimeInSeconds": .integer(Int64(urlLifetime)),
            "includeEmailInRedirect": .bool(includesEmailInRedirect), "enabled": .bool(isEnabled),
        ]
        members["from"] = from.map(JSONValue.string)
        members["resultUrl"] = resultURL.map(JSONValue.string)
        return members
    }
}

/// The tenant's e-mail templates.
package enum EmailTemplateStore {
    /// The template of a kind, or nil where the tenant has set none and the standard one counts.
    package static func find(_ kind: MessageKind, in transaction: any SQLTransaction) throws -> EmailTemplate? {
        try transaction.row("SELECT document FROM email_template WHERE name = \(kind.rawValue)").map(template)
    }

    /// Every template, in the order of the names.
    package static func list(in transaction: any SQLTransaction) throws -> [EmailTemplate] {
        try transaction.rows("SELECT document FROM email_template ORDER BY name").map(template)
    }

    /// Inserts or replaces a template.
    package static func save(_ template: EmailTemplate, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO email_template (name, document)
            VALUES (\(template.kind.rawValue), \(JSON.text(template.document)))
            ON CONFLICT (name) DO UPDATE SET document = excluded.document
            """)
    }

    /// Goes back to the standard template.
    package static func delete(_ kind: MessageKind, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM email_template WHERE name = \(kind.rawValue)")
    }

    private static func template(_ row: SQLRow) throws -> EmailTemplate {
        try EmailTemplate(document: Document(row.json("document"), path: "email_template"))
    }
}
