import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Log events of the Management API")
struct ManagementLogTests {
    @Test("sapi: a write names who, what, before and after, without secrets; reading is no event")
    func writes() async throws {
        try await TestServer.run { server in
            let client = try await ManagementClient(server)
            _ = try await server.logEvents()
            let created = try await client.send(
                .post, "clients", ["name": "New", "client_secret": "a-secret-of-mine-0123456789abcdef"])
            #expect(created.status == .created)
            _ = try await client.list("clients")
            let event = try #require(try await server.logEvents().last)
            #expect(event.type == "sapi" && event.clientID?.isEmpty == false)
            let request = event.details["request"]?.object ?? [:]
            #expect(request["method"] == "POST" && request["path"] == "/api/v2/clients")
            #expect(event.details["response"]?.object?["statusCode"] == 201)
            #expect(event.details["after"]?.object?["name"] == "New" && event.details["before"] == nil)
            #expect(event.details["request_id"] != nil)
            #expect(try !JSON.text(event.document).contains("a-secret-of-mine"))
        }
    }

    @Test("fapi: a write that is refused")
    func refused() async throws {
        try await TestServer.run { server in
            let client = try await ManagementClient(server)
            _ = try await client.send(.post, "clients", ["nothing": "known"])
            let event = try #require(try await server.logEvents().last)
            #expect(event.type == "fapi" && event.details["response"]?.object?["statusCode"] == 400)
        }
    }
}
