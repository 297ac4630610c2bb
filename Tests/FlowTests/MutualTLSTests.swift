import AuthorizationServer
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Client authentication with certificates (RFC 8705 §2)")
struct MutualTLSTests {
    /// The machine with a way to prove itself that is not a secret.
    static func fixtures(
        _ method: ClientAuthenticationMethod, _ change: (inout MutualTLSSettings) -> Void = { _ in }
    ) -> Fixtures {
        var fixtures = Fixtures()
        fixtures.change("machine") { client in
            client.tokenEndpointAuthMethod = method
            change(&client.keys.mutualTLS)
        }
        return fixtures
    }

    static func named(
        _ kind: MutualTLSSettings.ExpectedName.Kind = .subject, _ value: String = "CN=machine,O=Clinic,C=DE"
    ) -> Fixtures {
        fixtures(.tlsClientAuth) { $0.expectedName = .init(kind, value) }
    }

    static func ask(
        _ server: TestServer, _ headers: HTTPFields, _ more: [(String, String)] = []
    ) async throws -> TestResponse {
        try await server.post(
            "/oauth/token",
            form: [
                ("grant_type", "client_credentials"), ("audience", "appointments:api"), ("client_id", "machine"),
            ] + more, headers: headers)
    }

    static func expectRefusal(
        _ server: TestServer, _ headers: HTTPFields, _ more: [(String, String)] = [],
        _ location: SourceLocation = #_sourceLocation
    ) async throws {
        let answer = try await ask(server, headers, more)
        #expect(answer.status == .unauthorized, sourceLocation: location)
        #expect(try answer.json()["error"] == "invalid_client", sourceLocation: location)
    }

    @Test("RFC 8705 §2.1: the registered subject in a certificate whose chain the proxy has verified proves the client")
    func subject() async throws {
        try await TestServer.run(Self.named(), proxy: TestProxy()) { server in
            let certificate = try TestCertificate()
            let answer = try await Self.ask(server, certificate.headers())
            #expect(answer.status == .ok)
            // RFC 8705 §3: binding is for those who ask for it.
            #expect(try answer.json()["access_token"]?.string?.claims["cnf"] == nil)
            // Another certificate with the name is as good: the authority vouches for it.
            #expect(try await Self.ask(server, TestCertificate(isPrintable: true).headers()).status == .ok)
        }
    }

    @Test("RFC 8705 §2.1.1: without the proxy's SUCCESS no name is proved, whatever else it says")
    func verdicts() async throws {
        try await TestServer.run(Self.named(), proxy: TestProxy()) { server in
            let certificate = try TestCertificate()
            for verdict in [
                nil, "NONE", "FAILED:self signed certificate", "success", "SUCCESS ok", "SUCCESS,SUCCESS", "0", "",
            ] {
                try await Self.expectRefusal(server, certificate.headers(verdict: verdict))
            }
            var doubled = certificate.headers()
            doubled.append(HTTPField(name: .clientCertVerified, value: "NONE"))
            try await Self.expectRefusal(server, doubled)
            try await Self.expectRefusal(server, [.clientCertVerified: "SUCCESS"])
        }
        var proxy = TestProxy()
        proxy.hasVerdict = false
        try await TestServer.run(Self.named(), proxy: proxy) { server in
            try await Self.expectRefusal(server, TestCertificate().headers())
        }
    }

    @Test("Names that look like the registered one are other names")
    func lookalikes() async throws {
        try await TestServer.run(Self.named(), proxy: TestProxy()) { server in
            let others: [[(String, String)]] = [
                [("C", "DE"), ("O", "Clinic"), ("CN", "machine2")], [("C", "DE"), ("O", "Clinic")],
                [("CN", "machine"), ("O", "Clinic"), ("C", "DE")], [("O", "Clinic"), ("CN", "machine")],
                [("C", "DE"), ("O", "Clinic"), ("CN", "machine"), ("CN", "machine")],
                [("C", "DE"), ("O", "Clinic"), ("OU", "machine")],
                // One value that has what the registered name has in three.
                [("CN", "machine,O=Clinic,C=DE")], [("C", "DE"), ("O", "Clinic"), ("CN", "machine,O=Clinic")],
                // A Cyrillic а, an e with an accent in two forms, a full-width letter, a character of no width.
                [("C", "DE"), ("O", "Clinic"), ("CN", "mаchine")], [("C", "DE"), ("O", "Clinic"), ("CN", "machiné")],
                [("C", "DE"), ("O", "Clinic"), ("CN", "ｍachine")],
                [("C", "DE"), ("O", "Clinic"), ("CN", "mach\u{200B}ine")],
                [("C", "DE"), ("O", "Clinic"), ("CN", "machine\u{0}")], [],
            ]
            for other in others {
                try await Self.expectRefusal(server, TestCertificate(other).headers())
            }
            // RFC 5280 §7.1: these are the same name.
            let same = try TestCertificate([("C", "de"), ("O", " CLINIC "), ("CN", "Machine")])
            #expect(try await Self.ask(server, same.headers()).status == .ok)
        }
    }

