/// Where the folder form of an export keeps each kind of resource, as Auth0's Deploy CLI writes it.
enum ExportLayout {
    /// How a kind is spread over files. File names are without `.json`, because `.yaml` is read too.
    indirect enum Form: Sendable {
        /// One file, which is the kind's whole value: `tenant.json`.
        case file(String)
        /// One file with the whole list.
        case listFile(String)
        /// A file for each resource of a list, but for those named `except`, which are another kind's.
        case list(String, except: Set<String> = [])
        /// A folder for each resource of a list, with this file in it: `database-connections/NAME/database.json`.
        case folders(String, file: String)
        /// The members of one value: `base` is a file with some of them, the others have a place each.
        case members(base: String?, [(member: String, form: Form)])

        /// The folder below the export's own; nil for a file beside `tenant.json`.
        var folder: String? {
            switch self {
            case .file(let path), .listFile(let path): Self.first(of: path)
            case .list(let path, _), .folders(let path, _): Self.first(of: path + "/")
            case .members(let base, let members): base.flatMap { Self.first(of: $0) } ?? members.first?.form.folder
            }
        }

        private static func first(of path: String) -> String? {
            path.contains("/") ? String(path.prefix { $0 != "/" }) : nil
        }
    }

    /// Every kind, by the name that it has in the YAML form.
    static let all: [(kind: String, form: Form)] = [
        ("tenant", .file("tenant")),
        ("resourceServers", .list("resource-servers")),
        ("clients", .list("clients")),
        ("clientGrants", .list("grants")),
        ("databases", .folders("database-connections", file: "database")),
        ("connections", .list("connections")),
        ("roles", .list("roles")),
        ("logStreams", .list("log-streams")),
        ("organizations", .list("organizations")),
        ("rules", .list("rules")),
        ("rulesConfigs", .list("rules-configs")),
        ("hooks", .list("hooks")),
        ("actions", .list("actions")),
        ("actionModules", .list("action-modules")),
        ("triggers", .file("triggers/triggers")),
        ("pages", .list("pages")),
        ("emailProvider", .file("emails/provider")),
        ("emailTemplates", .list("emails", except: ["provider"])),
        ("branding", .members(base: "branding/branding", [("templates", .list("branding/templates"))])),
        ("themes", .list("themes")),
        (
            "prompts",
            .members(
                base: "prompts/prompts",
                [
                    ("customText", .file("prompts/custom-text")), ("partials", .file("prompts/partials")),
                    ("screenRenderers", .list("prompts/screenRenderSettings")),
                ])
        ),
        (
            "attackProtection",
            .members(
                base: nil,
                [
                    ("botDetection", .file("attack-protection/bot-detection")),
                    ("breachedPasswordDetection", .file("attack-protection/breached-password-detection")),
                    ("bruteForceProtection", .file("attack-protection/brute-force-protection")),
                    ("captcha", .file("attack-protection/captcha")),
                    ("suspiciousIpThrottling", .file("attack-protection/suspicious-ip-throttling")),
                ])
        ),
        ("guardianFactors", .list("guardian/factors")),
        ("guardianFactorProviders", .list("guardian/providers")),
        ("guardianFactorTemplates", .list("guardian/templates")),
        ("guardianPhoneFactorMessageTypes", .file("guardian/phoneFactorMessageTypes")),
        ("guardianPhoneFactorSelectedProvider", .file("guardian/phoneFactorSelectedProvider")),
        ("guardianPolicies", .file("guardian/policies")),
        ("customDomains", .listFile("custom-domains/custom-domains")),
        ("phoneProviders", .listFile("phone-providers/provider")),
        ("phoneTemplates", .list("phone-templates")),
        ("riskAssessment", .file("risk-assessment/settings")),
        ("supplementalSignals", .file("supplemental-signals")),
        ("connectionProfiles", .list("connection-profiles")),
        ("userAttributeProfiles", .list("user-attribute-profiles")),
        ("selfServiceProfiles", .list("self-service-profiles")),
        ("tokenExchangeProfiles", .list("token-exchange-profiles")),
        ("networkACLs", .list("network-acls")),
        ("rateLimitPolicies", .list("rate-limit-policies")),
        ("eventStreams", .list("event-streams")),
        ("flows", .list("flows")),
        ("forms", .list("forms")),
        ("flowVaultConnections", .list("flow-vault-connections")),
    ]

    /// The form of a kind that an export has.
    static func form(of kind: String) -> Form? { all.first { $0.kind == kind }?.form }

    /// The names of the folders.
    static let folders = Set(all.compactMap(\.form.folder))

    // MARK: Texts beside the resources

    /// A field whose text stands in a file of its own.
    struct Text: Sendable {
        /// Such as `options.customScripts.*`; `*` stands for every member.
        let path: [String]
        /// The file's name in the folder form: `NAME` is the resource's, `*` the member's.
        let file: String
        var base = Base.own

        var ending: String { file.split(separator: ".").last.map(String.init) ?? "" }
    }

    /// Where a path in the folder form starts.
    enum Base: Sendable {
        /// The export's folder.
        case export
        /// The folder of the file that names it.
        case own
    }

    /// The texts of a kind's resources.
    static func texts(of kind: String) -> [Text] {
        switch kind {
        case "rules", "hooks": [Text(path: ["script"], file: "NAME.js")]
        case "actions", "actionModules": [Text(path: ["code"], file: "NAME/code.js", base: .export)]
        case "databases": [Text(path: ["options", "customScripts", "*"], file: "*.js")]
        case "connections": [Text(path: ["options", "email", "body"], file: "NAME.html")]
        case "clients": [Text(path: ["custom_login_page"], file: "NAME_custom_login_page.html")]
        case "pages": [Text(path: ["html"], file: "NAME.html")]
        case "emailTemplates", "branding.templates": [Text(path: ["body"], file: "NAME.html")]
        default: []
        }
    }
}
