import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Client ID metadata documents")
struct ClientMetadataDocumentTests {
    private static let url = "https://tool.example.com/client.json"
    private static let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    private static let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

    private static func document(_ changes: [String: JSONValue?] = [:]) -> JSONValue {
        var members: [String: JSONValue?] = [
            "client_id": .string(url), "client_name": "Tool", "redirect_uris": ["http://127.0.0.1/cb"],
            "grant_types": ["authorization_code", "refresh_token"],
        ]
        members.merge(changes) { $1 }
        return .object(members.compactMapValues(\.self))
    }

    private static func run(
        isOn: Bool = true, _ document: JSONValue? = document(),
        _ body: @Sendable (TestServer, SimulatedWeb) async throws -> Void
    ) async throws {
        var fixtures = Fixtures.openRegistration
        fixtures.settings.readsClientMetadataDocuments = isOn
        let web = SimulatedWeb()
        try web.publish(document, at: url)
        try await TestServer.run(fixtures, outbound: web) { try await body($0, web) }
    }

    private static func request(_ server: TestServer, _ changes: [String: String?] = [:]) -> String {
        RelyingParty(server: server, clientID: url, secret: nil).authorizationURL(
            [
                "redirect_uri": "http://127.0.0.1:49152/cb", "code_challenge": challenge,
                "code_challenge_method": "S256",
            ].merging(changes) { $1 })
    }

