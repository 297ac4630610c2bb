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

    @Test(
        "What cannot be kept is told",
        arguments: [
            ["token_endpoint_auth_method": "private_key_jwt"],
            ["client_authentication_methods": ["private_key_jwt": ["credentials": [["id": "cred_1"]]]]],
            ["client_authentication_methods": ["tls_client_auth": [:]]],
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
