import AuthorizationServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Management API: organizations")
struct ManagementOrganizationsTests {
    /// A management client, and the id of an organization `acme`.
    private static func run(
        _ body: @escaping @Sendable (TestServer, ManagementClient, String) async throws -> Void
    ) async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let id = try await management.post("organizations", ["name": "acme"])["id"]?.string ?? ""
            try await body(server, management, id)
        }
    }

    @Test("An organization is made, found by id and name, changed and deleted")
    func organizations() async throws {
        try await Self.run { _, management, id in
            #expect(id.wholeMatch(of: /org_[A-Za-z0-9]{16}/) != nil)
            let branding: JSONValue = [
                "logo_url": "https://example.com/l.png",
                "colors": ["primary": "#102030", "page_background": "#ffffff"],
            ]
            let made = try await management.send(
                .post, "organizations",
                [
                    "name": "globex", "display_name": "Globex", "branding": branding, "metadata": ["plan": "gold"],
                    "enabled_connections": [
                        ["connection_id": .string(Connection.database.id), "assign_membership_on_login": true]
                    ],
                ])
            #expect(made.status == .created)
            let globex = try made.json()
            #expect(globex["branding"] == branding && globex["metadata"] == ["plan": "gold"])
            #expect(
                globex["enabled_connections"]?.array?.first?.object?["connection"]
                    == ["name": .string(Connection.database.name), "strategy": "auth0"])
            let path = "organizations/\(globex["id"]?.string ?? "")"
            #expect(try await management.get("organizations/name/globex")["id"] == globex["id"])
            let changed = try await management.patch(path, ["metadata": ["floor": "2"], "display_name": nil])
            #expect(changed["metadata"] == ["floor": "2"] && changed["display_name"] == nil)
            #expect(try await management.get(path) == changed)
            #expect(try await management.send(.delete, path).status == .noContent)
            #expect(try await management.send(.delete, path).status == .noContent)
            let gone = try await management.send(.get, path)
            #expect(gone.status == .notFound)
            #expect(try gone.json()["message"] == "No organization found by that id or name")
            #expect(try gone.json()["errorCode"] == nil)
        }
    }

    private static let strangers: [(body: String, status: Int)] = [
        (#"{"name": "Acme"}"#, 400), (#"{"name": "org_x"}"#, 400), (#"{"name": "-x"}"#, 400), ("{}", 400),
        (#"{"name": "acme"}"#, 409), (#"{"name": "b", "metadata": {"n": 1}}"#, 400), (#"{"name": "b", "x": 1}"#, 400),
        (##"{"name": "b", "branding": {"colors": {"primary": "red", "page_background": "#fff"}}}"##, 400),
        (#"{"name": "b", "branding": {"logo_url": "http://example.com/l.png"}}"#, 400),
        (#"{"name": "b", "enabled_connections": [{"connection_id": "con_x"}]}"#, 404),
        (#"{"name": "b", "enabled_connections": [{"connection_id": "con_x", "is_signup_enabled": true}]}"#, 400),
    ]

    @Test("What is no organization is refused", arguments: strangers)
    func refusals(body: String, status: Int) async throws {
        try await Self.run { _, management, _ in
            let answer = try await management.send(.post, "organizations", JSON.decode(JSONValue.self, from: body))
            #expect(answer.status.code == status)
            if status == 409 { #expect(try answer.json()["errorCode"] == "organization_conflict") }
            #expect(try await management.list("organizations").count == 1)
        }
    }

    @Test("MG-8: organizations by pages, by totals, by checkpoints and sorted")
    func lists() async throws {
        try await Self.run { _, management, _ in
            for name in ["b", "c", "d"] { _ = try await management.post("organizations", ["name": .string(name)]) }
            let page = try await management.get("organizations?include_totals=true&per_page=2&page=1&sort=name:-1")
            #expect(page["total"] == 4 && page["start"] == 2)
            #expect(page["organizations"]?.array?.map { $0.object?["name"] } == ["b", "acme"])
            var (names, from): ([JSONValue?], String) = ([], "")
            repeat {
                let answer = try await management.get("organizations?take=3\(from)")
                names += answer["organizations"]?.array?.map { $0.object?["name"] } ?? []
                from = answer["next"]?.string.map { "&from=\($0.formEncoded)" } ?? ""
            } while !from.isEmpty
            #expect(names == ["acme", "b", "c", "d"])
            #expect(try await management.send(.get, "organizations?sort=id:1").status == .badRequest)
        }
    }

    @Test(
        "Connections of an organization, at both of Auth0's addresses",
        arguments: ["enabled_connections", "connections"])
    func connections(name: String) async throws {
        try await Self.run { server, management, id in
            let path = "organizations/\(id)/\(name)"
            let connection = Connection.database.id
            let added = try await management.send(.post, path, ["connection_id": .string(connection)])
            #expect(added.status == .created)
            let members = try added.json()
            #expect(members["assign_membership_on_login"] == false && members["show_as_button"] == true)
            #expect(members["connection"]?.object?["name"] == .string(Connection.database.name))
            #expect(try await management.send(.post, path, ["connection_id": .string(connection)]).status == .conflict)
            let changed = try await management.patch("\(path)/\(connection)", ["assign_membership_on_login": true])
            #expect(changed["assign_membership_on_login"] == true)
            #expect(try await management.get("\(path)/\(connection)") == changed)
            #expect(try await management.list(path) == [changed])
            #expect(try await management.get("\(path)?include_totals=true")["total"] == 1)
            #expect(try await management.send(.delete, "\(path)/\(connection)").status == .noContent)
            #expect(try await management.send(.get, "\(path)/\(connection)").status == .notFound)
            #expect(try await management.send(.post, path, ["connection_id": "con_x"]).status == .notFound)
        }
    }

    @Test("/connections knows what is switched off, which /enabled_connections leaves out")
    func disabled() async throws {
        try await Self.run { _, management, id in
            let body: JSONValue = [
                "connection_id": .string(Connection.database.id), "is_enabled": false,
                "organization_connection_name": "Staff",
            ]
            _ = try await management.post("organizations/\(id)/connections", body)
            #expect(try await management.list("organizations/\(id)/enabled_connections").isEmpty)
            let off = try await management.list("organizations/\(id)/connections?is_enabled=false")
            #expect(off.first?["organization_connection_name"] == "Staff")
            #expect(try await management.list("organizations/\(id)/connections?is_enabled=true").isEmpty)
        }
    }

    @Test("Members and their roles in the organization, which end with the membership and the user")
    func members() async throws {
        try await Self.run { _, management, id in
            let path = "organizations/\(id)/members"
            let both: JSONValue = ["members": [.string(User.ada.id), .string(User.grace.id)]]
            #expect(try await management.send(.post, path, both).status == .noContent)
            #expect(try await management.send(.post, path, ["members": ["auth0|nobody"]]).status == .notFound)
            let role = try await management.post("roles", ["name": "Nurse"])["id"] ?? .null
            let ada = User.ada.id.formEncoded
            let roles: JSONValue = ["roles": [role]]
            #expect(try await management.send(.post, "\(path)/\(ada)/roles", roles).status == .noContent)
            #expect(try await management.list("\(path)/\(ada)/roles").map { $0["name"] } == ["Nurse"])
            #expect(try await management.list("users/\(ada)/roles").isEmpty)
            let first = try await management.get("\(path)?take=1&fields=user_id,roles")
            #expect(
                first["members"] == [
                    ["user_id": .string(User.ada.id), "roles": [["id": role, "name": "Nurse"]]]
                ])
            let next = first["next"]?.string ?? ""
            let rest = try await management.get("\(path)?take=1&from=\(next.formEncoded)")
            #expect(rest["members"]?.array?.first?.object?["email"] == "grace@example.com")
            #expect(rest["members"]?.array?.first?.object?["roles"] == nil && rest["next"] == nil)
            #expect(try await management.get("\(path)?include_totals=true")["total"] == 2)
            let withRole = try await management.get("organizations/\(id)/roles/\(role.string ?? "")/members")
            #expect(withRole["members"]?.array?.count == 1)
            #expect(try await management.list("users/\(ada)/organizations").map { $0["name"] } == ["acme"])
            #expect(try await management.send(.delete, "\(path)/\(ada)/roles", roles).status == .noContent)
            #expect(try await management.list("\(path)/\(ada)/roles").isEmpty)
            #expect(try await management.send(.delete, path, ["members": [.string(User.ada.id)]]).status == .noContent)
            #expect(try await management.send(.get, "\(path)/\(ada)/roles").status == .notFound)
            #expect(try await management.send(.delete, "users/\(User.grace.id.formEncoded)").status == .noContent)
            #expect(try await management.list(path).isEmpty)
        }
    }

    @Test("Client grants of an organization need an organization_usage")
    func grants() async throws {
        try await Self.run { _, management, id in
            let grant = ClientGrant.machineAppointments.id
            let path = "organizations/\(id)/client-grants"
            let body: JSONValue = ["grant_id": .string(grant)]
            #expect(try await management.send(.post, path, body).status == .badRequest)
            let allowed = try await management.patch(
                "client-grants/\(grant)", ["organization_usage": "allow", "allow_any_organization": false])
            #expect(allowed["organization_usage"] == "allow")
            #expect(try await management.send(.post, path, body).status == .created)
            #expect(try await management.list(path).map { $0["id"] } == [.string(grant)])
            #expect(try await management.list("\(path)?audience=other").isEmpty)
            let organizations = try await management.get("client-grants/\(grant)/organizations?take=5")
            #expect(organizations["organizations"]?.array?.map { $0.object?["name"] } == ["acme"])
            #expect(try await management.list("client-grants?allow_any_organization=true").isEmpty)
            #expect(try await management.send(.delete, "\(path)/\(grant)").status == .noContent)
            #expect(try await management.list(path).isEmpty)
            let wrong = try await management.send(.patch, "client-grants/\(grant)", ["organization_usage": "maybe"])
            #expect(wrong.status == .badRequest)
        }
    }
}
