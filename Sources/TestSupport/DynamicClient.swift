import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import OAuth
import Storage

/// A client that registers itself, and what it got.
package struct DynamicClient: Sendable {
    package let server: TestServer
    package let registration: JSONObject

    /// The metadata that a web application sends, with `changes`; nil removes a member.
    package static func metadata(_ changes: [String: JSONValue?] = [:]) -> JSONObject {
        var members: [String: JSONValue?] = [
            "redirect_uris": [.string(Client.callback)], "client_name": "Conformance",
        ]
        members.merge(changes) { $1 }
        return members.compactMapValues(\.self)
    }

    /// Sends metadata to the registration endpoint.
    package static func send(_ metadata: JSONObject, to server: TestServer) async throws -> TestResponse {
        try await server.post("/oidc/register", json: JSON.text(metadata))
    }

    /// Registers a client.
    package init(_ server: TestServer, _ changes: [String: JSONValue?] = [:]) async throws {
        self.server = server
        registration = try await Self.send(Self.metadata(changes), to: server).json()
    }

    package var clientID: String { registration["client_id"]?.string ?? "" }
    package var accessToken: String { registration["registration_access_token"]?.string ?? "" }

    /// A request to the client configuration endpoint.
    /// - Parameter token: nil for the client's own.
    package func manage(
        _ method: HTTPRequest.Method, _ metadata: JSONObject? = nil, token: String? = nil
    ) async throws -> TestResponse {
        let path = (registration["registration_client_uri"]?.string ?? "").replacing(
            "https://login.example.com", with: "")
        var headers: HTTPFields = [.authorization: "Bearer \(token ?? accessToken)"]
        if metadata != nil { headers[.contentType] = "application/json" }
        return try await server.client.execute(
            uri: path, method: method, headers: headers,
            body: try metadata.map { ByteBuffer(string: try JSON.text($0)) } ?? ByteBuffer())
    }

    /// The application that the registration made.
    package var party: RelyingParty {
        RelyingParty(server: server, clientID: clientID, secret: registration["client_secret"]?.string)
    }
}

extension Fixtures {
    /// A tenant where clients may register themselves, and every application's users come from the database connection.
    package static var openRegistration: Fixtures {
        var fixtures = Fixtures()
        fixtures.settings.other["flags"] = ["enable_dynamic_client_registration": true]
        for index in fixtures.connections.indices { fixtures.connections[index].isDomainConnection = true }
        return fixtures
    }
}
