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

    /// The setting as it is written; nil stands for ``OrganizationUsage/deny``.
    private var chosenUsage: OrganizationUsage?
    /// The setting as it is written; nil stands for ``RequireBehavior/noPrompt``.
    private var chosenBehavior: RequireBehavior?

    package init() {}

    package init(usage: OrganizationUsage) { chosenUsage = usage }

    /// Whether the application's users sign in to an organization.
    package var usage: OrganizationUsage { chosenUsage ?? .deny }
    package var requireBehavior: RequireBehavior { chosenBehavior ?? .noPrompt }

    /// - Throws: ``Document/Problem`` for the first member that has a wrong value.
    package init(from document: inout Document) throws(Document.Problem) {
        chosenUsage = try document.oneOf("organization_usage", OrganizationUsage.self)
        chosenBehavior = try document.oneOf("organization_require_behavior", RequireBehavior.self)
    }

    /// The settings as Auth0 writes them.
    package var members: JSONObject {
        var members: JSONObject = [:]
        members["organization_usage"] = chosenUsage.map { .string($0.rawValue) }
        members["organization_require_behavior"] = chosenBehavior.map { .string($0.rawValue) }
        return members
    }
}
