import OAuth

/// Settings of the tenant that have a place of their own in Auth0's API and tenant files, beside the tenant's own.
package protocol TenantSection: Sendable, Equatable {
    /// What its row is called.
    static var name: String { get }
    /// The settings of a tenant that has set nothing.
    init()
    /// - Throws: ``Document/Problem`` for the first member that is unknown or has a wrong value.
    init(document: Document) throws(Document.Problem)
    var document: JSONObject { get }
}

extension TenantSection {
    /// The section after a change: members replace those that there are, and null brings the standard back.
    /// - Parameter path: where the change stands, such as `attackProtection.bruteForceProtection`.
    /// - Throws: ``Document/Problem``.
    package func changed(by members: JSONObject, path: String = "") throws(Document.Problem) -> Self {
        try Self(document: Document(document.merging(members) { $1 }.filter { $0.value != .null }, path: path))
    }
}

/// Every section of the tenant's settings.
package struct TenantSections: Sendable, Equatable {
    package var bruteForce = BruteForceProtection()
    package var suspiciousIP = SuspiciousIPThrottling()
    package var breachedPasswords = BreachedPasswordDetection()
    package var branding = Branding()
    package var customTexts = CustomTexts()
    package var multiFactor = MultiFactorSettings()

    package init() {}
}

/// The sections of the tenant's settings.
package enum TenantSectionStore {
    /// A section; the standard one where the tenant has set nothing.
    package static func find<Section: TenantSection>(
        _ type: Section.Type, in transaction: any SQLTransaction
    ) throws -> Section {
        try row(Section.name, in: transaction) ?? Section()
    }

    /// Every section.
    package static func all(in transaction: any SQLTransaction) throws -> TenantSections {
        var sections = TenantSections()
        sections.bruteForce = try find(BruteForceProtection.self, in: transaction)
        sections.suspiciousIP = try find(SuspiciousIPThrottling.self, in: transaction)
        sections.breachedPasswords = try find(BreachedPasswordDetection.self, in: transaction)
        sections.branding = try find(Branding.self, in: transaction)
        sections.customTexts = try find(CustomTexts.self, in: transaction)
        sections.multiFactor = try find(MultiFactorSettings.self, in: transaction)
        return sections
    }

    /// Replaces a section.
    package static func save<Section: TenantSection>(
        _ section: Section, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO tenant_section (name, document) VALUES (\(Section.name), \(JSON.text(section.document)))
            ON CONFLICT (name) DO UPDATE SET document = excluded.document
            """)
    }

    private static func row<Section: TenantSection>(
        _ name: String, in transaction: any SQLTransaction
    ) throws -> Section? {
        guard let row = try transaction.row("SELECT document FROM tenant_section WHERE name = \(name)") else {
            return nil
        }
        return try Section(document: Document(row.json("document"), path: name))
    }
}
