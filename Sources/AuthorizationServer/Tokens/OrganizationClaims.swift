import OAuth
import Storage

/// What tokens say of the organization that they are for.
package struct OrganizationClaims: Sendable {
    let id: String
    /// Its name, where the tenant's tokens have it.
    let name: String?

    init(_ organization: Organization, _ settings: TenantSettings) {
        (id, name) = (organization.id, settings.usesOrganizationNames ? organization.name : nil)
    }

    /// - Returns: nil for nil.
    /// - Throws: ``OAuthError`` `invalid_grant` where the organization has gone.
    static func find(_ id: String?, _ services: Services) async throws -> OrganizationClaims? {
        guard let id else { return nil }
        let found = try await services.stores.database.readOnce { try OrganizationStore.find(id, in: $0) }
        guard let found else { throw OAuthError.invalidGrant("The organization \(id) no longer exists.") }
        return OrganizationClaims(found, try await services.configuration.settings())
    }

    var members: JSONObject {
        var members: JSONObject = ["org_id": .string(id)]
        members["org_name"] = name.map(JSONValue.string)
        return members
    }
}
