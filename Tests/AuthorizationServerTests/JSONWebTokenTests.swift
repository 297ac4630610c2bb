import Crypto
import Foundation
import OAuth
import Storage
import Testing

@testable import AuthorizationServer

@Suite("Verifying our own tokens (RFC 8725)")
struct JSONWebTokenTests {
    private static let box = SecretBox(key: Array(repeating: 7, count: 32))

    private static let made = Result {
        let keys = try ["current", "previous", "attacker"].map { (id: $0, key: try SigningKeyPair.generate()) }
        let rows = try keys.prefix(2).map { id, key in
            SigningKey(
                id: id, kind: .rsa, state: SigningKey.State(rawValue: id) ?? .next,
                sealedPrivateKey: try box.seal(key.pem()),
                certificate: Data(try key.selfSignedCertificate(commonName: "test")).base64EncodedString(),
                createdAt: Date(timeIntervalSince1970: 0))
        }
        return (ring: try KeyRing(rows, box: box), keys: Dictionary(uniqueKeysWithValues: keys.map { ($0.id, $0.key) }))
    }

    private static func ring() throws -> KeyRing { try #require(try made.get().ring) }
    private static func key(_ name: String) throws -> SigningKeyPair { try #require(try made.get().keys[name]) }

    private static let claims: JSONObject = ["sub": "ada", "exp": 4_000_000_000]

    /// A token with any header, signed by one of the keys.
    private static func token(_ header: String, by name: String = "current") throws -> String {
        let input = try Base64URL.encode(Array(header.utf8)) + "." + Base64URL.encode(JSON.bytes(claims))
        return input + "." + Base64URL.encode(try key(name).sign(Array(input.utf8)))
    }

    private static func isAccepted(_ token: String) throws -> Bool {
        JSONWebToken.verify(token, keys: try ring()) != nil
    }

    @Test("What a key of the tenant signed is accepted, by the current key or a previous one")
    func accepted() throws {
        let ring = try Self.ring()
        let signed = try JSONWebToken.sign(Self.claims, with: ring.current, header: ring.current.accessTokenHeader)
        #expect(JSONWebToken.verify(signed, keys: ring) == Self.claims)
        #expect(try Self.isAccepted(Self.token(#"{"alg":"RS256","kid":"previous"}"#, by: "previous")))
        #expect(try Self.isAccepted(Self.token(#"{"alg":"RS256","typ":"at+jwt","kid":"current"}"#)))
    }

    @Test(
        "No other algorithm, no key of the token's own, no critical extension",
        arguments: [
            (#"{"alg":"none","kid":"current"}"#, "current"), (#"{"alg":"None","kid":"current"}"#, "current"),
            (#"{"alg":"rs256","kid":"current"}"#, "current"), (#"{"alg":"RS512","kid":"current"}"#, "current"),
            (#"{"alg":"PS256","kid":"current"}"#, "current"), (#"{"alg":"HS256","kid":"current"}"#, "current"),
            (#"{"alg":["RS256"],"kid":"current"}"#, "current"), (#"{"kid":"current"}"#, "current"),
            (#"{"alg":"RS256"}"#, "current"), (#"{"alg":"RS256","kid":null}"#, "current"),
            (#"{"alg":"RS256","kid":""}"#, "current"), (#"{"alg":"RS256","kid":"CURRENT"}"#, "current"),
            (#"{"alg":"RS256","kid":"previous"}"#, "current"), (#"{"alg":"RS256","kid":"attacker"}"#, "attacker"),
            (#"{"alg":"RS256","kid":"current"}"#, "attacker"),
            (#"{"alg":"RS256","kid":"../../../../dev/null"}"#, "attacker"),
            (#"{"alg":"RS256","kid":"' OR '1'='1"}"#, "attacker"),
            (#"{"alg":"RS256","kid":"current","jku":"https://evil.example/jwks.json"}"#, "attacker"),
            (#"{"alg":"RS256","kid":"current","x5u":"https://evil.example/x5u"}"#, "attacker"),
            (#"{"alg":"RS256","kid":"current","crit":["exp"],"exp":1}"#, "current"),
            (#"{"alg":"RS256","kid":"current","crit":[]}"#, "current"),
            (#"["RS256"]"#, "current"), ("", "current"), ("x", "current"),
            (#"{"alg":"RS256","kid":"current"} x"#, "current"),
        ])
    func hostileHeader(header: String, signer: String) throws {
        #expect(try !Self.isAccepted(Self.token(header, by: signer)))
    }

    @Test("A key that the token brings along counts for nothing")
    func embeddedKey() throws {
        let (modulus, exponent) = try Self.key("attacker").publicNumbers()
        let jwk = #"{"kty":"RSA","n":"\#(Base64URL.encode(modulus))","e":"\#(Base64URL.encode(exponent))"}"#
        let certificate = Data(try Self.key("attacker").selfSignedCertificate(commonName: "x")).base64EncodedString()
        for header in [
            #"{"alg":"RS256","jwk":\#(jwk)}"#, #"{"alg":"RS256","kid":"current","jwk":\#(jwk)}"#,
            #"{"alg":"RS256","kid":"current","x5c":["\#(certificate)"]}"#,
        ] {
            #expect(try !Self.isAccepted(Self.token(header, by: "attacker")))
        }
    }

    @Test("HS256 with the public key as the secret, and alg none without a signature")
    func confusion() throws {
        let ring = try Self.ring()
        let (modulus, exponent) = try Self.key("current").publicNumbers()
        let secrets: [[UInt8]] = [
            modulus, exponent, Array((ring.current.certificate ?? "").utf8),
            Array(try JSON.bytes(ring.current.jsonWebKey)), [],
        ]
        for header in [#"{"alg":"HS256","kid":"current"}"#, #"{"alg":"RS256","kid":"current"}"#] {
            let input = try Base64URL.encode(Array(header.utf8)) + "." + Base64URL.encode(JSON.bytes(Self.claims))
            for secret in secrets {
                let code = HMAC<SHA256>.authenticationCode(for: Array(input.utf8), using: SymmetricKey(data: secret))
                #expect(try !Self.isAccepted(input + "." + Base64URL.encode(Array(code))))
            }
            #expect(try !Self.isAccepted(input + "."))
            #expect(try !Self.isAccepted(input))
        }
        #expect(try !Self.isAccepted(JSONWebToken.sign(Self.claims, secret: "secret")))
    }

    @Test("Another spelling, another part, another byte")
    func mangled() throws {
        let token = try Self.token(#"{"alg":"RS256","typ":"JWT","kid":"current"}"#)
        let parts = token.split(separator: ".").map(String.init)
        let claims = try Base64URL.encode(JSON.bytes(["sub": "grace", "exp": 4_000_000_000] as JSONObject))
        let mangled = [
            "", ".", "..", "...", parts[0], "\(parts[0]).\(parts[1])", "\(parts[0]).\(claims).\(parts[2])",
            ".\(parts[1]).\(parts[2])", "\(parts[0])..\(parts[2])", "\(token).", ".\(token)", "\(token).\(parts[2])",
            "\(token)=", "\(token) ", " \(token)", "\(token)\n", "Bearer \(token)", token.replacing(".", with: ".."),
            "\(parts[0])=.\(parts[1]).\(parts[2])", token + String(repeating: "A", count: 20_000),
            // The last character of a signature of 256 bytes has bits to spare.
            String(token.dropLast()) + "B", String(token.dropLast(2)), token.uppercased(), String(token.reversed()),
        ]
        #expect(try Self.isAccepted(token))
        for other in mangled where other != token { #expect(try !Self.isAccepted(other), "\(other.prefix(80))") }
    }

    @Test("Claims that are no JSON object are none")
    func noObject() throws {
        for payload in ["[]", "1", "null", "\"text\"", "{", ""] {
            let header = Base64URL.encode(Array(#"{"alg":"RS256","kid":"current"}"#.utf8))
            let input = header + "." + Base64URL.encode(Array(payload.utf8))
            let token = input + "." + Base64URL.encode(try Self.key("current").sign(Array(input.utf8)))
            #expect(try !Self.isAccepted(token), "\(payload)")
        }
    }

    @Test("A key ring without a current key is none, and one that cannot be opened says so")
    func keyRing() throws {
        #expect(try KeyRing([], box: Self.box) == nil)
        let row = SigningKey(
            id: "current", kind: .rsa, state: .current,
            sealedPrivateKey: try SecretBox(key: Array(repeating: 8, count: 32)).seal("x"),
            certificate: "", createdAt: Date(timeIntervalSince1970: 0))
        #expect(throws: SecretBox.CannotOpen.self) { try KeyRing([row], box: Self.box) }
    }
}
