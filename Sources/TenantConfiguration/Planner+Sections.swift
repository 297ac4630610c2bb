import OAuth
import Storage

extension Planner {
    /// Auth0's parts of attack protection that this version does not have.
    static let foreignProtections: Set<String> = [
        "botDetection", "captcha", "captchaPolicies", "phoneProviderProtection",
    ]

    /// Whether a part of attack protection that this version does not have does anything at Auth0.
    static func isOn(_ protection: JSONValue) -> Bool {
        guard let members = protection.object else { return protection.array?.isEmpty == false }
        return members.contains { name, value in
            switch name {
            case "enabled": value == true
            case "active_provider_id": value.string.map { !$0.isEmpty } ?? false
            case _ where name.hasSuffix("_policy"): value.string.map { $0 != "never" } ?? false
            default: false
            }
        }
    }

    /// The kind of resource whose part a section is.
    static func type(ofSection name: String) -> ResourceType {
        switch name {
        case BruteForceProtection.name, SuspiciousIPThrottling.name, BreachedPasswordDetection.name: .attackProtection
        case Branding.name: .branding
        case MultiFactorSettings.name: .guardianFactors
        case PromptSettings.name, CustomTexts.name: .prompts
        default: .tenant
        }
    }

    mutating func planAttackProtection() {
        guard let entry = file.entries[.attackProtection]?.first else { return }
        for (name, value) in entry.members.sorted(by: { $0.key < $1.key }) where value != .null {
            let path = "\(entry.path).\(name)"
            switch name {
            case "bruteForceProtection": plan(current.sections.bruteForce, value, at: path)
            case "suspiciousIpThrottling": plan(current.sections.suspiciousIP, value, at: path)
            case "breachedPasswordDetection": plan(current.sections.breachedPasswords, value, at: path)
            case let name where Self.foreignProtections.contains(name):
                guard Self.isOn(value) else { continue }
                notApplied.append("\(path): not applied; this version does not have it yet")
            default:
                let known = Self.foreignProtections.union([
                    "bruteForceProtection", "suspiciousIpThrottling", "breachedPasswordDetection",
                ])
                let near = Spelling.nearest(to: name, among: known).map { "; did you mean \($0)?" } ?? ""
                problems.append(file.problem(path, "is no part of attack protection\(near)"))
            }
        }
    }

    mutating func planBranding() {
        guard let entry = file.entries[.branding]?.first else { return }
        var members = entry.members
        if let templates = members.removeValue(forKey: "templates"), templates.array?.isEmpty != true,
            templates != .null
        {
            notApplied.append("\(entry.path).templates: not applied; this server has no page templates")
        }
        guard !members.isEmpty else { return }
        plan(current.sections.branding, .object(members), at: entry.path)
    }

    mutating func planPrompts() {
        guard let entry = file.entries[.prompts]?.first else { return }
        for (name, value) in entry.members.sorted(by: { $0.key < $1.key }) where value != .null {
            let path = "\(entry.path).\(name)"
            switch (name, value) {
            case ("customText", _): plan(current.sections.customTexts, value, at: path)
            case ("partials", .object(let members)) where members.isEmpty: break
            case ("screenRenderers", .array(let list)) where list.isEmpty: break
            case ("identifier_first", .bool(false)), ("webauthn_platform_first_factor", .bool(false)),
                ("universal_login_experience", "new"):
                break
            case ("identifier_first", _), ("webauthn_platform_first_factor", _), ("universal_login_experience", _),
                ("partials", _), ("screenRenderers", _):
                notApplied.append("\(path): not applied; this version does not have it yet")
            default: problems.append(file.problem(path, "is no setting of the prompts"))
            }
        }
    }

    /// Plans a change of a section: what the file leaves out stays as it is.
    mutating func plan<Section: TenantSection>(_ section: Section, _ value: JSONValue, at path: String) {
        guard let members = value.object else {
            problems.append(file.problem(path, "must be a mapping"))
            return
        }
        let parsed = parse(Self.merged(section.document, members), path: path) { document throws(Document.Problem) in
            try Section(document: document)
        }
        guard let after = parsed else { return }
        plan(Self.type(ofSection: Section.name), Section.name, before: section.document, after: after.document) {
            transaction, _ in try TenantSectionStore.save(after, in: transaction)
        }
    }
}