    @Test("Draft §4: a client that only its URL describes signs a user in, with consent that names its host")
    func signIn() async throws {
        try await Self.run { server, web in
            let discovery = try await server.get("/.well-known/openid-configuration").json()
            #expect(discovery["client_id_metadata_document_supported"] == true)
            let browser = TestBrowser(server)
            let asked = try await browser.logIn(
                browser.get(Self.request(server)), password: User.adaPassword)
            #expect(asked.location?.hasPrefix("/u/consent") == true)
            #expect(try await browser.get(asked.location ?? "").text.contains("tool.example.com (Tool)"))
            let answer = try await browser.follow(browser.submit(asked, [("action", "accept")]))
            #expect(answer.location?.hasPrefix("http://127.0.0.1:49152/cb?") == true)
            let party = RelyingParty(server: server, clientID: Self.url, secret: nil)
            let tokens = try await party.redeem(
                answer.query("code") ?? "",
                ["redirect_uri": "http://127.0.0.1:49152/cb", "code_verifier": Self.verifier]
            ).json()
            #expect(tokens["id_token"]?.string?.claims["aud"]?.string == Self.url)
            // Consent is asked again each time: another program may use the same id.
            #expect(try await browser.get(Self.request(server)).location?.hasPrefix("/u/consent") == true)
            #expect(
                try await browser.get(Self.request(server, ["prompt": "none", "scope": "openid"]))
                    .query("error") == "consent_required")
            #expect(web.requests.count == 1)
            let stored = try #require(try await server.services.stores.clients.find(Self.url))
            #expect(!stored.client.isFirstParty && stored.secretDigest == nil)
        }
    }

    @Test("Off by default: an address is then an unknown client, and nothing is fetched")
    func off() async throws {
        try await Self.run(isOn: false) { server, web in
            #expect(try await server.get(Self.request(server)).status == .badRequest)
            #expect(web.requests.isEmpty)
            let discovery = try await server.get("/.well-known/openid-configuration").json()
            #expect(discovery["client_id_metadata_document_supported"] == nil)
        }
    }

    @Test("A tenant that turns the documents off knows their clients no more")
    func turnedOff() async throws {
        try await Self.run { server, _ in
            _ = try await server.get(Self.request(server))
            #expect(try await server.services.configuration.client(Self.url) != nil)
            try await server.services.stores.database.write { try TenantStore.update(TenantSettings(), in: $0) }
            try await server.services.configuration.refresh()
            #expect(try await server.services.configuration.client(Self.url) == nil)
            #expect(try await server.get(Self.request(server)).status == .badRequest)
        }
    }

    @Test("Draft §6.1: a document is kept for an hour, and what it says then counts from then on")
    func cache() async throws {
        try await Self.run { server, web in
            for _ in 0..<3 { #expect(try await server.get(Self.request(server)).status == .found) }
            #expect(web.requests.count == 1)
            try web.publish(Self.document(["redirect_uris": ["https://tool.example.com/cb"]]), at: Self.url)
            #expect(try await server.get(Self.request(server)).status == .found)
            server.clock.advance(by: 3600)
            #expect(try await server.get(Self.request(server)).status == .forbidden)
            let changed = try await server.get(
                Self.request(server, ["redirect_uri": "https://tool.example.com/cb"]))
            #expect(changed.status == .found)
            #expect(web.requests.count == 2)
            server.clock.advance(by: 3600)
            try web.publish(nil, at: Self.url)
            let gone = try await server.get(Self.request(server, ["redirect_uri": "https://tool.example.com/cb"]))
            #expect(gone.status == .badRequest)
            #expect(gone.text.contains("cannot be fetched"))
        }
    }

    @Test(
        "Draft §4: a document that is no such client's is refused with a page",
        arguments: [
            ["client_id": "https://tool.example.com/other.json"], ["client_id": nil], ["client_secret": "secret"],
            ["client_secret_expires_at": 0], ["token_endpoint_auth_method": "client_secret_post"],
            ["token_endpoint_auth_method": "private_key_jwt"], ["redirect_uris": nil], ["redirect_uris": []],
            ["redirect_uris": ["javascript:x"]], ["redirect_uris": ["https://*.example.com/cb"]],
            ["grant_types": ["authorization_code", "implicit"], "response_types": ["code id_token"]],
            ["grant_types": ["client_credentials"]],
            ["subject_type": "pairwise", "redirect_uris": ["https://a.example/"]],
            ["logo_uri": "javascript:x"], ["client_name#de": .string(String(repeating: "a", count: 6000))],
        ] as [[String: JSONValue?]])
    func refused(_ changes: [String: JSONValue?]) async throws {
        try await Self.run(Self.document(changes)) { server, _ in
            let answer = try await server.get(Self.request(server))
            #expect(answer.status == .badRequest)
            #expect(answer.location == nil)
            #expect(answer.text.contains("invalid_client_metadata"))
            #expect(try await server.services.stores.clients.find(Self.url) == nil)
        }
    }

    @Test("Draft §4.1: whoever makes up addresses of a host keeps nobody out whose client is known there")
    func otherAddresses() async throws {
        try await Self.run { server, _ in
            let first = try await server.get(Self.request(server))
            #expect(first.status == .found)
            server.clock.advance(by: 3601)
            for number in 0..<65 {
                let party = RelyingParty(
                    server: server, clientID: "https://tool.example.com/\(number)", secret: nil)
                let answer = try await server.get(party.authorizationURL())
                #expect(answer.status == .badRequest)
            }
            let again = try await server.get(Self.request(server))
            #expect(again.status == .found)
        }
    }

    @Test("Draft §4.1: an answer that is no JSON document with status 200 is none")
    func answers() async throws {
        try await Self.run { server, web in
            for (status, type, value) in [
                (404, "application/json", Self.document()), (200, "text/html", Self.document()),
                (200, "application/json", [1]), (302, "application/json", Self.document()),
            ] as [(Int, String, JSONValue)] {
                try web.publish(value, at: Self.url, status: status, contentType: type)
                #expect(try await server.get(Self.request(server)).status == .badRequest)
            }
            try web.publish(Self.document(), at: Self.url, contentType: "application/oauth-client+json; charset=utf-8")
            #expect(try await server.get(Self.request(server)).status == .found)
        }
    }

    @Test(
        "Draft §3: a client_id that two programs could read as two addresses is not fetched",
        arguments: [
            "https://tool.example.com", "https://tool.example.com/", "https://tool.example.com/a/../client.json",
            "https://tool.example.com/./client.json", "https://tool.example.com/%2E%2e/client.json",
            "https://user@tool.example.com/client.json", "https://tool.example.com/client.json#x",
            "http://tool.example.com/client.json", "https:///client.json", "https://tool.example.com/*",
        ])
    func addresses(_ url: String) async throws {
        try await Self.run { server, web in
            try web.publish(Self.document(["client_id": .string(url)]), at: url)
            let answer = try await server.get(Self.request(server, ["client_id": url]))
            #expect(answer.status == .badRequest)
            #expect(web.requests.isEmpty)
        }
    }

    @Test("PKCE with S256 is required, and a port is free on this machine alone")
    func limits() async throws {
        try await Self.run { server, _ in
            let plain = try await server.get(Self.request(server, ["code_challenge_method": "plain"]))
            #expect(plain.query("error") == "invalid_request")
            let none = try await server.get(
                Self.request(server, ["code_challenge": nil, "code_challenge_method": nil]))
            #expect(none.query("error") == "invalid_request")
            for (uri, isAllowed) in [
                ("http://127.0.0.1/cb", true), ("http://127.0.0.1:1/cb", true), ("http://localhost:1/cb", false),
                ("http://127.0.0.1:1/other", false), ("http://127.0.0.1:1/cb?a=b", false),
                ("https://127.0.0.1:1/cb", false), ("http://127.0.0.1.evil.example/cb", false),
                ("http://127.0.0.1:1@evil.example/cb", false),
            ] {
                let answer = try await server.get(Self.request(server, ["redirect_uri": uri]))
                #expect((answer.status == .found) == isAllowed, "\(uri)")
            }
        }
    }

    @Test("An hour's documents of one host are bounded")
    func rateLimit() async throws {
        try await Self.run(nil) { server, web in
            for _ in 0..<70 { _ = try await server.get(Self.request(server)) }
            #expect(web.requests.count == 60)
        }
    }

    @Test("An administrator's application whose id is an address stays as it was configured")
    func configured() async throws {
        try await Self.run { server, web in
            var client = Client(clientID: Self.url, name: "Ours")
            client.callbacks = [try RegisteredURI("https://ours.example.com/cb")]
            client.grantTypes = [.authorizationCode]
            let ours = client
            try await server.services.stores.database.write { transaction in
                try ClientStore.save(
                    ours, secretDigest: nil, sealedSecret: nil, at: server.clock.now, in: transaction)
            }
            let answer = try await server.get(
                Self.request(server, ["redirect_uri": "https://ours.example.com/cb"]))
            #expect(answer.status == .found)
            #expect(web.requests.isEmpty)
        }
    }
}
