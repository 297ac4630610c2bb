import AuthorizationServer
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import ManagementAPI
import NIOFoundationEssentialsCompat
import OAuth
import Storage

/// A machine that manages the tenant over `/api/v2`.
package struct ManagementClient: Sendable {
    package let server: TestServer
    package let token: String
    private let check: AnswerCheck

    /// A client of the Management API with `scope`, whose grant is made for it; nil gives every scope.
    package init(_ server: TestServer, scope: [String]? = nil) async throws {
        self.server = server
        check = AnswerCheck(ManagementAPI(services: server.services).routes)
        let scope = Scope(scope ?? SystemAPI.scopes.map(\.value))
        let id = RandomBytes.alphanumeric(12)
        try await Self.grant(scope, to: id, server)
        let answer = try await server.token(
            ("grant_type", "client_credentials"), ("client_id", id), ("client_secret", Client.machineSecret),
            ("audience", server.services.issuer.managementAudience)
        ).json()
        token = answer["access_token"]?.string ?? ""
    }

    package init(_ server: TestServer, token: String) {
        (self.server, self.token) = (server, token)
        check = AnswerCheck(ManagementAPI(services: server.services).routes)
    }

    private static func grant(_ scope: Scope, to id: String, _ server: TestServer) async throws {
        var client = Client(clientID: id, name: "Manager \(id)")
        client.appType = .nonInteractive
        client.grantTypes = [.clientCredentials]
        let (manager, now) = (client, server.services.now())
        let audience = server.services.issuer.managementAudience
        try await server.services.stores.database.write { transaction in
            try ClientStore.save(
                manager, secretDigest: Secret(Client.machineSecret).digest, sealedSecret: nil, at: now, in: transaction)
            try ClientGrantStore.save(
                ClientGrant(id: "cgr_\(id)", clientID: id, audience: audience, scope: scope), in: transaction)
        }
        try await server.services.configuration.refresh()
    }

    /// Asks for `path` below `/api/v2/`.
    package func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: JSONValue? = nil, headers: HTTPFields = [:]
    ) async throws -> TestResponse {
        var headers = headers
        if headers[.authorization] == nil { headers[.authorization] = "Bearer \(token)" }
        if body != nil, headers[.contentType] == nil { headers[.contentType] = "application/json" }
        let response = try await server.client.execute(
            uri: "/api/v2/\(path)", method: method, headers: headers,
            body: body.map { ByteBuffer(string: (try? JSON.text($0)) ?? "") })
        try check.check(method, path, response)
        return response
    }

    /// The members of the answer to a `GET`.
    package func get(_ path: String) async throws -> JSONObject { try await send(.get, path).json() }

    /// The elements of the answer to a `GET`.
    package func list(_ path: String) async throws -> [JSONObject] {
        try JSON.decode([JSONObject].self, from: Data(buffer: await send(.get, path).body))
    }

    /// The members of the answer to a `POST`.
    package func post(_ path: String, _ body: JSONValue) async throws -> JSONObject {
        try await send(.post, path, body).json()
    }

    /// The members of the answer to a `PATCH`.
    package func patch(_ path: String, _ body: JSONValue) async throws -> JSONObject {
        try await send(.patch, path, body).json()
    }
}
