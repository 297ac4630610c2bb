import AuthorizationServer
import OAuth
import Storage
import TestSupport
import Testing

@Suite("Keys of applications in a tenant file")
struct ClientKeyTests {
    private static func client(_ members: JSONObject) throws -> Client {
        try Client(document: Document(["name": "A"].merging(members) { $1 }, path: "client"), standardID: "a")
    }

    @Test("Auth0's and OpenID Connect's ways to register keys come back as they were")
    func roundTrip() throws {
        let key = try ForeignKey.rsa()
        let documents: [JSONObject] = [
            [
                "client_authentication_methods": [
                    "private_key_jwt": [
                        "credentials": [
                            [
                                "credential_type": "public_key", "name": "first", "pem": .string(key.pem),
                                "alg": "RS384", "kid": "k", "expires_at": "2030-01-31T12:00:00.000Z",
                            ]
                        ]
                    ]
                ]
            ],
            [
                "token_endpoint_auth_method": "private_key_jwt", "jwks": ["keys": [.object(try key.jsonWebKey)]],
                "token_endpoint_auth_signing_alg": "PS256",
            ],
            [
                "jwks_uri": "https://app.example.com/keys.json", "request_object_signing_alg": "ES256",
                "request_uris": ["https://app.example.com/request"],
                "signed_request_object": ["required": true],
            ],
        ]
        for document in documents {
            let client = try Self.client(document)
            #expect(client.keyProblems.isEmpty)
            #expect(try Self.client(client.document) == client)
            for (name, value) in document { #expect(client.document[name] == value) }
        }
        #expect(try Self.client(documents[0]).tokenEndpointAuthMethod == .privateKeyJWT)
    }

    @Test("Auth0's and RFC 8705's ways to register certificates come back as they were, and declare their method")
    func certificates() throws {
        let certificate = try TestCertificate()
        var key = try ForeignKey.rsa().jsonWebKey
        key["x5c"] = certificate.x5c
        let cases: [(ClientAuthenticationMethod, JSONObject)] = [
            (
                .tlsClientAuth,
                [
                    "client_authentication_methods": [
                        "tls_client_auth": [
                            "credentials": [
                                [
                                    "credential_type": "cert_subject_dn", "name": "first", "id": "cred_1",
                                    "subject_dn": "C=DE\nO=Clinic\nCN=machine",
                                    "expires_at": "2030-01-31T12:00:00.000Z",
                                ], ["credential_type": "cert_subject_dn", "pem": .string(certificate.pem)],
                            ]
                        ]
                    ]
                ]
            ),
            (
                .selfSignedTLSClientAuth,
                [
                    "client_authentication_methods": [
                        "self_signed_tls_client_auth": [
                            "credentials": [
                                [
                                    "credential_type": "x509_cert", "pem": .string(certificate.pem),
                                    "thumbprint_sha256": .string(certificate.thumbprint),
                                ],
                                [
                                    "credential_type": "x509_cert",
                                    "thumbprint_sha256": .string(certificate.thumbprint),
                                ],
                            ]
                        ]
                    ]
                ]
            ),
            (
                .tlsClientAuth,
                [
                    "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_ip": "192.0.2.1",
                    "tls_client_certificate_bound_access_tokens": true,
                ]
            ),
            (
                .selfSignedTLSClientAuth,
                ["token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": ["keys": [.object(key)]]]
            ),
        ]
        for (method, document) in cases {
            let client = try Self.client(document)
            #expect(client.tokenEndpointAuthMethod == method && !client.usesSecret)
            #expect(client.keyProblems.map(\.problem) == [])
            #expect(try Self.client(client.document) == client)
            for (name, value) in document { #expect(client.document[name] == value) }
        }
    }

    @Test("Names and certificates that nothing can be proved with are told when they are registered")
    func certificateProblems() throws {
        let (one, other) = (try TestCertificate(), try TestCertificate())
        var client = try Self.client([:])
        client.keys.mutualTLS.subjects = [.init(subject: "machine"), .init(pem: "nothing")]
        #expect(
            client.keyProblems.map(\.member) == [
                "client_authentication_methods.tls_client_auth.credentials[0].subject_dn",
                "client_authentication_methods.tls_client_auth.credentials[1].pem",
            ])
        client.keys.mutualTLS = MutualTLSSettings()
        client.keys.mutualTLS.certificates = [
            .init(pem: one.pem, thumbprint: other.thumbprint), .init(thumbprint: "ab"),
        ]
        #expect(
            client.keyProblems.map(\.member) == [
                "client_authentication_methods.self_signed_tls_client_auth.credentials[0].pem",
                "client_authentication_methods.self_signed_tls_client_auth.credentials[1].thumbprint_sha256",
            ])
        client.keys.mutualTLS = MutualTLSSettings()
        client.keys.mutualTLS.expectedName = .init(.ip, "localhost")
        #expect(client.keyProblems.map(\.member) == ["tls_client_auth_san_ip"])
        client.keys.mutualTLS = MutualTLSSettings()
        client.tokenEndpointAuthMethod = .selfSignedTLSClientAuth
        client.keys.set = ["keys": [.object(try ForeignKey.rsa().jsonWebKey)]]
        #expect(client.keyProblems.map(\.member) == ["jwks"])
    }

