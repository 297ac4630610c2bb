import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Managing a registration")
struct RegistrationManagementTests {
    @Test("RFC 7592 §2.1 (oidcc-3rd_party-init-login): a client reads what it registered")
    func read() async throws {
        try await TestServer.run(.openRegistration) { server in
            let client = try await DynamicClient(
                server, ["initiate_login_uri": "https://app.example.com/login", "contacts": ["ops@example.com"]])
            let answer = try await client.manage(.get)
            #expect(answer.status == .ok)
            var expected = client.registration
            // Only the secret's digest is kept.
            expected["client_secret"] = nil
            expected["client_secret_expires_at"] = nil
            #expect(try answer.json() == expected)
        }
    }

    @Test("RFC 7592 §2.2: a change replaces everything, and the token; the secret and the tenant's own settings stay")
    func update() async throws {
        try await TestServer.run(.openRegistration) { server in
            let client = try await DynamicClient(server, ["contacts": ["ops@example.com"]])
            let stores = server.services.stores
            var stored = try #require(try await stores.clients.find(client.clientID)).client
            stored.refreshToken.isRotating = true
            let configured = stored
            try await stores.database.write {
                try ClientStore.save(configured, secretDigest: nil, sealedSecret: nil, at: server.clock.now, in: $0)
            }
            let secret = try #require(client.registration["client_secret"])
            let change = DynamicClient.metadata([
                "client_id": .string(client.clientID), "client_secret": secret, "client_name": "Renamed",
                "redirect_uris": ["https://app.example.com/new"],
            ])
            let answer = try await client.manage(.put, change)
            #expect(answer.status == .ok)
            let members = try answer.json()
            #expect(members["client_name"] == "Renamed")
            #expect(members["redirect_uris"] == ["https://app.example.com/new"])
            #expect(members["contacts"] == nil)
            let token = try #require(members["registration_access_token"]?.string)
            #expect(token != client.accessToken)
            #expect(try await client.manage(.get).status == .unauthorized)
            #expect(try await client.manage(.get, token: token).status == .ok)
            let changed = try #require(try await stores.clients.find(client.clientID))
            #expect(changed.secretDigest == Secret(secret.string ?? "").digest)
            #expect(changed.client.refreshToken.isRotating)
        }
    }

    @Test("RFC 7592 §2.2: a change names its own client and cannot choose a secret; wrong metadata changes nothing")
    func wrongUpdates() async throws {
        try await TestServer.run(.openRegistration) { server in
            let client = try await DynamicClient(server)
            let id = JSONValue.string(client.clientID)
            for changes in [
                [:], ["client_id": "regular-web-app"], ["client_id": id, "client_secret": "chosen by the client"],
                ["client_id": id, "client_secret": 5], ["client_id": id, "redirect_uris": ["http://evil.example/"]],
            ] as [[String: JSONValue?]] {
                let answer = try await client.manage(.put, DynamicClient.metadata(changes))
                #expect(answer.status == .badRequest)
            }
            #expect(try await client.manage(.get).json()["redirect_uris"] == [.string(Client.callback)])
        }
    }

    @Test("A client that becomes confidential gets a secret, and a public one keeps none that works")
    func secrets() async throws {
        try await TestServer.run(.openRegistration) { server in
            let client = try await DynamicClient(server, ["token_endpoint_auth_method": "none"])
            let id = JSONValue.string(client.clientID)
            let answer = try await client.manage(.put, DynamicClient.metadata(["client_id": id])).json()
            let secret = try #require(answer["client_secret"]?.string)
            #expect(answer["client_secret_expires_at"] == 0)
            let hs256 = try await client.manage(
                .put, DynamicClient.metadata(["client_id": id, "id_token_signed_response_alg": "HS256"]),
                token: answer["registration_access_token"]?.string
            ).json()
            let readable = try #require(hs256["client_secret"]?.string)
            #expect(readable != secret)
            let stored = try #require(try await server.services.stores.clients.find(client.clientID))
            #expect(stored.secretDigest == Secret(readable).digest)
        }
    }

    @Test("RFC 7592 §2: another client's token, none or an unknown one is 401 and tells nothing")
    func strangers() async throws {
        try await TestServer.run(.openRegistration) { server in
            let (client, other) = (try await DynamicClient(server), try await DynamicClient(server))
            for method in [HTTPRequest.Method.get, .put, .delete] {
                let metadata =
                    method == .put ? DynamicClient.metadata(["client_id": .string(client.clientID)]) : nil
                for token in [other.accessToken, "", "unknown", client.registration["client_secret"]?.string ?? ""] {
                    let answer = try await client.manage(method, metadata, token: token)
                    #expect(answer.status == .unauthorized)
                    #expect(answer.headers[.wwwAuthenticate]?.contains("invalid_token") == true)
                }
            }
            #expect(try await client.manage(.get).status == .ok)
            let unknown = try await server.get(
                "/oidc/register/regular-web-app", headers: [.authorization: "Bearer \(client.accessToken)"])
            #expect(unknown.status == .unauthorized)
        }
    }

    @Test("RFC 7592 §2.3: a client that deletes itself takes its tokens and consents with it")
    func delete() async throws {
        try await TestServer.run(.openRegistration) { server in
            let client = try await DynamicClient(server)
            let browser = TestBrowser(server)
            let asked = try await client.party.authorize(browser)
            let code = try await browser.follow(browser.submit(asked, [("action", "accept")])).query("code") ?? ""
            let tokens = try await client.party.redeem(code).json()
            let token = try #require(tokens["access_token"]?.string)
            let headers: HTTPFields = [.authorization: "Bearer \(token)"]
            #expect(try await server.get("/userinfo", headers: headers).status == .ok)
            #expect(try await client.manage(.delete).status == .noContent)
            try await server.services.configuration.refresh()
            #expect(try await server.get("/userinfo", headers: headers).status == .unauthorized)
            #expect(try await client.manage(.get).status == .unauthorized)
            #expect(try await client.party.redeem(code).status == .unauthorized)
            let consents = try await server.services.stores.consentGrants.scope(
                userID: User.ada.id, clientID: client.clientID, audience: nil)
            #expect(consents == nil)
        }
    }

    @Test("RFC 7592 §2: an application that the tenant made its own, or a tenant that closed registration, is 403")
    func closed() async throws {
        try await TestServer.run(.openRegistration) { server in
            let client = try await DynamicClient(server)
            let stores = server.services.stores
            var stored = try #require(try await stores.clients.find(client.clientID)).client
            stored.isFirstParty = true
            let promoted = stored
            try await stores.database.write {
                try ClientStore.save(promoted, secretDigest: nil, sealedSecret: nil, at: server.clock.now, in: $0)
            }
            #expect(try await client.manage(.get).status == .forbidden)
            let other = try await DynamicClient(server)
            try await stores.database.write { try TenantStore.update(TenantSettings(), in: $0) }
            try await server.services.configuration.refresh()
            for method in [HTTPRequest.Method.get, .delete] {
                #expect(try await other.manage(method).status == .forbidden)
            }
        }
    }

    @Test("Of changes that race with one token one is made")
    func race() async throws {
        try await TestServer.run(.openRegistration) { server in
            let client = try await DynamicClient(server)
            let statuses = try await withThrowingTaskGroup { group in
                for index in 0..<10 {
                    group.addTask {
                        try await client.manage(
                            .put,
                            DynamicClient.metadata([
                                "client_id": .string(client.clientID), "client_name": .string("Name \(index)"),
                            ])
                        ).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.count { $0 == .ok } == 1)
            #expect(statuses.count { $0 == .unauthorized } == 9)
        }
    }
}
