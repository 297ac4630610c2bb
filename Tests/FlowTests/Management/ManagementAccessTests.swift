import AuthorizationServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import ManagementAPI
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Management API: who may do what")
struct ManagementAccessTests {
    @Test("MG-2: no token, and a token that is none, are 401 in Auth0's words")
    func noToken() async throws {
        try await TestServer.run { server in
            let missing = try await server.get("/api/v2/clients")
            #expect(missing.status == .unauthorized)
            #expect(
                try missing.json() == ["statusCode": 401, "error": "Unauthorized", "message": "Missing authentication"])
            #expect(missing.headers[.wwwAuthenticate] == "Bearer")
            let wrong = try await ManagementClient(server, token: "a.b.c").send(.get, "clients")
            #expect(wrong.status == .unauthorized)
            #expect(try wrong.json()["message"] == "Invalid token")
        }
    }

    @Test("MG-2: a token for another API is no token here")
    func otherAudience() async throws {
        try await TestServer.run { server in
            let token = try await server.token(
                ("grant_type", "client_credentials"), ("client_id", "machine"),
                ("client_secret", Client.machineSecret), ("audience", "appointments:api")
            ).json()["access_token"]?.string
            let answer = try await ManagementClient(server, token: token ?? "").send(.get, "clients")
            #expect(answer.status == .unauthorized)
            #expect(try answer.json()["message"] == "Bad audience: appointments:api")
        }
    }

    @Test("MG-3: every route refuses a token without its scope, and names what it wants")
    func everyRouteNeedsItsScope() async throws {
        try await TestServer.run { server in
            let client = try await ManagementClient(server, scope: ["read:insights"])
            let routes = ManagementAPI(services: server.services).routes
            #expect(!routes.isEmpty)
            for route in routes {
                let path = "\(route.path)".replacing(/\{\w+\}/, with: "x")
                let method = try #require(HTTPRequest.Method(route.method.rawValue))
                let answer = try await client.send(method, path)
                #expect(answer.status == .forbidden, "\(route.method) \(route.path)")
                let body = try answer.json()
                #expect(body["errorCode"] == "insufficient_scope")
                let wanted = route.scope.values.joined(separator: ", ")
                #expect(body["message"]?.string == "Insufficient scope, expected any of: \(wanted)")
                let anonymous = try await server.client.execute(uri: "/api/v2/\(path)", method: method)
                #expect(anonymous.status == .unauthorized, "\(route.method) \(route.path)")
            }
        }
    }

    @Test("What the client grant no longer gives is refused at once, whatever the token says")
    func withdrawnGrant() async throws {
        try await TestServer.run { server in
            let client = try await ManagementClient(server, scope: ["read:clients", "read:client_grants"])
            let other = try await ManagementClient(server)
            let id = client.token.claims["azp"]?.string ?? ""
            #expect(try await client.send(.get, "clients").status == .ok)
            _ = try await other.patch("client-grants/cgr_\(id)", ["scope": ["read:client_grants"]])
            #expect(try await client.send(.get, "clients").status == .forbidden)
            #expect(try await client.send(.get, "client-grants").status == .ok)
            #expect(try await other.send(.delete, "client-grants/cgr_\(id)").status == .noContent)
            #expect(try await client.send(.get, "client-grants").status == .unauthorized)
        }
    }

    @Test("An expired token is 401")
    func expired() async throws {
        try await TestServer.run { server in
            let client = try await ManagementClient(server)
            server.clock.advance(by: 86_401)
            #expect(try await client.send(.get, "clients").status == .unauthorized)
        }
    }

    @Test("A person gets the scopes that their permissions give, and loses them with the permission")
    func people() async throws {
        try await TestServer.run { server in
            let audience = server.services.issuer.managementAudience
            let role = try Role(
                document: Document(
                    [
                        "name": "Auditor",
                        "permissions": [
                            ["resource_server_identifier": .string(audience), "permission_name": "read:clients"]
                        ],
                    ], path: ""), standardID: "rol_0123456789abcdef")
            try await server.services.stores.database.write { transaction in
                try RoleStore.save(role, in: transaction)
                try RoleStore.assign(roleID: "rol_0123456789abcdef", to: User.ada.id, in: transaction)
            }
            let tokens = try await RelyingParty.regularWebApp(server).tokens([
                "audience": audience, "scope": "openid read:clients update:clients read:current_user",
            ])
            let token = tokens["access_token"]?.string ?? ""
            let granted = try Scope(parsing: tokens["scope"]?.string ?? "")
            #expect(granted == Scope(["openid", "read:clients", "read:current_user"]))
            let person = ManagementClient(server, token: token)
            #expect(try await person.send(.get, "clients").status == .ok)
            #expect(try await person.send(.delete, "clients/machine").status == .forbidden)
            try await server.services.stores.database.write { try RoleStore.delete(name: "Auditor", in: $0) }
            #expect(try await person.send(.get, "clients").status == .forbidden)
            try await server.services.stores.database.write { try UserStore.setBlocked(true, User.ada.id, in: $0) }
            #expect(try await person.send(.get, "clients").status == .unauthorized)
        }
    }

    @Test("RFC 9449 §7: a token that is bound to a key needs a proof for each request")
    func boundTokens() async throws {
        try await TestServer.run { server in
            let audience = server.services.issuer.managementAudience
            let plain = try await ManagementClient(server, scope: ["read:clients"])
            let (id, key) = (plain.token.claims["azp"]?.string ?? "", ClientKey(server))
            let token =
                try await server.token(
                    ("grant_type", "client_credentials"), ("client_id", id), ("client_secret", Client.machineSecret),
                    ("audience", audience), headers: key.headers()
                ).json()["access_token"]?.string ?? ""
            let bound = ManagementClient(server, token: token)
            #expect(try await bound.send(.get, "clients").status == .unauthorized)
            let proof = try key.proof("GET", "api/v2/clients", accessToken: token)
            let headers: HTTPFields = [.authorization: "DPoP \(token)", .dpop: proof]
            #expect(try await bound.send(.get, "clients", headers: headers).status == .ok)
            let again = try await bound.send(.get, "clients", headers: headers)
            #expect(again.status == .unauthorized)
            #expect(try again.json()["errorCode"] == "invalid_dpop_proof")
        }
    }

    @Test("MG-16: only origins that an application lists as allowed may call it from a browser")
    func crossOrigin() async throws {
        var fixtures = Fixtures()
        fixtures.change("single-page-app") { $0.allowedOrigins = ["https://admin.example.com"] }
        try await TestServer.run(fixtures) { server in
            for (origin, isAllowed) in [("https://admin.example.com", true), ("https://app.example.com", false)] {
                let answer = try await server.client.execute(
                    uri: "/api/v2/clients", method: .options,
                    headers: [.origin: origin, .accessControlRequestMethod: "PATCH"])
                #expect(answer.status == .noContent)
                #expect((answer.headers[.accessControlAllowOrigin] == origin) == isAllowed)
                #expect((answer.headers[.accessControlAllowMethods]?.contains("PATCH") == true) == isAllowed)
            }
        }
    }

    @Test("A tenant's API of its own follows the tenant to another address, with what is granted for it")
    func moves() async throws {
        try await TestServer.run { server in
            let client = try await ManagementClient(server, scope: ["read:clients"])
            let stores = server.services.stores
            try await SystemAPI.prepare(stores, issuer: try Issuer("https://new.example.com/"), moves: true)
            let grants = try await stores.database.read { try ClientGrantStore.list(in: $0) }
            let id = client.token.claims["azp"]?.string
            #expect(grants.first { $0.clientID == id }?.audience == "https://new.example.com/api/v2/")
            #expect(try await stores.resourceServers.find(identifier: "https://login.example.com/api/v2/") == nil)
            // Whoever only may not know the address changes nothing.
            try await SystemAPI.prepare(stores, issuer: try Issuer("http://localhost:8080/"), moves: false)
            #expect(try await stores.resourceServers.find(identifier: "https://new.example.com/api/v2/") != nil)
        }
    }
}
