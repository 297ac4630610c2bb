import Foundation
import OAuth

/// A customer or partner whose people sign in together: Auth0's organization.
package struct Organization: Sendable, Hashable {
    /// `org_` and 16 letters and digits.
    package var id: String
    /// Lower-case, and unique in the tenant.
    package var name: String
    package var displayName: String?
    package var branding = Branding()
    package var metadata: [String: String] = [:]
    /// Auth0's other fields, kept and given back.
    package var other: JSONObject = [:]

    /// How the organization's pages look.
    package struct Branding: Sendable, Hashable {
        package var logoURL: String?
        package var colors: Colors?

        /// Two colours in the form `#RRGGBB`.
        package struct Colors: Sendable, Hashable {
            package var primary: String
            package var pageBackground: String
        }
    }

    package init(id: String, name: String) { (self.id, self.name) = (id, name) }

    /// What its people call it.
    package var shownName: String { displayName ?? name }

    /// Whether a text is an organization's id; no name may look like one.
    package static func isID(_ text: String) -> Bool { text.hasPrefix("org_") }

    /// - Parameter standardID: the `id` of a document that has none.
    /// - Throws: ``Document/Problem`` for the first member that is unknown or has a wrong value.
    package init(document: Document, standardID: String) throws(Document.Problem) {
        var document = document
        id = try document.string("id", most: 255) ?? standardID
        name = try document.requiredString("name", most: 50)
        guard name.wholeMatch(of: /[a-z0-9][a-z0-9_-]*/) != nil, !Self.isID(name) else {
            throw document.problem(
                "name", "must be 1 to 50 lower-case letters, digits, '_' and '-', and not look like an id (org_…)")
        }
        displayName = try document.string("display_name", most: 255)
        guard displayName != "" else { throw document.problem("display_name", "must not be empty") }
        if var settings = try document.document("branding") { branding = try Branding(&settings) }
        metadata = try Self.metadata(&document)
        other = try document.remaining(known: ["token_quota", "third_party_client_access", "is_app_entitlement_active"])
    }

    private static func metadata(_ document: inout Document) throws(Document.Problem) -> [String: String] {
        let members = (try document.object("metadata") ?? [:]).filter { $0.value != .null }
        guard members.count <= 25 else { throw document.problem("metadata", "must have at most 25 members") }
        var metadata: [String: String] = [:]
        for name in members.keys.sorted() {
            guard let value = members[name]?.string, value.count <= 255, (1...255).contains(name.count) else {
                throw document.problem(
                    "metadata.\(name.forDisplay)", "must be a text of at most 255 characters, as must its name")
            }
            metadata[name] = value
        }
        return metadata
    }

    /// The organization as Auth0 writes it.
    package var document: JSONObject {
        var members = other
        members["id"] = .string(id)
        members["name"] = .string(name)
        members["display_name"] = displayName.map(JSONValue.string)
        members["branding"] = branding.document.map(JSONValue.object)
        if !metadata.isEmpty { members["metadata"] = .object(metadata.mapValues(JSONValue.string)) }
        return members
    }
}

