import OAuth

/// Whether tokens are for an organization, as Auth0's setting `organization_usage` says.
package enum OrganizationUsage: String, Sendable, CaseIterable {
    case deny, allow, require
}

/// What an application has to do with organizations.
package struct ClientOrganizationSettings: Sendable, Hashable {
    /// How the application comes to the organization of a login that names none and needs one.
    package enum RequireBehavior: String, Sendable, CaseIterable {
        case noPrompt = "no_prompt"
        case preLoginPrompt = "pre_login_prompt"
        case postLoginPrompt = "post_login_prompt"
    }

    /// How a page may find the organization that a user means.
    package enum DiscoveryMethod: String, Sendable, CaseIterable {
        case email
        case organizationName = "organization_name"
    }

    /// The organization that the application acts for where its request names none.
    package struct DefaultOrganization: Sendable, Hashable {
        package let organizationID: String
        /// Auth0 has it for one grant only.
        fileprivate static let flows = ["client_credentials"]
    }

    /// The setting as it is written; nil stands for ``OrganizationUsage/deny``.
    private var chosenUsage: OrganizationUsage?
    /// The setting as it is written; nil stands for ``RequireBehavior/noPrompt``.
    private var chosenBehavior: RequireBehavior?
    /// Kept for Auth0's sake: the page asks for the organization's name, whatever they are.
    private var discoveryMethods: [DiscoveryMethod] = []
    /// For the client credentials grant; nil for none.
    package private(set) var defaultOrganization: DefaultOrganization?

    package init() {}

    package init(usage: OrganizationUsage, requireBehavior: RequireBehavior? = nil) {
        (chosenUsage, chosenBehavior) = (usage, requireBehavior)
    }

    /// Whether the application's users sign in to an organization.
    package var usage: OrganizationUsage { chosenUsage ?? .deny }
    package var requireBehavior: RequireBehavior { chosenBehavior ?? .noPrompt }

    /// - Throws: ``Document/Problem`` for the first member that has a wrong value.
    package init(from document: inout Document) throws(Document.Problem) {
        chosenUsage = try document.oneOf("organization_usage", OrganizationUsage.self)
        chosenBehavior = try document.oneOf("organization_require_behavior", RequireBehavior.self)
        for text in try document.strings("organization_discovery_methods") ?? [] {
            guard let method = DiscoveryMethod(rawValue: text), !discoveryMethods.contains(method) else {
                throw document.problem(
                    "organization_discovery_methods", "must have email and organization_name, each at most once")
            }
            discoveryMethods.append(method)
        }
        if let settings = try document.document("default_organization") {
            guard let standard = try DefaultOrganization(settings) else {
                throw document.problem(
                    "default_organization",
                    "must be the id of an organization, org_…, as organization_id, and flows [\"client_credentials\"]")
            }
            defaultOrganization = standard
        }
    }

    /// The settings as Auth0 writes them.
    package var members: JSONObject {
        var members: JSONObject = [:]
        members["organization_usage"] = chosenUsage.map { .string($0.rawValue) }
        members["organization_require_behavior"] = chosenBehavior.map { .string($0.rawValue) }
        if !discoveryMethods.isEmpty {
            members["organization_discovery_methods"] = JSONValue(discoveryMethods.map(\.rawValue))
        }
        members["default_organization"] = defaultOrganization.map { .object($0.document) }
        return members
    }
}

extension ClientOrganizationSettings.DefaultOrganization {
    fileprivate init?(_ document: Document) throws(Document.Problem) {
        var document = document
        organizationID = try document.requiredString("organization_id", most: 255)
        let flows = try document.strings("flows")
        _ = try document.remaining(known: [])
        guard Organization.isID(organizationID), flows == Self.flows else { return nil }
    }

    fileprivate var document: JSONObject {
        ["organization_id": .string(organizationID), "flows": JSONValue(Self.flows)]
    }
}
