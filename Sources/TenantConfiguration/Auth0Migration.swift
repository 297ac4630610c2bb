import AuthorizationServer
import Foundation
import OAuth
import Storage

/// Takes over what Auth0's Deploy CLI has exported. Unlike an apply it does not stop at what this version does not take:
/// that is left out, and named with its reason.
package struct Auth0Migration: Sendable {
    /// What would change.
    package let plan: Plan
    /// What is left out, a line each: the part and the reason.
    package let leftOut: [String]
    /// What is otherwise here than in the export, a line each.
    package let changed: [String]
    /// What is kept for exports, and has no effect here, a line each.
    package let withoutEffect: [String]
    /// The names of what is in the export and has a place here, by kind.
    package let taken: [(type: ResourceType, names: [String])]
    /// The `client_id`s of the applications that the export has without one, by their names.
    package let newClientIDs: [(name: String, id: String)]

    /// The old tenant, as one that is asked for passwords.
    package struct Source: Sendable {
        let domain: String
        let clientID: String
        let clientSecret: String?
        let createsUsers: Bool

        /// - Parameters:
        ///   - clientID: an application of the old tenant that may use the grant password-realm.
        ///   - createsUsers: whether people may come who are there and not here.
        package init(domain: String, clientID: String, clientSecret: String?, createsUsers: Bool) {
            (self.domain, self.clientID, self.clientSecret) = (domain, clientID, clientSecret)
            self.createsUsers = createsUsers
        }
    }

    /// Rounds in which problems are left out; each takes out at least one part.
    private static let mostRounds = 2_000

    /// Reads an export, and compares it with the tenant; nothing is written and nothing deleted.
    /// - Parameters:
    ///   - export: the folder, or the YAML file.
    ///   - environment: the values of `##KEY##` and `@@KEY@@`.
    ///   - source: where passwords are asked for that have no hashes; nil where nowhere.
    /// - Throws: ``TenantFileError`` for an export that cannot be read at all, or ``SQLError``.
    package static func make(
        export: URL, environment: [String: String], source: Source? = nil, stores: Stores, box: SecretBox,
        strategies: ConnectionStrategies = ConnectionStrategies()
    ) async throws -> Auth0Migration {
        let original = try TenantFile(contentsOf: export, environment: environment, isLenient: true)
        let tenant = try await stores.database.read { try CurrentTenant($0) }
        var conversion = Auth0Conversion(original, tenant, source: source)
        var (value, leftOut) = (conversion.value, conversion.leftOut)
        for _ in 0..<mostRounds {
            let file = try TenantFile(value: value, excluded: original.excluded, isLenient: true)
            do {
                let plan = try await Plan.make(
                    file, stores: stores, box: box, strategies: strategies, allowDelete: false)
                // What is not supported at all is named above, resource by resource.
                let remarks = plan.notApplied.filter { remark in
                    !file.notSupported.contains { remark.hasPrefix("\($0.name): ") }
                }
                conversion.noteWithoutEffect(file)
                return Auth0Migration(
                    plan.notApplying([]), conversion, leftOut: leftOut + remarks.map { labelled($0, in: value) },
                    file: file, tenant: tenant)
            } catch let error as TenantFileError {
                let problems = first(of: error.problems.filter { !$0.path.isEmpty })
                guard !problems.isEmpty else { throw error }
                leftOut += problems.map { "\(label($0.path, in: value)): \($0.message)" }
                let smaller = JSONPath.removing(problems.map { whole($0.path) }, from: value)
                guard smaller != value else { throw error }
                value = smaller
            }
        }
        throw TenantFileError(problems: [
            FileProblem(location: nil, path: export.lastPathComponent, message: "has too many problems to migrate")
        ])
    }

    /// The problems that no other one may be the reason of: a resource that is mended is there for those that refer to it.
    private static func first(of problems: [FileProblem]) -> [FileProblem] {
        let kinds = ResourceType.allCases.map(\.rawValue)
        func rank(_ problem: FileProblem) -> Int {
            let references = [".default_directory", ".default_audience", ".resource_server_identifier"]
            if !problem.path.contains("permissions"), references.contains(where: problem.path.hasSuffix) {
                return kinds.count
            }
            let kind = problem.path.prefix { $0 != "[" && $0 != "." }
            return kinds.firstIndex(of: String(kind)) ?? kinds.count
        }
        let earliest = problems.map(rank).min()
        return problems.filter { rank($0) == earliest }
    }

    /// What goes with a part: a grant means nothing without its API, a permission nothing without its name.
    static func whole(_ path: String) -> String {
        let grant = /(clientGrants\[[0-9]+\])\.(client_id|audience)/
        let permission = /(roles\[[0-9]+\]\.permissions\[[0-9]+\])\..*/
        let identifier = /(resourceServers\[[0-9]+\])\.identifier/
        if let match = path.wholeMatch(of: grant) { return String(match.1) }
        if let match = path.wholeMatch(of: permission) ?? path.wholeMatch(of: identifier) { return String(match.1) }
        return path
    }

    private init(
        _ plan: Plan, _ conversion: Auth0Conversion, leftOut: [String], file: TenantFile, tenant: CurrentTenant
    ) {
        (self.plan, self.leftOut, changed) = (plan, leftOut, conversion.changed)
        withoutEffect = conversion.withoutEffect
        taken = ResourceType.allCases.map { type in
            (type, (file.entries[type] ?? []).filter(Self.isTaken).map { Self.name(of: $0.members, type) })
        }.filter { !$0.1.isEmpty }
        newClientIDs = (file.entries[.clients] ?? []).filter(Self.isTaken).compactMap { entry in
            guard entry.members["client_id"]?.string == nil, let name = entry.members["name"]?.string else {
                return nil
            }
            let present = tenant.clients.first { $0.client.name == name }?.client.clientID
            return (plan.clientIDs[entry.path] ?? present).map { (name, $0) }
        }
    }

    private static func isTaken(_ entry: TenantFile.Entry) -> Bool {
        entry.members["global"]?.bool != true && entry.members["is_system"]?.bool != true
    }

    /// What people call a resource.
    static func name(of members: JSONObject, _ type: ResourceType?) -> String {
        if type == .clientGrants {
            return "\(members["client_id"]?.string ?? "") → \(members["audience"]?.string ?? "")"
        }
        let names = [
            "name", "identifier", "key", "template", "type", "consumer_selector", "prompt", "domain", "displayName",
            "description",
        ]
        return names.lazy.compactMap { members[$0]?.string }.first ?? "settings"
    }

    /// `clients[2].callbacks[0]` by the name of the third client.
    static func label(_ path: String, in value: JSONValue) -> String {
        let steps = JSONPath.steps(path)
        guard steps.count > 1, case .name(let kind) = steps[0], case .index = steps[1],
            let entry = JSONPath.value(at: steps[...1], in: value)?.object
        else { return path }
        let rest = path.drop { $0 != "]" }.dropFirst()
        return "\(kind) '\(name(of: entry, ResourceType(rawValue: kind)).forDisplay)'"
            + (rest.isEmpty ? "" : " \(rest.drop { $0 == "." })")
    }

    /// A remark of a plan, `clients[2]: …`, by the resource's name.
    private static func labelled(_ remark: String, in value: JSONValue) -> String {
        guard let end = remark.firstRange(of: ": ") else { return remark }
        return label(String(remark[..<end.lowerBound]), in: value) + remark[end.lowerBound...]
    }
}
