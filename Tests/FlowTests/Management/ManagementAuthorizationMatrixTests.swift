import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import ManagementAPI
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Management API: who may do what, for every route")
struct ManagementAuthorizationMatrixTests {
    /// What a request has to show for itself, and the status that it deserves.
    private struct Bearer: Sendable {
        let name: String
        let token: String?
        let status: HTTPResponse.Status
    }

    @Test(
        "Every route × no token, a broken one, another API's, another tenant's, an expired one, no scope, a user's own")
    func matrix() async throws {
        try await TestServer.run { other in
            try await TestServer.run { server in
                let bearers = try await Self.bearers(server, other)
                let routes = ManagementAPI(services: server.services).routes
                #expect(routes.count > 50)
                for route in routes {
                    for bearer in bearers { try await Self.check(route, bearer, server) }
                }
            }
        }
    }

    private static func bearers(_ server: TestServer, _ other: TestServer) async throws -> [Bearer] {
        let old = try await ManagementClient(server).token
        let audience = server.services.issuer.managementAudience
        server.clock.advance(by: 86_401)
        let machine = try await server.token(
            ("grant_type", "client_credentials"), ("client_id", "machine"), ("client_secret", Client.machineSecret),
            ("audience", "appointments:api")
        ).json()["access_token"]?.string
        let good = try await ManagementClient(server).token
        let user = try await RelyingParty.regularWebApp(server).tokens([
            "audience": audience, "scope": "openid read:current_user",
        ])
        let parts = good.split(separator: ".")
        return [
            Bearer(name: "none", token: nil, status: .unauthorized),
            Bearer(name: "one that is no JWT", token: "opaque", status: .unauthorized),
            Bearer(name: "one without a signature", token: "\(parts[0]).\(parts[1]).", status: .unauthorized),
            Bearer(name: "another API's", token: machine, status: .unauthorized),
            Bearer(name: "another tenant's", token: try await ManagementClient(other).token, status: .unauthorized),
            Bearer(name: "expired", token: old, status: .unauthorized),
            Bearer(name: "an ID token", token: user["id_token"]?.string, status: .unauthorized),
            Bearer(
                name: "no scope for it", token: try await ManagementClient(server, scope: ["read:insights"]).token,
                status: .forbidden),
            Bearer(name: "a user's on themselves", token: user["access_token"]?.string, status: .forbidden),
        ]
    }

    /// The path names somebody else's account, so that no scope on one's own counts.
    private static func check(_ route: Route, _ bearer: Bearer, _ server: TestServer) async throws {
        let path = "\(route.path)".replacing(/\{\w+\}/, with: "x")
        let method = try #require(HTTPRequest.Method(route.method.rawValue))
        var headers: HTTPFields = [.contentType: "application/json"]
        if let token = bearer.token { headers[.authorization] = "Bearer \(token)" }
        let answer = try await server.client.execute(uri: "/api/v2/\(path)", method: method, headers: headers)
        #expect(answer.status == bearer.status, "\(route.method) \(route.path) with \(bearer.name)")
        #expect(try answer.json()["statusCode"] == .integer(Int64(bearer.status.code)))
        #expect(answer.headers[.wwwAuthenticate]?.hasPrefix("Bearer") == true, "\(route.path) with \(bearer.name)")
    }
}