    @Test("RFC 8705 §2.1.2: tls_client_auth_san_dns, _uri, _ip and _email name an alternative name of the certificate")
    func alternativeNames() async throws {
        typealias Kind = MutualTLSSettings.ExpectedName.Kind
        let good: [(Kind, String, TestCertificate)] = [
            (.dns, "client.example.com", try TestCertificate(hosts: ["x.example.com", "Client.Example.com"])),
            (.uri, "urn:clinic:machine", try TestCertificate(uris: ["urn:clinic:machine"])),
            (.ip, "192.0.2.7", try TestCertificate(addresses: [[192, 0, 2, 7]])),
            (
                .ip, "2001:db8:0:0::1",
                try TestCertificate(addresses: [[0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]])
            ),
            (.email, "machine@Example.com", try TestCertificate(emails: ["machine@example.com"])),
        ]
        for (kind, value, certificate) in good {
            try await TestServer.run(Self.named(kind, value), proxy: TestProxy()) { server in
                #expect(try await Self.ask(server, certificate.headers()).status == .ok, "\(kind)")
                try await Self.expectRefusal(server, certificate.headers(verdict: "NONE"))
                let others = [
                    try TestCertificate([("CN", value)]), try TestCertificate(hosts: ["*.example.com"]),
                    try TestCertificate(uris: ["urn:clinic:MACHINE"]), try TestCertificate(emails: ["M@example.com"]),
                    try TestCertificate(addresses: [[192, 0, 2, 8]]), try TestCertificate(hosts: ["192.0.2.7"]),
                ]
                for other in others { try await Self.expectRefusal(server, other.headers()) }
            }
        }
    }

    @Test("Auth0's cert_subject_dn: two subjects for a rotation, as a text or in a certificate, until each expires")
    func subjectCredentials() async throws {
        let (next, clock) = (try TestCertificate([("CN", "next")]), TestClock())
        let fixtures = Self.fixtures(.tlsClientAuth) { settings in
            settings.subjects = [.init(subject: "C=DE\nO=Clinic\nCN=machine"), .init(pem: next.pem)]
            settings.subjects[0].expiresAt = clock.now.addingTimeInterval(3600)
        }
        try await TestServer.run(fixtures, proxy: TestProxy()) { server in
            #expect(try await Self.ask(server, TestCertificate().headers()).status == .ok)
            #expect(try await Self.ask(server, TestCertificate([("CN", "next")]).headers()).status == .ok)
            server.clock.advance(by: 7200)
            try await Self.expectRefusal(server, TestCertificate().headers())
            #expect(try await Self.ask(server, next.headers()).status == .ok)
        }
    }

