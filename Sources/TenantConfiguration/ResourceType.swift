/// The kinds of resources in a tenant file, with the names of Auth0's Deploy CLI.
package enum ResourceType: String, Sendable, CaseIterable {
    case tenant, resourceServers, clients, clientGrants, databases, connections, roles, organizations, logStreams,
        attackProtection, branding, prompts, rules, rulesConfigs, actions, triggers

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
        case .rules: "rules"
        case .rulesConfigs: "rules-configs"
        case .actions: "actions"
        case .triggers: "triggers"
        case .attackProtection: "attack-protection"
        case .branding: "branding"
        case .prompts: "prompts"
        }
    }

    /// Whether there is one, and no list of them.
    var isSingle: Bool { [.tenant, .attackProtection, .branding, .prompts, .triggers].contains(self) }

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
        case .rules: "rule"
        case .rulesConfigs: "rule value"
        case .actions: "action"
        case .triggers: "trigger"
        case .attackProtection: "attack protection"
        case .branding: "branding"
        case .prompts: "prompts"
        }
    }

    /// Auth0's kinds that this version does not have; a plan names them instead of dropping them.
    static let notSupported: Set<String> = [
        "clientsConfig", "connectionProfiles", "customDomains",
        "emailProvider", "emailTemplates", "flowVaultConnections", "flows", "forms", "guardianFactorProviders",
        "guardianFactorTemplates", "guardianFactors", "guardianPhoneFactorMessageTypes",
        "guardianPhoneFactorSelectedProvider", "guardianPolicies", "hooks", "migrations", "networkACLs",
        "pages", "partials", "phoneProviders", "phoneTemplates",
        "selfServiceProfiles", "themes", "tokenExchangeProfiles", "userAttributeProfiles", "riskAssessment",
        "supplementalSignals",
    ]

    /// The folders of the folder form that hold ``notSupported`` kinds.
    static let foldersNotSupported: Set<String> = [
        "connection-profiles", "custom-domains", "emails",
        "email-templates",
        "flows", "forms", "guardian", "hooks", "network-acls", "pages",
        "phone-providers", "phone-templates", "self-service-profiles", "themes",
        "token-exchange-profiles", "user-attribute-profiles", "risk-assessments", "supplemental-signals",
    ]

    /// Guesses what a misspelt name meant.
    static func suggestion(for name: String) -> String? {
        Spelling.nearest(to: name, among: allCases.map(\.rawValue) + notSupported)
    }
}
