/// The kinds of resources in a tenant file, with the names of Auth0's Deploy CLI.
package enum ResourceType: String, Sendable, CaseIterable {
    case tenant, resourceServers, clients, clientGrants, databases, connections, roles, organizations, logStreams,
        attackProtection, branding, prompts, guardianFactors, guardianPolicies, emailProvider, emailTemplates, rules,
        rulesConfigs, actions, triggers

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
        case .guardianFactors: "second factors"
        case .guardianPolicies: "second factors"
        case .emailProvider: "e-mail provider"
        case .emailTemplates: "e-mail template"
        }
    }

    /// Whether a tenant has one of them and no list: its value is a mapping.
    var isSingle: Bool {
        switch ExportLayout.form(of: rawValue) {
        case .file, .members: true
        case .list, .listFile, .folders, nil: false
        }
    }

    /// Auth0's kinds that this version does not have; a plan names them instead of dropping them.
    static let notSupported: Set<String> = Set(ExportLayout.all.map(\.kind))
        .union(["clientAuthCredentials", "clientsConfig", "migrations", "partials"])
        .subtracting(allCases.map(\.rawValue))

    /// Guesses what a misspelt name meant.
    static func suggestion(for name: String) -> String? {
        Spelling.nearest(to: name, among: allCases.map(\.rawValue) + notSupported)
    }
}
