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

@Suite("Management API: addresses and their description")
struct ManagementAddressTests {
    @Test(
        "What Auth0 has and Portico has not yet is 501, and everything else 404",
        arguments: [
            ("GET", "forms", 501), ("POST", "organizations/org_1/discovery-domains", 501),
            ("GET", "clients/search", 501),
            ("GET", "nonsense", 404),
            ("PUT", "clients", 404), ("GET", "clients/%zz", 400), ("GET", "clients//credentials", 404),
        ])
    func unknown(method: String, path: String, status: Int) async throws {
        try await TestServer.run { server in
            let management = try await ManagementClient(server)
            let answer = try await management.send(try #require(HTTPRequest.Method(method)), path)
            #expect(answer.status.code == status)
            let body = try answer.json()
            #expect(body["statusCode"]?.integer == status)
            if status == 501 {
                #expect(body["message"]?.string?.contains("does not have it yet") == true)
            }
        }
    }

    @Test("The OpenAPI document has every route with its scopes, and an ETag that saves the second answer")
    func openAPI() async throws {
        try await TestServer.run { server in
            let answer = try await server.get("/api/v2/openapi.json")
            #expect(answer.status == .ok)
            let document = try answer.json()
            #expect(document["openapi"] == "3.1.0")
            var ids: Set<String> = []
            for route in ManagementAPI(services: server.services).routes {
                let operation = document["paths"]?.object?["/\(route.path)"]?.object?[
                    route.method.rawValue.lowercased()]
                let id = operation?.object?["operationId"]?.string ?? ""
                #expect(ids.insert(id).inserted, "\(id) names two routes")
                #expect(
                    operation?.object?["security"]?.array?.count == route.scope.values.count, "\(route.path)")
            }
            let clients = document["paths"]?.object?["/clients"]?.object?["post"]?.object?["requestBody"]
            let schema = clients?.object?["content"]?.object?["application/json"]?.object?["schema"]?.object
            #expect(schema?["required"] == ["name"])
            #expect(schema?["properties"]?.object?["app_type"]?.object?["enum"]?.array?.contains("spa") == true)
            #expect(
                schema?["properties"]?.object?["refresh_token"]?.object?["properties"]?.object?["leeway"]
                    == ["type": ["integer", "null"], "minimum": 0, "maximum": 2_592_000])
            let tag = try #require(answer.headers[.eTag])
            let again = try await server.get("/api/v2/openapi.json", headers: [.ifNoneMatch: tag])
            #expect(again.status == .notModified)
        }
    }
}
