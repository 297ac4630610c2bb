import AuthorizationServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Management API: resource servers and client grants")
struct ManagementAPIsTests {
    @Test("An API is found by its id and by its identifier, whose slashes are encoded in the path")
    func identifiers() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let made = try await management.post(
                "resource-servers",
                ["identifier": "https://api.example.com/v1/", "name": "Orders", "scopes": [["value": "read:orders"]]])
            let id = made["id"]?.string ?? ""
            #expect(id.wholeMatch(of: /[0-9a-f]{24}/) != nil)
            #expect(made["signing_alg"] == "RS256" && made["token_lifetime"] == 86400)
            for path in [id, "https:%2F%2Fapi.example.com%2Fv1%2F", "https%3A%2F%2Fapi.example.com%2Fv1%2F"] {
                #expect(try await management.get("resource-servers/\(path)")["id"]?.string == id)
            }
            let again = try await management.send(
                .post, "resource-servers", ["identifier": "https://api.example.com/v1/"])
            #expect(again.status == .conflict)
            #expect(
                try again.json()["message"] == "A resource server with the same identifier already exists.")
            let moved = try await management.send(.patch, "resource-servers/\(id)", ["identifier": "other"])
            #expect(moved.status == .badRequest)
        }
    }

    @Test("A scope that an API loses is gone from the grants and roles that have it")
    func scopes() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let changed = try await management.patch(
                "resource-servers/appointments%3Aapi", ["scopes": [["value": "read:notes", "description": "Notes"]]])
            #expect(changed["scopes"] == [["value": "read:notes", "description": "Notes"]])
            let grant = try await management.get("client-grants/cgr_0123456789abcdef")
            #expect(grant["scope"] == ["read:notes"])
        }
    }

    @Test("HS256: the secret is made where none is given, and shown this once")
    func secret() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let made = try await management.post("resource-servers", ["identifier": "hs", "signing_alg": "HS256"])
            #expect(made["signing_secret"]?.string?.count == 64)
            #expect(try await management.get("resource-servers/hs")["signing_secret"] == nil)
        }
    }

    @Test("MG-1: the Management API is among the APIs, keeps what it is, and cannot be deleted")
    func system() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let apis = try await management.get("resource-servers?include_totals=true")["resource_servers"]?.array ?? []
            let system = try #require(apis.compactMap(\.object).first { $0["is_system"] == true })
            #expect(system["identifier"] == "https://login.example.com/api/v2/")
            let id = system["id"]?.string ?? ""
            #expect(try await management.send(.delete, "resource-servers/\(id)").status == .badRequest)
            #expect(try await management.send(.patch, "resource-servers/\(id)", ["scopes": []]).status == .badRequest)
            let changed = try await management.patch("resource-servers/\(id)", ["token_lifetime": 7200])
            #expect(changed["token_lifetime"] == 7200)
            let next = try await ManagementClient(server)
            #expect(
                try #require(next.token.claims["exp"]?.integer) - #require(next.token.claims["iat"]?.integer) == 7200)
        }
    }

    @Test("Deleting an API takes its grants along; a second time is 204 too")
    func delete() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            #expect(try await management.send(.delete, "resource-servers/appointments%3Aapi").status == .noContent)
            #expect(try await management.send(.delete, "resource-servers/appointments%3Aapi").status == .noContent)
            #expect(try await management.send(.get, "client-grants/cgr_0123456789abcdef").status == .notFound)
        }
    }

    @Test("Client grants: filters, one for each application and API, and only scopes that the API has")
    func grants() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            #expect(try await management.list("client-grants?audience=appointments%3Aapi").count == 1)
            #expect(try await management.list("client-grants?client_id=nobody").isEmpty)
            #expect(try await management.get("client-grants?take=1")["next"] != nil)
            let same: JSONValue = ["client_id": "machine", "audience": "appointments:api", "scope": []]
            let again = try await management.send(.post, "client-grants", same)
            #expect(again.status == .conflict)
            #expect(
                try again.json()["message"] == "A client grant for this client and API combination already exists")
            let path = "client-grants/cgr_0123456789abcdef"
            let unknown = try await management.send(.patch, path, ["scope": ["fly"]])
            #expect(unknown.status == .badRequest)
            #expect(try await management.patch(path, ["scope": ["contacts"]])["scope"] == ["contacts"])
            let user = try await management.send(
                .post, "client-grants",
                ["client_id": "machine", "audience": "appointments:api", "scope": [], "subject_type": "user"])
            #expect(user.status == .badRequest)
            #expect(try await management.send(.delete, path).status == .noContent)
            #expect(try await management.send(.get, path).status == .notFound)
        }
    }
}