    @Test(
        "What cannot be kept is told",
        arguments: [
            ["token_endpoint_auth_method": "private_key_jwt"],
            ["client_authentication_methods": ["private_key_jwt": ["credentials": [["id": "cred_1"]]]]],
            ["client_authentication_methods": ["tls_client_auth": [:]]],
            ["client_authentication_methods": ["tls_client_auth": ["credentials": [["id": "cred_1"]]]]],
            ["client_authentication_methods": ["self_signed_tls_client_auth": ["credentials": [["id": "cred_1"]]]]],
            [
                "client_authentication_methods": [
                    "tls_client_auth": ["credentials": [["credential_type": "x509_cert", "subject_dn": "CN=a"]]]
                ]
            ],
            [
                "client_authentication_methods": [
                    "tls_client_auth": ["credentials": [["subject_dn": "CN=a"]]],
                    "self_signed_tls_client_auth": ["credentials": [["pem": "x"]]],
                ]
            ],
            ["token_endpoint_auth_method": "tls_client_auth"],
            ["token_endpoint_auth_method": "self_signed_tls_client_auth"],
            ["tls_client_auth_san_dns": "a.example.com", "tls_client_auth_subject_dn": "CN=a"],
            ["client_authentication_methods": ["private_key": [:]]],
            ["client_authentication_methods": ["private_key_jwt": ["credentials": [["pem": "x", "alg": "HS256"]]]]],
            ["jwks_uri": "http://app.example.com/keys.json"], ["jwks_uri": "keys.json"],
            ["jwks_uri": "https://app.example.com/keys.json", "jwks": ["keys": []]],
            ["request_object_signing_alg": "HS256", "token_endpoint_auth_method": "none"],
            ["request_object_signing_alg": "RS1"],
            ["request_object_signing_alg": "none", "require_signed_request_object": true],
            ["request_uris": ["http://app.example.com/"]], ["token_endpoint_auth_signing_alg": "none"],
        ] as [JSONObject])
    func refused(members: JSONObject) {
        #expect(throws: Document.Problem.self) { try Self.client(members) }
    }

    @Test("Keys that nothing can be proved with are told when they are registered")
    func problems() throws {
        var client = try Self.client([:])
        client.keys.credentials = [.init(pem: "nothing"), .init(pem: try ForeignKey.weakRSA().pem)]
        #expect(
            client.keyProblems.map(\.member) == [
                "client_authentication_methods.private_key_jwt.credentials[0].pem",
                "client_authentication_methods.private_key_jwt.credentials[1].pem",
            ])
        client.keys = ClientKeys()
        client.keys.set = ["keys": [["kty": "oct", "k": "AA"]]]
        #expect(client.keyProblems.map(\.member) == ["jwks"])
        client.keys.set = nil
        client.requestObject.isRequired = true
        #expect(client.keyProblems.map(\.member) == ["signed_request_object"])
    }
}
