import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Auth0: auth0-forwarded-for says for whom an application's server asks, where the server may be believed")
struct ForwardedAddressTests {
    private static func headers(_ forwarded: String?) throws -> HTTPFields {
        var headers: HTTPFields = [try #require(HTTPField.Name("X-Forwarded-For")): "203.0.113.9"]
        if let forwarded { headers[try #require(HTTPField.Name("auth0-forwarded-for"))] = forwarded }
        return headers
    }

    private static func start(_ server: TestServer, _ forwarded: String, secret: String?) async throws -> TestResponse {
        var form = [
            ("client_id", "regular-web-app"), ("connection", "email"), ("email", "new@example.com"), ("send", "code"),
        ]
        if let secret { form.append(("client_secret", secret)) }
        return try await server.post("/passwordless/start", form: form, headers: try headers(forwarded))
    }

    @Test(
        "/passwordless/start counts for the person, of clients alone that have a secret and are trusted",
        arguments: [(true, true), (false, true), (true, false)])
    func passwordless(isTrusted: Bool, hasSecret: Bool) async throws {
        var fixtures = PasswordlessTests.fixtures()
        fixtures.change("regular-web-app") { client in
            client.isForwardedAddressTrusted = isTrusted
            if !hasSecret { client.tokenEndpointAuthMethod = .none }
        }
        try await TestServer.run(fixtures, proxy: TestProxy()) { server in
            let secret = hasSecret ? RelyingParty.regularWebApp(server).secret : nil
            for _ in 0..<10 {
                #expect(try await Self.start(server, "198.51.100.1", secret: secret).status == .ok)
            }
            #expect(try await Self.start(server, "198.51.100.1", secret: secret).status == .tooManyRequests)
            let isBelieved = isTrusted && hasSecret
            let other = try await Self.start(server, "198.51.100.2", secret: secret)
            #expect(other.status == (isBelieved ? .ok : .tooManyRequests))
            let asked = try await server.logEvents().filter { $0.type == "cls" }.compactMap(\.ip)
            #expect(Set(asked) == (isBelieved ? ["198.51.100.1", "198.51.100.2"] : ["203.0.113.9"]))
        }
    }

    @Test(
        "At the token endpoint failures count for the person, and the log has their address",
        arguments: [
            ("2001:db8::7", "2001:db8::7"), ("198.51.100.7, 198.51.100.8", "203.0.113.9"), ("nobody", "203.0.113.9"),
            (nil, "203.0.113.9"),
        ] as [(String?, String)])
    func password(forwarded: String?, ip: String) async throws {
        var fixtures = PasswordGrantTests.fixtures()
        fixtures.change("regular-web-app") { $0.isForwardedAddressTrusted = true }
        try await TestServer.run(fixtures, proxy: TestProxy()) { server in
            let party = RelyingParty.regularWebApp(server)
            for password in ["wrong", User.adaPassword] {
                _ = try await PasswordGrantTests.logIn(
                    party, ["password": password], headers: try Self.headers(forwarded))
            }
            let events = try await server.logEvents()
            #expect(events.count >= 2 && events.allSatisfy { $0.ip == ip }, "\(events.map(\.ip))")
            // A secret that is wrong makes nobody believed.
            _ = try await PasswordGrantTests.logIn(
                party, ["client_secret": "wrong"], headers: try Self.headers("198.51.100.99"))
            let addresses = try await server.logEvents().map(\.ip)
            #expect(!addresses.contains("198.51.100.99"))
        }
    }
}
