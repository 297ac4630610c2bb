import OAuth
import Storage

/// The resources that a file's plan leaves alone, by the variables of Auth0's Deploy CLI: `AUTH0_EXCLUDED`, a list of
/// kinds, and `AUTH0_EXCLUDED_CLIENTS` and the like, lists of names. Neither is changed, nor deleted.
struct ExcludedResources: Sendable {
    private var kinds: Set<String> = []
    private var names: [ResourceType: Set<String>] = [:]

    private static let variables: [(variable: String, type: ResourceType)] = [
        ("AUTH0_EXCLUDED_CLIENTS", .clients), ("AUTH0_EXCLUDED_CONNECTIONS", .connections),
        ("AUTH0_EXCLUDED_DATABASES", .databases), ("AUTH0_EXCLUDED_RESOURCE_SERVERS", .resourceServers),
        ("AUTH0_EXCLUDED_ROLES", .roles), ("AUTH0_EXCLUDED_RULES", .rules), ("AUTH0_EXCLUDED_ACTIONS", .actions),
    ]

    init(environment: [String: String]) {
        kinds = Self.list(environment["AUTH0_EXCLUDED"])
        for (variable, type) in Self.variables { names[type] = Self.list(environment[variable]) }
    }

    /// - Parameter document: what ``document`` gave.
    init(document: JSONObject) {
        kinds = Set(document["kinds"]?.array?.compactMap(\.string) ?? [])
        for type in ResourceType.allCases {
            names[type] = Set(document[type.rawValue]?.array?.compactMap(\.string) ?? [])
        }
    }

    var document: JSONObject {
        var members: JSONObject = ["kinds": JSONValue(kinds.sorted())]
        for (type, names) in names { members[type.rawValue] = JSONValue(names.sorted()) }
        return members
    }

    /// Whether the whole kind is left alone.
    func covers(kind: String) -> Bool { kinds.contains(kind) }

    /// Whether the resource with this name is left alone.
    func covers(_ type: ResourceType, _ name: String?) -> Bool {
        kinds.contains(type.rawValue) || name.map { names[type]?.contains($0) == true } ?? false
    }

    /// A JSON list, or names with commas between.
    private static func list(_ text: String?) -> Set<String> {
        guard let text, !text.trimmed.isEmpty else { return [] }
        if let array = try? JSON.decode([String].self, from: text) { return Set(array) }
        return Set(text.split(separator: ",").map { String($0).trimmed }.filter { !$0.isEmpty })
    }
}
