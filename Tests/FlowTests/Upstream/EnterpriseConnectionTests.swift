import AuthorizationServer
import Connections
import Foundation
import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage
import TestSupport
import Testing

@Suite("SAML connections and directories")
struct EnterpriseConnectionTests {
    private static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBgDCCASegAwIBAgIUPYmmxzvIR+qASSSpKEooAH90VE0wCgYIKoZIzj0EAwIw
        FjEUMBIGA1UEAwwLaWRwLmV4YW1wbGUwHhcNMjYxMTIxMjAwNTExWhcNMzYxMTE4
        MjAwNTExWjAWMRQwEgYDVQQDDAtpZHAuZXhhbXBsZTBZMBMGByqGSM49AgEGCCqG
        SM49AwEHA0IABOR3PHcv+gb/8gmrnB3SKdkc/1ABMbNTJHy8UPRApl2ZJFcNJI2X
        hqhM4e8FtowcagEVABPJ1aLf7X1B8pd3OAGjUzBRMB0GA1UdDgQWBBQbWGI4yyoX
        /radtIxQ4HM+Bjyj0jAfBgNVHSMEGDAWgBQbWGI4yyoX/radtIxQ4HM+Bjyj0jAP
        BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIAiRo09xGtLiN2DUF4CW
        hpothGLnU9O5BvDaYAnaPki3AiAunOnuSDzc2FsPm+NJD6j4zo+qRbsckxTd01i1
        Ekhr3Q==
        -----END CERTIFICATE-----
        """
    private static let saml: JSONObject = [
        "signInEndpoint": "https://idp.example/sso", "signingCert": .string(certificate),
    ]
    private static let directory: JSONObject = [
        "ldap_url": "ldaps://127.0.0.1:1", "ldap_base": "dc=example,dc=org", "ldap_timeout": 1,
    ]

    private static func connection(_ strategy: String, _ options: JSONObject) -> Connection {
        var connection = Connection(id: "con_enterprise000000", name: "corporate", strategy: strategy)
        (connection.enabledClients, connection.options) = (["regular-web-app"], options)
        return connection
    }

    private static func fixtures(_ strategy: String, _ options: JSONObject) -> Fixtures {
        var fixtures = Fixtures()
        fixtures.connections.append(connection(strategy, options))
        return fixtures
    }

    @Test("A SAML connection's metadata says where its provider sends answers, and other connections have none")
    func metadata() async throws {
        try await TestServer.run(Self.fixtures("samlp", Self.saml.merging(["signSAMLRequest": true]) { $1 })) {
            server in
            let answer = try await TestBrowser(server).get("/samlp/metadata?connection=corporate")
            #expect(answer.status == .ok)
            #expect(answer.headers[.contentType] == "application/samlmetadata+xml")
            let base = "https://login.example.com/"
            #expect(answer.text.contains(#"entityID="\#(base)samlp/metadata?connection=corporate""#))
            #expect(answer.text.contains(#"Location="\#(base)login/callback?connection=corporate""#))
            #expect(
                answer.text.contains("AuthnRequestsSigned=\"true\"") && answer.text.contains("<ds:X509Certificate>"))
            for name in ["nothing", "Username-Password-Authentication"] {
                #expect(try await TestBrowser(server).get("/samlp/metadata?connection=\(name)").status == .badRequest)
            }
        }
    }

    @Test("connection=NAME goes to the provider with a request, and an answer that proves nothing signs nobody in")
    func departure() async throws {
        try await TestServer.run(Self.fixtures("samlp", Self.saml)) { server in
            let browser = TestBrowser(server)
            let departure = try await UpstreamLoginTests.depart(browser, ["connection": "corporate"])
            #expect(departure.location?.hasPrefix("https://idp.example/sso?SAMLRequest=") == true)
            let state = try #require(departure.query("RelayState"))
            #expect(departure.query("Signature") == nil)
            let forged = Data("<Response/>".utf8).base64EncodedString()
            let answer = try await browser.follow(
                browser.post("/login/callback?connection=corporate", [("SAMLResponse", forged), ("RelayState", state)]))
            #expect(answer.query("error") == "access_denied" && answer.query("code") == nil)
            #expect(browser.cookies["auth0"] == nil)
        }
    }

    @Test("An answer that is sent to another address than the connection's is refused before it is read")
    func address() async throws {
        try await TestServer.run(Self.fixtures("samlp", Self.saml)) { server in
            let browser = TestBrowser(server)
            let departure = try await UpstreamLoginTests.depart(browser, ["connection": "corporate"])
            let state = try #require(departure.query("RelayState"))
            let answer = try await browser.follow(
                browser.post("/login/callback", [("SAMLResponse", "x"), ("RelayState", state)]))
            #expect(answer.query("error") == "access_denied")
        }
    }

    @Test("A directory that does not answer is no wrong password, and the page says so")
    func unreachable() async throws {
        try await TestServer.run(Self.fixtures("ldap", Self.directory)) { server in
            let browser = TestBrowser(server)
            let page = try await UpstreamLoginTests.depart(browser, ["connection": "corporate"])
            let answer = try await browser.submit(
                page, [("username", "jane"), ("password", "x"), ("action", "default")])
            #expect(answer.status == .serviceUnavailable)
            #expect(browser.cookies["auth0"] == nil)
        }
    }

    @Test("security.md: a name has no more tries for being spelled otherwise")
    func spellings() async throws {
        try await TestServer.run(Self.fixtures("ldap", Self.directory)) { server in
            var answers: [HTTPResponse.Status] = []
            for count in 0..<12 {
                let browser = TestBrowser(server)
                let page = try await UpstreamLoginTests.depart(browser, ["connection": "corporate"])
                let name = "ja" + String(repeating: "\u{AD}", count: count) + "ne"
                answers.append(
                    try await browser.submit(
                        page, [("username", name), ("password", "x"), ("action", "default")]
                    ).status)
            }
            #expect(answers.first == .serviceUnavailable && answers.last != .serviceUnavailable, "\(answers)")
        }
    }

    @Test("Core §3.4.1: every max_age asks a SAML provider to sign the user in anew, for it knows no ages")
    func forcedLogin() async throws {
        try await TestServer.run(Self.fixtures("samlp", Self.saml)) { server in
            let cases: [([String: String?], Bool)] = [
                (["max_age": "300"], true), (["prompt": "login"], true), ([:], false),
            ]
            for (changes, isForced) in cases {
                let departure = try await UpstreamLoginTests.depart(
                    TestBrowser(server), changes.merging(["connection": "corporate"]) { $1 })
                let request = Data(base64Encoded: departure.query("SAMLRequest") ?? "") ?? Data()
                // Nothing is compressed in it.
                #expect((request.range(of: Data("ForceAuthn=\"true\"".utf8)) != nil) == isForced)
            }
        }
    }

    @Test(
        "What nobody could sign in with is refused where it is configured, by its path", arguments: wrongOptions.indices
    )
    func options(index: Int) throws {
        let (strategy, change, path) = wrongOptions[index]
        let good = strategy == "samlp" ? Self.saml : Self.directory
        let strategies = Strategies.all()
        try strategies.check(Self.connection(strategy, good), secrets: [:], path: "")
        let bad = Self.connection(strategy, good.merging(change) { $1 })
        let problem = #expect(throws: Document.Problem.self) {
            try strategies.check(bad, secrets: [:], path: "")
        }
        #expect(problem?.path == "options.\(path)")
    }
}

private let wrongOptions: [(String, JSONObject, String)] = [
    ("samlp", ["signInEndpoint": "javascript:alert(1)"], "signInEndpoint"),
    ("samlp", ["signInEndpoint": .null], "signInEndpoint"),
    ("samlp", ["signingCert": .null], "signingCert"),
    ("samlp", ["signingCert": "AAAA"], "signingCert"),
    ("samlp", ["metadataXml": "<EntityDescriptor/>"], "metadataXml"),
    ("samlp", ["protocolBinding": "urn:oasis:names:tc:SAML:2.0:bindings:SOAP"], "protocolBinding"),
    ("samlp", ["signSAMLRequest": true, "signatureAlgorithm": "rsa-sha1"], "signatureAlgorithm"),
    ("samlp", ["idpinitiated": ["enabled": true]], "idpinitiated.client_id"),
    (
        "samlp", ["idpinitiated": ["enabled": true, "client_id": "x", "client_protocol": "samlp"]],
        "idpinitiated.client_protocol"
    ),
    (
        "samlp", ["idpinitiated": ["enabled": true, "client_id": "x", "client_authorizequery": "scope=a&scope=b"]],
        "idpinitiated.client_authorizequery"
    ),
    (
        "samlp", ["idpinitiated": ["enabled": true, "client_id": "x", "client_authorizequery": "client_id=y"]],
        "idpinitiated.client_authorizequery"
    ),
    ("samlp", ["fieldsMap": ["email": 1]], "fieldsMap.email"),
    ("samlp", ["decryptionKey": ["key": "no key"]], "decryptionKey.key"),
    ("samlp", ["portico_own_callback": true], "portico_own_callback"),
    ("samlp", ["portico_own_callback": "yes"], "portico_own_callback"),
    ("ldap", ["ldap_url": "http://directory.example"], "ldap_url"),
    ("ldap", ["ldap_base": .null], "ldap_base"),
    ("ldap", ["ldap_user_by_name": "(uid=jane)"], "ldap_user_by_name"),
    ("ad", ["ldap_search_groups": "member={0}"], "ldap_search_groups"),
    ("ad", ["ldap_ca_certificate": "no certificate"], "ldap_ca_certificate"),
    ("ad", ["ldap_timeout": 0], "ldap_timeout"),
]
