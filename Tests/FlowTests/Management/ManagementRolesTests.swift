import AuthorizationServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Management API: roles")
struct ManagementRolesTests {
    @Test("MG-12: Auth0's statuses, and only id, name and description in the answers")
    func roles() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let answer = try await management.send(.post, "roles", ["name": "Nurse", "description": "Helps"])
            #expect(answer.status == .ok)
            let role = try answer.json()
            #expect(Set(role.keys) == ["id", "name", "description"])
            let id = role["id"]?.string ?? ""
            #expect(id.wholeMatch(of: /rol_[A-Za-z0-9]{16}/) != nil)
            #expect(try await management.send(.post, "roles", ["name": "Nurse"]).status == .conflict)
            #expect(try await management.patch("roles/\(id)", ["name": "Doctor"])["description"] == "Helps")
            #expect(try await management.list("roles?name_filter=doc").count == 1)
            #expect(try await management.list("roles?name_filter=nur").isEmpty)
            let gone = try await management.send(.delete, "roles/\(id)")
            #expect(gone.status == .ok && gone.text == "{}")
            #expect(try await management.send(.get, "roles/\(id)").status == .notFound)
        }
    }

    @Test("A role's users, by pages and by checkpoints")
    func users() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let id = try await management.post("roles", ["name": "Nurse"])["id"]?.string ?? ""
            let all: JSONValue = ["users": [.string(User.ada.id), .string(User.grace.id)]]
            #expect(try await management.send(.post, "roles/\(id)/users", all).status == .ok)
            let first = try await management.get("roles/\(id)/users?take=1")
            #expect(first["users"]?.array?.count == 1)
            let next = first["next"]?.string ?? ""
            let rest = try await management.get("roles/\(id)/users?take=1&from=\(next.formEncoded)")
            #expect(
                rest["users"] == [
                    ["user_id": .string(User.grace.id), "email": "grace@example.com", "name": "grace@example.com"]
                ])
            #expect(rest["next"] == nil)
            #expect(try await management.get("roles/\(id)/users?include_totals=true")["total"] == 2)
            let nobody = try await management.send(.post, "roles/\(id)/users", ["users": ["auth0|nobody"]])
            #expect(nobody.status == .notFound)
            #expect(try await management.send(.post, "roles/\(id)/users", ["users": []]).status == .badRequest)
        }
    }
}
