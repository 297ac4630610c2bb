import AuthorizationServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Management API: clients")
struct ManagementClientsTests {
    @Test("POST /clients makes an application that can be used at once, and shows its secret this once")
    func create() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let answer = try await management.send(
                .post, "clients",
                ["name": "Robot", "app_type": "non_interactive", "grant_types": ["client_credentials"]])
            #expect(answer.status == .created)
            let made = try answer.json()
            let (id, secret) = (made["client_id"]?.string ?? "", made["client_secret"]?.string ?? "")
            #expect(id.wholeMatch(of: /[A-Za-z0-9]{32}/) != nil)
            #expect(secret.wholeMatch(of: /[A-Za-z0-9_-]{64}/) != nil)
            #expect(made["tenant"] == "login" && made["global"] == false)
            #expect(made["token_endpoint_auth_method"] == "client_secret_post")
            let grant = try await management.send(
                .post, "client-grants",
                ["client_id": .string(id), "audience": "appointments:api", "scope": ["appointments"]])
            #expect(grant.status == .created)
            let token = try await server.token(
                ("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret),
                ("audience", "appointments:api"))
            #expect(token.status == .ok)
            let seen = try await management.get("clients/\(id)")
            #expect(seen["client_secret"] == nil)
            #expect(seen["name"] == "Robot")
        }
    }

    @Test(
        "MG-4: what is wrong with a payload is told with the path of the property",
        arguments: [
            (#"{"app_type": "spa"}"#, "Payload validation error: 'Missing required property: name'."),
            (#"{"name": "A", "nam": 1}"#, "Payload validation error: 'Additional properties not allowed: nam'."),
            (#"{"name": 1}"#, "Payload validation error: 'must be a text' on property name."),
            (
                #"{"name": "A", "callbacks": ["https://a.example.com", 1]}"#,
                "Payload validation error: 'must be a text' on property callbacks[1]."
            ),
            (
                #"{"name": "A", "refresh_token": {"leeway": -1}}"#,
                "Payload validation error: 'must be a whole number from 0 to 2592000' on property refresh_token.leeway."
            ),
            (
                #"{"name": "A", "grant_types": ["refresh_token", "authorisation_code"]}"#,
                "Payload validation error: ''authorisation_code' is no grant type; did you mean authorization_code?' "
                    + "on property grant_types."
            ),
            (
                #"{"name": "A", "client_id": "x"}"#,
                "Payload validation error: 'Additional properties not allowed: client_id'."
            ),
            (#"{"name": "A", "name": "B"}"#, "The body has the member 'name' twice"),
            (#"{"name": "A""#, "Invalid request payload JSON format"),
            ("[]", "Payload validation error: 'Expected type object'."),
        ])
    func payload(body: String, message: String) async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let answer = try await server.post(
                "/api/v2/clients", json: body, headers: [.authorization: "Bearer \(management.token)"])
            #expect(answer.status == .badRequest)
            #expect(
                try answer.json() == [
                    "statusCode": 400, "error": "Bad Request", "message": .string(message), "errorCode": "invalid_body",
                ])
        }
    }

    @Test("A body is JSON, of a bounded size and depth")
    func strictBodies() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let authorization: HTTPFields = [.authorization: "Bearer \(management.token)"]
            let form = try await server.post("/api/v2/clients", form: [("name", "A")], headers: authorization)
            #expect(form.status == .unsupportedMediaType)
            let deep = String(repeating: "[", count: 120) + String(repeating: "]", count: 120)
            let nested = try await server.post(
                "/api/v2/clients", json: #"{"name": "A", "addons": \#(deep)}"#, headers: authorization)
            #expect(nested.status == .badRequest)
            #expect(try nested.json()["message"] == "The body has more than 100 levels")
            let long = try await server.post(
                "/api/v2/clients", json: #"{"name": "\#(String(repeating: "a", count: 1 << 20))"}"#,
                headers: authorization)
            #expect(long.status == .contentTooLarge)
        }
    }

    @Test("MG-10: PATCH replaces the members that are there, null removes one, and metadata merges by its keys")
    func patch() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let id =
                try await management.post(
                    "clients",
                    [
                        "name": "Shop", "app_type": "regular_web", "description": "Sells",
                        "client_metadata": ["a": "1", "b": "2", "c": "3"], "callbacks": ["https://shop.example.com/a"],
                    ])["client_id"]?.string ?? ""
            let changed = try await management.patch(
                "clients/\(id)",
                [
                    "description": nil, "client_metadata": ["a": nil, "b": "", "d": "4"],
                    "callbacks": ["https://shop.example.com/b"],
                ])
            #expect(changed["description"] == nil)
            #expect(changed["client_metadata"] == ["c": "3", "d": "4"])
            #expect(changed["callbacks"] == ["https://shop.example.com/b"])
            #expect(changed["name"] == "Shop" && changed["client_secret"] == nil)
        }
    }

    @Test("Every node's configuration follows: a callback that was added is good at the next request")
    func followed() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let party = RelyingParty.regularWebApp(server)
            _ = try await TestBrowser(server).get(party.authorizationURL())
            let before = try await server.services.stores.tenant.configurationVersion()
            _ = try await management.patch(
                "clients/regular-web-app", ["callbacks": ["https://new.example.com/callback"]])
            #expect(try await server.services.stores.tenant.configurationVersion() > before)
            let answer = try await TestBrowser(server).get(
                party.authorizationURL(["redirect_uri": "https://new.example.com/callback"]))
            #expect(answer.location?.hasPrefix("/u/login") == true)
        }
    }

    @Test("MG-7: pages, totals, and an empty page past the end")
    func pages() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let all = try await management.list("clients")
            #expect(all.count == 5)
            let page = try await management.get("clients?page=1&per_page=2&include_totals=true")
            #expect(page["start"] == 2 && page["limit"] == 2 && page["total"] == 5)
            #expect(page["clients"]?.array == all[2...3].map(JSONValue.object))
            let past = try await management.get("clients?page=9&per_page=50&include_totals=true")
            #expect(past["clients"] == [] && past["total"] == 5)
            #expect(try await management.send(.get, "clients?per_page=101").status == .badRequest)
            let wrong = try await management.send(.get, "clients?colour=red")
            #expect(try wrong.json()["errorCode"] == "invalid_query_string")
        }
    }

    @Test("MG-8: checkpoints lead through the whole list once")
    func checkpoints() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            var (seen, next): ([String], String?) = ([], nil)
            repeat {
                let from = next.map { "&from=\($0.formEncoded)" } ?? ""
                let answer = try await management.get("clients?take=2\(from)")
                seen += (answer["clients"]?.array ?? []).compactMap { $0.object?["client_id"]?.string }
                next = answer["next"]?.string
            } while next != nil && seen.count < 20
            #expect(seen.count == 5 && Set(seen).count == 5)
            // auth0-python sends pages and totals beside checkpoints, asked for or not.
            let both = try await management.get("clients?take=2&page=1&per_page=3&include_totals=true")
            #expect(both["clients"]?.array?.count == 2 && both["next"] != nil && both["total"] == nil)
        }
    }

    @Test("fields and include_fields choose members; the tenant stays (QK-1)")
    func fields() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let only = try await management.get("clients/machine?fields=client_id,name")
            #expect(Set(only.keys) == ["client_id", "name", "tenant"])
            let without = try await management.get("clients/machine?fields=name&include_fields=false")
            #expect(without["name"] == nil && without["client_id"] == "machine")
        }
    }

    @Test("CLI-1: read:client_summary shows which applications there are, and no more")
    func summary() async throws {
        try await TestServer.run { server in
            let reader = try await ManagementClient(server, scope: ["read:client_summary"])
            let seen = try await reader.get("clients/regular-web-app")
            #expect(Set(seen.keys) == ["client_id", "name", "app_type", "tenant"])
        }
    }

    @Test("Filters: app_type, is_first_party; nothing is global")
    func filters() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            func ids(_ query: String) async throws -> [String] {
                try await management.list("clients?\(query)").compactMap { $0["client_id"]?.string }
            }
            #expect(try await ids("app_type=spa,regular_web") == ["regular-web-app", "single-page-app"])
            #expect(try await ids("is_first_party=false") == ["third-party-app"])
            #expect(try await ids("is_global=true").isEmpty)
        }
    }

    @Test("POST /clients/{id}/rotate-secret: the new secret is good, the old one is not")
    func rotate() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let answer = try await management.send(.post, "clients/machine/rotate-secret")
            #expect(answer.status == .ok)
            let secret = try answer.json()["client_secret"]?.string ?? ""
            for (secret, status) in [(secret, HTTPResponse.Status.ok), (Client.machineSecret, .unauthorized)] {
                let token = try await server.token(
                    ("grant_type", "client_credentials"), ("client_id", "machine"), ("client_secret", secret),
                    ("audience", "appointments:api"))
                #expect(token.status == status)
            }
            #expect(try await management.send(.post, "clients/single-page-app/rotate-secret").status == .badRequest)
            let weak = try await ManagementClient(server, scope: ["update:clients"])
            #expect(try await weak.send(.post, "clients/machine/rotate-secret").status == .forbidden)
            let given = try await weak.send(.patch, "clients/machine", ["client_secret": "0123456789abcdef0123"])
            #expect(given.status == .forbidden)
        }
    }

    @Test("MG-11: DELETE takes the application with its tokens and grants, and is 204 again")
    func delete() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            #expect(try await management.send(.delete, "clients/regular-web-app").status == .noContent)
            #expect(try await management.send(.delete, "clients/regular-web-app").status == .noContent)
            let gone = try await management.send(.get, "clients/regular-web-app")
            #expect(gone.status == .notFound)
            #expect(
                try gone.json() == [
                    "statusCode": 404, "error": "Not Found", "message": "The client does not exist",
                    "errorCode": "inexistent_client",
                ])
            let connection = try await server.services.stores.connections.list().first
            #expect(connection?.enabledClients.contains("regular-web-app") == false)
        }
    }

    @Test("Rules that need more than the payload: the same that portico apply has")
    func rules() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let answer = try await management.send(
                .post, "clients", ["name": "A", "app_type": "regular_web", "jwt_configuration": ["alg": "ES256"]])
            #expect(answer.status == .badRequest)
            #expect(try answer.json()["message"]?.string?.contains("on property jwt_configuration.alg") == true)
            let weak = try await management.send(.post, "clients", ["name": "A", "client_secret": "short"])
            #expect(try weak.json()["message"]?.string?.contains("shorter than 16 characters") == true)
        }
    }

    @Test("Credentials: registered, taken into use by their id, and only deleted when out of use")
    func credentials() async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let answer = try await management.send(
                .post, "clients/regular-web-app/credentials",
                ["credential_type": "public_key", "name": "first", "pem": .string(try ForeignKey.rsa().pem)])
            #expect(answer.status == .created)
            let empty = try await management.send(
                .post, "clients/regular-web-app/credentials", ["credential_type": "public_key", "pem": ""])
            #expect(empty.status == .badRequest)
            #expect(try empty.json()["message"]?.string?.contains("on property pem") == true)
            let credential = try answer.json()
            let id = credential["id"]?.string ?? ""
            #expect(id.hasPrefix("cred_") && credential["pem"] == nil && credential["alg"] == "RS256")
            #expect(
                try await management.get("clients/regular-web-app")["token_endpoint_auth_method"]
                    == "client_secret_post")
            let used = try await management.patch(
                "clients/regular-web-app",
                ["client_authentication_methods": ["private_key_jwt": ["credentials": [["id": .string(id)]]]]])
            #expect(
                used["client_authentication_methods"] == ["private_key_jwt": ["credentials": [["id": .string(id)]]]])
            #expect(try await management.list("clients/regular-web-app/credentials").map { $0["id"] } == [.string(id)])
            let path = "clients/regular-web-app/credentials/\(id)"
            #expect(try await management.send(.delete, path).status == .badRequest)
            let dated = try await management.patch(path, ["expires_at": "2030-01-01T00:00:00.000Z"])
            #expect(dated["expires_at"] == "2030-01-01T00:00:00.000Z")
            let back = try await management.send(
                .patch, "clients/regular-web-app",
                ["client_authentication_methods": nil, "token_endpoint_auth_method": "client_secret_post"])
            #expect(back.status == .ok)
            #expect(try await management.get(path)["name"] == "first")
            #expect(try await management.send(.delete, path).status == .noContent)
            #expect(try await management.send(.get, path).status == .notFound)
        }
    }
}
