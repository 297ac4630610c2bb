/// The kinds of resources in a tenant file, with the names of Auth0's Deploy CLI.
package enum ResourceType: String, Sendable, CaseIterable {
    case tenant, resourceServers, clients, clientGrants, databases, connections, roles, organizations, logStreams,
        attackProtection, branding, prompts

    /// The folder of the folder form.
    var folder: String {
        switch self {
        case .tenant: "tenant"
        case .resourceServers: "resource-servers"
        case .clients: "clients"
        case .clientGrants: "grants"
        case .databases: "database-connections"
        case .connections: "connections"
        case .roles: "roles"
        case .organizations: "organizations"
        case .logStreams: "log-streams"
        case .attackProtection: "attack-protection"
        case .branding: "branding"
        case .prompts: "prompts"
        }
    }

    /// Whether there is one, and no list of them.
    var isSingle: Bool { [.tenant, .attackProtection, .branding, .prompts].contains(self) }

    /// What a plan calls one of them.
    var singular: String {
        switch self {
        case .tenant: "tenant"
        case .resourceServers: "API"
        case .clients: "application"
        case .clientGrants: "client grant"
        case .databases: "database"
        case .connections: "connection"
        case .roles: "role"
        case .organizations: "organization"
        case .logStreams: "log stream"
        case .attackProtection: "attack protection"
        case .branding: "branding"
        case .prompts: "prompts"
        }
    }

    /// Auth0's kinds that this version does not have; a plan names them instead of dropping them.
    static let notSupported: Set<String> = [
        "actions", "clientsConfig", "connectionProfiles", "customDomains",
        "emailProvider", "emailTemplates", "flowVaultConnections", "flows", "forms", "guardianFactorProviders",
        "guardianFactorTemplates", "guardianFactors", "guardianPhoneFactorMessageTypes",
        "guardianPhoneFactorSelectedProvider", "guardianPolicies", "hooks", "migrations", "networkACLs",
        "pages", "partials", "phoneProviders", "phoneTemplates", "rules", "rulesConfigs",
        "selfServiceProfiles", "themes", "tokenExchangeProfiles", "triggers", "userAttributeProfiles", "riskAssessment",
        "supplementalSignals",
    ]

    /// The folders of the folder form that hold ``notSupported`` kinds.
    static let foldersNotSupported: Set<String> = [
        "actions", "connection-profiles", "custom-domains", "emails",
        "email-templates",
        "flows", "forms", "guardian", "hooks", "network-acls", "pages",
        "phone-providers", "phone-templates", "rules", "rules-configs", "self-service-profiles", "themes",
        "token-exchange-profiles", "triggers", "user-attribute-profiles", "risk-assessments", "supplemental-signals",
    ]

    /// Guesses what a misspelt name meant.
    static func suggestion(for name: String) -> String? {
        Spelling.nearest(to: name, among: allCases.map(\.rawValue) + notSupported)
    }
}
