import OAuth
import Storage

/// Permissions as requests name them and answers show them.
struct PermissionList: Payload {
    let permissions: [Role.Permission]

    init(from document: inout Document) throws(Document.Problem) {
        guard let entries = try document.documents("permissions"), !entries.isEmpty else {
            throw document.problem("permissions", "must have at least one element")
        }
        var permissions: [Role.Permission] = []
        for var entry in entries {
            permissions.append(
                Role.Permission(
                    audience: try entry.requiredString("resource_server_identifier", most: 600),
                    name: try entry.requiredString("permission_name", most: 280)))
            _ = try entry.remaining(known: [])
        }
        self.permissions = permissions
    }

    /// - Throws: ``ManagementError`` 404 for one that no API has (QK-7 of Auth0's ways).
    func require(in transaction: any SQLTransaction) throws {
        for permission in permissions {
            let api = try ResourceServerStore.find(identifier: permission.audience, in: transaction)
            guard api?.resourceServer.scope.contains(permission.name) == true else {
                throw ManagementError(
                    404,
                    "This permission does not exist: '\(permission.audience.forDisplay) - \(permission.name.forDisplay)'",
                    "inexistent_resource_server_permission")
            }
        }
    }
}

extension Role.Permission {
    static let members: Members = [
        "permission_name": .text.always, "resource_server_identifier": .text.always, "resource_server_name": .text,
        "description": .text,
    ]

    /// The permission with what the API says of it.
    func shown(_ apis: [ResourceServer]) -> JSONObject {
        let api = apis.first { $0.identifier == audience }
        return [
            "permission_name": .string(name), "resource_server_identifier": .string(audience),
            "resource_server_name": .string(api?.name ?? audience),
            "description": .string(api?.scopes.first { $0.value == name }?.description ?? ""),
        ]
    }
}

extension Sequence<Role.Permission> {
    /// In the order of the APIs and the names.
    func inOrder() -> [Role.Permission] { sorted { ($0.audience, $0.name) < ($1.audience, $1.name) } }
}

/// Ids of roles or users in a request.
struct Identifiers<Name: IdentifierListName>: Payload {
    let values: [String]

    init(from document: inout Document) throws(Document.Problem) {
        guard let values = try document.strings(Name.text) else { throw document.problem(Name.text, "is required") }
        guard (1...50).contains(values.count) else { throw document.problem(Name.text, "must have 1 to 50 elements") }
        self.values = values
    }
}

/// What a list of ids is called.
protocol IdentifierListName { static var text: String { get } }

/// `roles`.
enum RoleList: IdentifierListName { static let text = "roles" }
/// `users`.
enum UserList: IdentifierListName { static let text = "users" }