extension Organization.Branding {
    fileprivate init(_ document: inout Document) throws(Document.Problem) {
        logoURL = try document.string("logo_url", most: 2048)
        if let logoURL, RedirectURI(logoURL)?.scheme != "https" {
            throw document.problem("logo_url", "must be an https URL")
        }
        if var colors = try document.document("colors") {
            let primary = try colors.requiredString("primary", most: 7)
            let pageBackground = try colors.requiredString("page_background", most: 7)
            _ = try colors.remaining(known: [])
            guard
                [primary, pageBackground].allSatisfy({ $0.wholeMatch(of: /#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})/) != nil })
            else { throw document.problem("colors", "must be colours in hexadecimal form, such as #2B6CB0") }
            self.colors = Colors(primary: primary, pageBackground: pageBackground)
        }
        _ = try document.remaining(known: [])
    }

    fileprivate var document: JSONObject? {
        var members: JSONObject = [:]
        members["logo_url"] = logoURL.map(JSONValue.string)
        members["colors"] = colors.map {
            ["primary": .string($0.primary), "page_background": .string($0.pageBackground)]
        }
        return members.isEmpty ? nil : members
    }
}

/// The organizations of the tenant.
package struct OrganizationStore: Sendable {
    let database: any SQLDatabase

    /// What lists are sorted by.
    package struct Order: Sendable {
        /// The members that a list may be sorted by.
        package enum Field: String, Sendable, CaseIterable {
            case name
            case displayName = "display_name"
            case createdAt = "created_at"
        }

        package let field: Field
        package let isDescending: Bool

        package init(_ field: Field, isDescending: Bool = false) {
            (self.field, self.isDescending) = (field, isDescending)
        }

        fileprivate var column: StaticName {
            switch field {
            case .name: "name"
            case .displayName: "display_name"
            case .createdAt: "created_at"
            }
        }
        fileprivate var direction: SQL { isDescending ? "DESC" : "ASC" }
        fileprivate var follows: SQL { isDescending ? "<" : ">" }
    }

    /// The organization with this id, or nil where there is none.
    package static func find(_ id: String, in transaction: any SQLTransaction) throws -> Organization? {
        try transaction.row("SELECT * FROM organization WHERE id = \(id)").map(Organization.init)
    }

    /// The organization with this name, whatever its letters' case, or nil where there is none.
    package static func find(name: String, in transaction: any SQLTransaction) throws -> Organization? {
        try transaction.row("SELECT * FROM organization WHERE name = \(name.lowercased())").map(Organization.init)
    }

    /// The organization that an id or a name stands for, or nil where there is none.
    package static func find(idOrName value: String, in transaction: any SQLTransaction) throws -> Organization? {
        try Organization.isID(value) ? find(value, in: transaction) : find(name: value, in: transaction)
    }

    /// Every organization, in the order of their names.
    package static func list(in transaction: any SQLTransaction) throws -> [Organization] {
        try transaction.rows("SELECT * FROM organization ORDER BY name").map(Organization.init)
    }

    /// A page of the organizations.
    package static func page(
        by order: Order, start: Int, limit: Int, in transaction: any SQLTransaction
    ) throws -> [Organization] {
        try transaction.rows(
            """
            SELECT * FROM organization ORDER BY \(name: order.column) \(part: order.direction), id \(part: order.direction)
            LIMIT \(limit) OFFSET \(start)
            """
        ).map(Organization.init)
    }

    /// The organizations that follow one in an order, which may have been deleted or renamed meanwhile.
    /// - Parameter checkpoint: what ``checkpoint(of:by:in:)`` made of the one before; nil for the first.
    package static func page(
        by order: Order, after checkpoint: String?, limit: Int, in transaction: any SQLTransaction
    ) throws -> [Organization] {
        guard let checkpoint else { return try page(by: order, start: 0, limit: limit, in: transaction) }
        guard let (value, id) = Self.place(checkpoint, by: order) else { return [] }
        return try transaction.rows(
            """
            SELECT * FROM organization WHERE (\(name: order.column), id) \(part: order.follows) (\(values: [value]), \(id))
            ORDER BY \(name: order.column) \(part: order.direction), id \(part: order.direction) LIMIT \(limit)
            """
        ).map(Organization.init)
    }

    /// Where an organization stands in an order, as an opaque text.
    package static func checkpoint(
        of id: String, by order: Order, in transaction: any SQLTransaction
    ) throws -> String? {
        guard let row = try transaction.row("SELECT * FROM organization WHERE id = \(id)") else { return nil }
        let value =
            switch row.value(order.column.text) {
            case .integer(let number)?: "\(number)"
            case .text(let text)?: text
            default: ""
            }
        return Base64URL.encode("\(id) \(value)".utf8)
    }

    private static func place(_ checkpoint: String, by order: Order) -> (value: SQLValue, id: String)? {
        guard let bytes = Base64URL.decode(checkpoint), let text = String(bytes: bytes, encoding: .utf8),
            let space = text.firstIndex(of: " ")
        else { return nil }
        let value = String(text[space...].dropFirst())
        guard !text.utf8.contains(0) else { return nil }
        guard order.field == .createdAt else { return (.text(value), String(text[..<space])) }
        return Int64(value).map { (.integer($0), String(text[..<space])) }
    }

    /// How many organizations there are.
    package static func count(in transaction: any SQLTransaction) throws -> Int {
        try transaction.row("SELECT COUNT(*) AS organizations FROM organization")?.integer("organizations") ?? 0
    }

    /// Inserts the organization, or replaces the one with its id.
    /// - Throws: ``SQLError/uniqueViolation(_:)`` where another one has its name.
    package static func save(_ organization: Organization, at now: Date, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO organization (id, name, display_name, document, created_at)
            VALUES (\(organization.id), \(organization.name), \(organization.displayName ?? organization.name),
                \(JSON.text(organization.document)), \(now))
            ON CONFLICT (id) DO UPDATE SET name = excluded.name, display_name = excluded.display_name,
                document = excluded.document
            """)
    }

    /// Removes the organization with this id, where there is one, with its memberships, invitations and consents.
    package static func delete(_ id: String, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM organization WHERE id = \(id)")
        try transaction.execute("DELETE FROM consent_grant WHERE organization_id = \(id)")
    }
}

extension Organization {
    init(_ row: SQLRow) throws {
        try self.init(document: Document(row.json("document"), path: "organization"), standardID: row.text("id"))
    }
}
