import OAuth
import Storage

extension Planner {
    /// Auth0's parts of attack protection that this version does not have.
    private static let foreignProtections: Set<String> = [
        "botDetection", "breachedPasswordDetection", "captcha", "captchaPolicies", "phoneProviderProtection",
    ]

    /// The kind of resource whose part a section is.
    static func type(ofSection name: String) -> ResourceType {
        switch name {
        case BruteForceProtection.name, SuspiciousIPThrottling.name: .attackProtection
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
            case let name where Self.foreignProtections.contains(name):
                guard value.object?["enabled"] == true else { continue }
                notApplied.append("\(path): not applied; this version does not have it yet")
            default:
                let known = Self.foreignProtections.union(["bruteForceProtection", "suspiciousIpThrottling"])
                let near = Spelling.nearest(to: name, among: known).map { "; did you mean \($0)?" } ?? ""
                problems.append(file.problem(path, "is no part of attack protection\(near)"))
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