    @Test("RFC 8705 §2.2: the very certificate that is registered proves the client, and no other by the same name")
    func selfSigned() async throws {
        let (own, other) = (try TestCertificate(), try TestCertificate())
        var key = try ForeignKey.p256().jsonWebKey
        key["x5c"] = own.x5c
        let set: JSONObject = ["keys": [.object(key)]]
        var inSet = Self.fixtures(.selfSignedTLSClientAuth)
        inSet.change("machine") { $0.keys.set = set }
        let hexadecimal = (Base64URL.decode(own.thumbprint) ?? [])
            .map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":").uppercased()
        let ways = [
            inSet, Self.fixtures(.selfSignedTLSClientAuth) { $0.certificates = [.init(pem: own.pem)] },
            Self.fixtures(.selfSignedTLSClientAuth) { $0.certificates = [.init(thumbprint: own.thumbprint)] },
            Self.fixtures(.selfSignedTLSClientAuth) { $0.certificates = [.init(thumbprint: hexadecimal)] },
        ]
        for fixtures in ways {
            try await TestServer.run(fixtures, proxy: TestProxy()) { server in
                for verdict in ["FAILED:self signed certificate", nil] {
                    #expect(try await Self.ask(server, own.headers(verdict: verdict)).status == .ok)
                }
                try await Self.expectRefusal(server, other.headers())
                try await Self.expectRefusal(server, [:])
            }
        }
    }

    @Test("RFC 8705 §2.2: certificates at the jwks_uri, fetched again where the client shows one that is not there yet")
    func remoteSet() async throws {
        let uri = "https://app.example.com/keys.json"
        let (old, new) = (try TestCertificate(), try TestCertificate())
        let web = SimulatedWeb()
        @Sendable func publish(_ certificate: TestCertificate) throws {
            var key = try ForeignKey.p256().jsonWebKey
            key["x5c"] = certificate.x5c
            try web.publish(["keys": [.object(key)]], at: uri)
        }
        try publish(old)
        var fixtures = Self.fixtures(.selfSignedTLSClientAuth)
        fixtures.change("machine") { $0.keys.setURI = uri }
        try await TestServer.run(fixtures, outbound: web, proxy: TestProxy()) { server in
            #expect(try await Self.ask(server, old.headers(verdict: nil)).status == .ok)
            try await Self.expectRefusal(server, new.headers())
            try publish(new)
            server.clock.advance(by: 60)
            #expect(try await Self.ask(server, new.headers(verdict: nil)).status == .ok)
            try await Self.expectRefusal(server, old.headers())
        }
    }

    @Test("A certificate outside its dates proves nobody, registered or signed by whomever")
    func dates() async throws {
        let now = Date()
        let expired = try TestCertificate(validity: now.addingTimeInterval(-7200)..<now.addingTimeInterval(-3600))
        let early = try TestCertificate(validity: now.addingTimeInterval(3600)..<now.addingTimeInterval(7200))
        let registered = Self.fixtures(.selfSignedTLSClientAuth) {
            $0.certificates = [.init(pem: expired.pem), .init(pem: early.pem)]
        }
        for fixtures in [registered, Self.named()] {
            try await TestServer.run(fixtures, proxy: TestProxy()) { server in
                try await Self.expectRefusal(server, expired.headers())
                try await Self.expectRefusal(server, early.headers())
            }
        }
    }

    @Test(
        "RFC 8705 §2: the registered method alone proves the client: a certificate for a secret, and a secret beside it"
    )
    func registeredMethod() async throws {
        let certificate = try TestCertificate()
        try await TestServer.run(Self.named(), proxy: TestProxy()) { server in
            for more in [("client_secret", Client.machineSecret), ("client_secret", "")] {
                let answer = try await Self.ask(server, certificate.headers(), [more])
                #expect((answer.status == .ok) == more.1.isEmpty)
            }
            try await Self.expectRefusal(server, [:], [("client_secret", Client.machineSecret)])
            var headers = certificate.headers()
            headers[.authorization] = "Basic " + Data("machine:x".utf8).base64EncodedString()
            try await Self.expectRefusal(server, headers)
            // RFC 8705 §2: the certificate says nothing without client_id.
            let anonymous = try await server.post(
                "/oauth/token", form: [("grant_type", "client_credentials"), ("audience", "appointments:api")],
                headers: certificate.headers())
            #expect(anonymous.status == .unauthorized)
        }
        var secret = Fixtures()
        secret.change("machine") { $0.keys.mutualTLS.expectedName = .init(.subject, "CN=machine,O=Clinic,C=DE") }
        try await TestServer.run(secret, proxy: TestProxy()) { server in
            try await Self.expectRefusal(server, certificate.headers())
            let proved = try await Self.ask(server, certificate.headers(), [("client_secret", Client.machineSecret)])
            #expect(proved.status == .ok)
        }
    }

    @Test("RFC 8705 §2: every endpoint that proves clients takes certificates")
    func endpoints() async throws {
        var fixtures = Fixtures()
        fixtures.change("regular-web-app") { client in
            client.tokenEndpointAuthMethod = .tlsClientAuth
            client.keys.mutualTLS.expectedName = .init(.subject, "CN=machine,O=Clinic,C=DE")
            client.grantTypes.insert(.deviceCode)
        }
        try await TestServer.run(fixtures, proxy: TestProxy()) { server in
            let headers = try TestCertificate().headers()
            let requests: [(String, [(String, String)])] = [
                ("/oauth/introspect", [("token", "x")]), ("/oauth/revoke", [("token", "x")]),
                ("/oauth/device/code", []),
                ("/oauth/par", [("response_type", "code"), ("redirect_uri", Client.callback), ("scope", "openid")]),
            ]
            for (path, form) in requests {
                let form = form + [("client_id", "regular-web-app")]
                #expect(try await server.post(path, form: form).status == .unauthorized, "\(path)")
                let answer = try await server.post(path, form: form, headers: headers)
                #expect([.ok, .created].contains(answer.status), "\(path)")
            }
        }
    }

    @Test("RFC 7591 §2, RFC 8705 §2.1.2: a client registers its name or certificate; what proves nothing is refused")
    func registration() async throws {
        var key = try ForeignKey.p256().jsonWebKey
        let bare = key
        let certificate = try TestCertificate()
        key["x5c"] = certificate.x5c
        let withCertificate: JSONValue = ["keys": [.object(key)]]
        try await TestServer.run(.openRegistration, proxy: TestProxy()) { server in
            let grants: JSONValue = ["client_credentials"]
            for members: [String: JSONValue?] in [
                ["token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "client.example.com"],
                ["token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": withCertificate],
            ] {
                let client = try await DynamicClient(
                    server,
                    members.merging([
                        "grant_types": grants, "response_types": [], "redirect_uris": nil,
                        "tls_client_certificate_bound_access_tokens": true,
                    ]) { $1 })
                for (name, value) in members { #expect(client.registration[name] == value, "\(name)") }
                #expect(client.registration["tls_client_certificate_bound_access_tokens"] == true)
                #expect(client.registration["client_secret"] == nil)
            }
            for members: [String: JSONValue?] in [
                ["token_endpoint_auth_method": "tls_client_auth"],
                ["token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": "nothing"],
                ["token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": ""],
                ["token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_ip": "300.1.1.1"],
                [
                    "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": "CN=a",
                    "tls_client_auth_san_dns": "a.example.com",
                ],
                ["token_endpoint_auth_method": "self_signed_tls_client_auth"],
                ["token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": ["keys": [.object(bare)]]],
            ] {
                let answer = try await DynamicClient.send(DynamicClient.metadata(members), to: server)
                #expect(answer.status == .badRequest)
                #expect(try answer.json()["error"] == "invalid_client_metadata")
            }
        }
        try await TestServer.run(.openRegistration) { server in
            let members = DynamicClient.metadata([
                "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "client.example.com",
            ])
            let answer = try await DynamicClient.send(members, to: server).json()
            #expect(answer["error"] == "invalid_client_metadata")
        }
    }

    @Test("RFC 8705 §2.1.1, §2.2.1, §3.3, §5: discovery has what the proxy can do, and nothing where there is none")
    func discovery() async throws {
        @Sendable func document(_ server: TestServer) async throws -> (JSONObject, methods: [JSONValue]) {
            let document = try await server.get("/.well-known/openid-configuration").json()
            return (document, document["token_endpoint_auth_methods_supported"]?.array ?? [])
        }
        try await TestServer.run { server in
            let (members, methods) = try await document(server)
            #expect(!methods.contains("tls_client_auth") && !methods.contains("self_signed_tls_client_auth"))
            #expect(members["tls_client_certificate_bound_access_tokens"] == nil)
            #expect(members["mtls_endpoint_aliases"] == nil)
        }
        var proxy = TestProxy()
        (proxy.hasVerdict, proxy.host) = (false, "https://mtls.login.example.com")
        try await TestServer.run(proxy: proxy) { server in
            let (members, methods) = try await document(server)
            #expect(!methods.contains("tls_client_auth") && methods.contains("self_signed_tls_client_auth"))
            #expect(members["tls_client_certificate_bound_access_tokens"] == true)
            let aliases = members["mtls_endpoint_aliases"]?.object ?? [:]
            #expect(aliases["token_endpoint"] == "https://mtls.login.example.com/oauth/token")
            #expect(
                Set(aliases.keys) == [
                    "token_endpoint", "revocation_endpoint", "introspection_endpoint", "userinfo_endpoint",
                    "device_authorization_endpoint", "pushed_authorization_request_endpoint",
                ])
            #expect(members["token_endpoint"] == "https://login.example.com/oauth/token")
        }
        var fixtures = Fixtures()
        fixtures.settings.mutualTLSAliases = false
        proxy.hasVerdict = true
        try await TestServer.run(fixtures, proxy: proxy) { server in
            let (members, methods) = try await document(server)
            #expect(methods.contains("tls_client_auth") && members["mtls_endpoint_aliases"] == nil)
        }
    }
}
