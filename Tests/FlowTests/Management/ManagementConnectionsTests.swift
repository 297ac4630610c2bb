import AuthorizationServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Management API: connections")
struct ManagementConnectionsTests {
    @Test("QK-12: a database with only a name has Auth0's standard options, and users can sign up at once")
    func create() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let made = try await management.post("connections", ["name": "Staff", "strategy": "auth0"])
            #expect(made["id"]?.string?.wholeMatch(of: /con_[A-Za-z0-9]{16}/) != nil)
            #expect(made["options"] == ["passwordPolicy": "good", "brute_force_protection": true])
            #expect(made["realms"] == ["Staff"] && made["enabled_clients"] == [])
            #expect(made["is_domain_connection"] == false)
            let again = try await management.send(.post, "connections", ["name": "Staff", "strategy": "auth0"])
            #expect(again.status == .conflict)
            #expect(try again.json()["message"] == "A connection with the same name already exists")
        }
    }

    @Test("A strategy that the server cannot sign in with yet is 501, not kept and forgotten")
    func otherStrategy() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let answer = try await management.send(.post, "connections", ["name": "tw", "strategy": "twitter"])
            #expect(answer.status == .notImplemented)
            #expect(try await management.list("connections?strategy=twitter").isEmpty)
        }
    }

    @Test("MG-10: PATCH replaces the options as a whole; the name and the strategy stay")
    func patch() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let path = "connections/con_0123456789abcdef"
            let changed = try await management.patch(path, ["options": ["passwordPolicy": "low"]])
            #expect(changed["options"] == ["passwordPolicy": "low"])
            #expect(try await management.send(.patch, path, ["name": "Other"]).status == .badRequest)
            #expect(try await management.send(.patch, path, ["strategy": "github"]).status == .badRequest)
            let wrong = try await management.send(.patch, path, ["options": ["passwordPolicy": "best"]])
            #expect(try wrong.json()["message"]?.string?.contains("on property options.passwordPolicy") == true)
            let nobody = try await management.send(.patch, path, ["enabled_clients": ["nobody"]])
            #expect(try nobody.json()["message"]?.string?.contains("enabled_clients[0]") == true)
        }
    }

    @Test("GET and PATCH /connections/{id}/clients: whom it serves, and no one else's sign-in")
    func clients() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let path = "connections/con_0123456789abcdef/clients"
            let first = try await management.get("\(path)?take=2")
            #expect(first["clients"] == [["client_id": "regular-web-app"], ["client_id": "single-page-app"]])
            let rest = try await management.get("\(path)?take=2&from=\(first["next"]?.string ?? "")")
            #expect(rest == ["clients": [["client_id": "third-party-app"]]])
            let changed = try await management.send(
                .patch, path,
                [
                    ["client_id": "regular-web-app", "status": false], ["client_id": "machine", "status": true],
                ])
            #expect(changed.status == .noContent)
            #expect(
                try await management.get("clients/machine/connections")["connections"]?.array?.count == 1)
            #expect(try await management.get("clients/regular-web-app/connections")["connections"] == [])
            let browser = TestBrowser(server)
            let answer = try await RelyingParty.regularWebApp(server).authorize(browser)
            #expect(answer.query("code") == nil)
            #expect(try await management.send(.patch, path, ["client_id": "machine"]).status == .badRequest)
            #expect(try await management.send(.patch, path, []).status == .badRequest)
        }
    }

    @Test("DELETE /connections/{id}: 202, and its users are gone with their sessions and tokens")
    func delete() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let tokens = try await RelyingParty.regularWebApp(server).tokens(["scope": "openid offline_access"])
            let answer = try await management.send(.delete, "connections/con_0123456789abcdef")
            #expect(answer.status == .accepted)
            #expect(try answer.json()["deleted_at"]?.string?.hasSuffix("Z") == true)
            #expect(try await server.services.stores.users.find(User.ada.id) == nil)
            let refreshed = try await RelyingParty.regularWebApp(server).refresh(
                tokens["refresh_token"]?.string ?? "")
            #expect(refreshed.status != .ok)
            #expect(try await management.send(.delete, "connections/con_0123456789abcdef").status == .accepted)
            let gone = try await management.send(.get, "connections/con_0123456789abcdef")
            #expect(try gone.json()["errorCode"] == "inexistent_connection")
        }
    }

    @Test("DELETE /connections/{id}/users takes the user with the address, and is 204 in any case (QK-14)")
    func deleteUser() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let path = "connections/con_0123456789abcdef/users?email="
            #expect(try await management.send(.delete, path + "Ada%40example.com").status == .noContent)
            #expect(try await server.services.stores.users.find(User.ada.id) == nil)
            #expect(try await server.services.stores.users.find(User.grace.id) != nil)
            #expect(try await management.send(.delete, path + "nobody%40example.com").status == .noContent)
        }
    }

    @Test("DELETE /connections/{id}/users: where several users of a provider have the address, none of them is taken")
    func deleteSharedAddress() async throws {
        try await TestServer.run(UpstreamLoginTests.fixtures("stand-in")) { server in
            let management = try await ManagementClient(server)
            let path = "connections/\(UpstreamLoginTests.connection("stand-in").id)/users?email=kim%40example.com"
            for user in ["7", "8"] {
                _ = try await UpstreamLoginTests.claims(TestBrowser(server), "user=\(user)&email=kim@example.com")
            }
            #expect(try await management.send(.delete, path).status == .conflict)
            #expect(try await server.services.stores.users.find("stand-in|7") != nil)
            #expect(try await management.send(.delete, "users/stand-in%7C8").status == .noContent)
            #expect(try await management.send(.delete, path).status == .noContent)
            #expect(try await server.services.stores.users.find("stand-in|7") == nil)
        }
    }
}
