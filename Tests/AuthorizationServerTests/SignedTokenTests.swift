import Foundation
import OAuth
import TestSupport
import Testing

@testable import AuthorizationServer

@Suite("Verifying what others sign (RFC 7515, RFC 8725)")
struct SignedTokenTests {
    private static let claims: JSONObject = ["iss": "application", "exp": 4_000_000_000, "x": ["y": [1, 2.5, nil]]]
    private static let secret = "a secret for tests that has more than thirty-two characters"

    private static func keys(_ keys: ForeignKey...) throws -> JSONWebKeySet {
        try JSONWebKeySet(["keys": .array(keys.map { .object(try $0.jsonWebKey) })])
    }

    private static func problem(
        _ token: String, _ keys: JSONWebKeySet, _ algorithms: Set<JWSAlgorithm> = JWSAlgorithm.asymmetric
    ) -> SignedToken.Problem? {
        do throws(SignedToken.Problem) {
            _ = try SignedToken(parsing: token).verified(by: keys, algorithms: algorithms)
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "Each algorithm's signature is accepted, and with one bit changed refused", arguments: JWSAlgorithm.asymmetric)
    func algorithms(_ algorithm: JWSAlgorithm) throws {
        let key: ForeignKey =
            switch algorithm.family {
            case .rsa: try .rsa()
            case .p256: .p256()
            case .p384: .p384()
            default: .ed25519()
            }
        let token = try key.token(Self.claims, algorithm: algorithm.rawValue)
        let keys = try Self.keys(key)
        #expect(try SignedToken(parsing: token).verified(by: keys, algorithms: [algorithm]) == Self.claims)
        #expect(
            Self.problem(token, keys, JWSAlgorithm.asymmetric.subtracting([algorithm]))
                == .algorithm(algorithm.rawValue))
        var parts = token.split(separator: ".").map(String.init)
        let changed = try JSON.bytes(Self.claims.merging(["iss": "attacker"]) { $1 })
        parts[1] = Base64URL.encode(changed)
        #expect(Self.problem(parts.joined(separator: "."), keys) == .signature)
        #expect(Self.problem(token + "A", keys) != nil)
        for bit in [0, 77, 200] {
            var signature = try #require(Base64URL.decode(token.split(separator: ".")[2]))
            signature[bit / 8] ^= 1 << UInt8(bit % 8)
            let forged =
                token.split(separator: ".").prefix(2).joined(separator: ".") + "." + Base64URL.encode(signature)
            #expect(Self.problem(forged, keys) == .signature)
        }
    }

    @Test("HMAC with the secret", arguments: ["HS256", "HS384", "HS512"])
    func secrets(_ algorithm: String) throws {
        let token = try SignedToken(parsing: ForeignKey.secret(Self.secret).token(Self.claims, algorithm: algorithm))
        #expect(try token.verified(bySecret: Self.secret, algorithms: JWSAlgorithm.symmetric) == Self.claims)
        #expect(throws: SignedToken.Problem.signature) {
            try token.verified(bySecret: Self.secret + "x", algorithms: JWSAlgorithm.symmetric)
        }
        #expect(throws: SignedToken.Problem.algorithm(algorithm)) {
            try token.verified(bySecret: Self.secret, algorithms: JWSAlgorithm.asymmetric)
        }
    }

    @Test("RFC 8725 §2.1: none proves nothing, and a public key is no HMAC secret")
    func confusion() throws {
        let rsa = try ForeignKey.rsa()
        let keys = try Self.keys(rsa)
        let everything = Set(JWSAlgorithm.allCases)
        for name in ["none", "None", "NONE", "nOnE", "", "RS256 ", "rs256", "ES512", "HS1"] {
            let unsigned = try ForeignKey.secret("").token(Self.claims, algorithm: name)
            #expect(Self.problem(unsigned, keys, everything) == .algorithm(name))
            let bare = unsigned.split(separator: ".").prefix(2).joined(separator: ".") + "."
            #expect(Self.problem(bare, keys, everything) == .algorithm(name))
        }
        for text in try [rsa.pem, rsa.pem + "\n", JSON.text(rsa.jsonWebKey), rsa.jsonWebKey["n"]?.string ?? ""] {
            let forged = try ForeignKey.secret(text, keyID: "rsa").token(Self.claims)
            #expect(Self.problem(forged, keys, everything) == .algorithm("HS256"))
        }
    }

    @Test("RFC 8725 §3.10: keys that the token brings or points to are not looked at")
    func embedded() throws {
        let (own, attacker) = (try ForeignKey.rsa(), try ForeignKey.rsa("other"))
        let headers: [JSONObject] = [
            ["jwk": .object(try attacker.jsonWebKey)], ["jku": "https://attacker.example.com/keys.json"],
            ["x5u": "https://attacker.example.com/certificate.pem"], ["x5c": ["MIIB"]], ["kid": "../../dev/null"],
            ["kid": "' OR '1'='1"], ["kid": nil],
        ]
        for header in headers {
            #expect(Self.problem(try attacker.token(Self.claims, header: header), try Self.keys(own)) != nil)
        }
    }

    @Test("A key signs with the algorithms of its kind alone, and with its own alg where it has one")
    func fits() throws {
        var rsa = try ForeignKey.rsa().jsonWebKey
        rsa["alg"] = "PS256"
        let keys = try JSONWebKeySet(["keys": [.object(rsa)]])
        #expect(Self.problem(try ForeignKey.rsa().token(Self.claims), keys) == .unknownKey("rsa"))
        #expect(Self.problem(try ForeignKey.rsa().token(Self.claims, algorithm: "PS256"), keys) == nil)
        let curve = ForeignKey.p256(keyID: "rsa")
        #expect(
            Self.problem(try curve.token(Self.claims, algorithm: "RS256"), try Self.keys(curve)) == .unknownKey("rsa"))
        #expect(
            Self.problem(try curve.token(Self.claims, algorithm: "ES384"), try Self.keys(curve)) == .unknownKey("rsa"))
    }

    @Test("The kid chooses the key; without one each key that fits is tried")
    func selection() throws {
        let (old, new) = (try ForeignKey.rsa(keyID: "old"), try ForeignKey.rsa("other", keyID: "new"))
        let both = try Self.keys(old, new)
        #expect(Self.problem(try new.token(Self.claims), both) == nil)
        #expect(Self.problem(try new.token(Self.claims, header: ["kid": nil]), both) == nil)
        #expect(Self.problem(try new.token(Self.claims, header: ["kid": "old"]), both) == .signature)
        #expect(Self.problem(try new.token(Self.claims, header: ["kid": "newest"]), both) == .unknownKey("newest"))
        #expect(Self.problem(try new.token(Self.claims, header: ["kid": nil]), try Self.keys(old)) == .signature)
    }

    @Test("A large set makes no token costly: eight keys are tried, those with the token's kid first")
    func manyKeys() throws {
        let own = ForeignKey.p256(keyID: "own")
        let strangers = try (0..<9).map { _ in JSONValue.object(try ForeignKey.p256(keyID: nil).jsonWebKey) }
        let named = try JSONWebKeySet(["keys": .array(strangers + [.object(try own.jsonWebKey)])])
        #expect(Self.problem(try own.token(Self.claims), named) == nil)
        #expect(Self.problem(try own.token(Self.claims, header: ["kid": nil]), named) == .signature)
    }

    @Test("RFC 7515 §4.1.11: a critical extension is refused, and b64 (RFC 7797) too")
    func critical() throws {
        let key = try ForeignKey.rsa()
        for header in [["crit": ["exp"], "exp": 1], ["crit": []], ["b64": false], ["crit": "x"]] as [JSONObject] {
            #expect(Self.problem(try key.token(Self.claims, header: header), try Self.keys(key)) == .critical)
        }
    }

    @Test(
        "What is no compact token is refused",
        arguments: [
            "", ".", "..", "...", "a.b.c", "e30.e30", "e30.e30.", "eyJhbGciOiJSUzI1NiJ9.W10.", "WyJhIl0.e30.AA",
            "eyJhbGciOjF9.e30.AA", "eyJhbGciOiJSUzI1NiJ9=.e30.AA", "eyJhbGciOiJSUzI1NiJ9.e30.AA.AA.AA",
            "eyJhbGciOiJSUzI1NiJ9.e30.A", " eyJhbGciOiJSUzI1NiJ9.e30.AA", "eyJhbGciOiJSUzI1NiJ9.e30.AA\n",
        ])
    func malformed(_ text: String) throws {
        #expect(throws: SignedToken.Problem.self) {
            try SignedToken(parsing: text).verified(by: JSONWebKeySet([]), algorithms: JWSAlgorithm.asymmetric)
        }
    }

    @Test("A token that is too long, and one that is nested too deeply")
    func tooMuch() throws {
        let key = try ForeignKey.rsa()
        let long = try key.token(["x": .string(String(repeating: "a", count: 20_000))])
        #expect(Self.problem(long, try Self.keys(key)) == .malformed("is longer than 16384 bytes"))
        let deep =
            "eyJhbGciOiJSUzI1NiJ9." + Base64URL.encode(Array((#"{"a":"# + String(repeating: "[", count: 9000)).utf8))
        #expect(Self.problem(deep + ".AA", try Self.keys(key)) != nil)
    }

    @Test(
        "Keys that may not verify are refused",
        arguments: [
            ["use": "enc"], ["use": 1], ["key_ops": ["sign"]], ["key_ops": "verify"], ["d": "AQAB"], ["k": "AQAB"],
            ["kty": "oct"],
            ["kty": "rsa"], ["n": "AQAB"], ["n": "!"], ["e": "AQ"], ["e": "Ag"], ["e": ""],
            ["e": "AQAAAAE"], ["kid": 1], ["alg": []],
        ] as [JSONObject])
    func unusableKeys(change: JSONObject) throws {
        let members = try ForeignKey.rsa().jsonWebKey
        #expect(throws: Never.self) { try JSONWebKey(members) }
        #expect(throws: JSONWebKey.Problem.self) { try JSONWebKey(members.merging(change) { $1 }) }
    }

    @Test("RFC 7518 §3.3: an RSA key has 2048 bits at least; RFC 7518 §6.2: a point is on its curve")
    func weakKeys() throws {
        #expect(throws: JSONWebKey.Problem.self) { try JSONWebKey(ForeignKey.weakRSA().jsonWebKey) }
        #expect(throws: JSONWebKey.Problem.self) {
            try JSONWebKey(pem: ForeignKey.weakRSA().pem, keyID: nil, algorithm: .rs256)
        }
        var point = try ForeignKey.p256().jsonWebKey
        point["y"] = point["x"]
        #expect(throws: JSONWebKey.Problem.self) { try JSONWebKey(point) }
        var short = try ForeignKey.p256().jsonWebKey
        short["x"] = "AQAB"
        #expect(throws: JSONWebKey.Problem.self) { try JSONWebKey(short) }
        var other = try ForeignKey.p384().jsonWebKey
        other["crv"] = "P-256"
        #expect(throws: JSONWebKey.Problem.self) { try JSONWebKey(other) }
    }

    @Test("RFC 7517 §5: a set leaves out keys that are of no use here, and has a size")
    func sets() throws {
        let good = try ForeignKey.p256().jsonWebKey
        let set = try JSONWebKeySet([
            "keys": [["kty": "oct", "k": "AA"], .object(good), "x", ["kty": "EC", "crv": "P-521"]]
        ])
        #expect(set.keys.map(\.keyID) == ["p256"])
        #expect(throws: JSONWebKey.Problem.self) { try JSONWebKeySet([:]) }
        #expect(throws: JSONWebKey.Problem.self) {
            try JSONWebKeySet(["keys": .array(Array(repeating: .object(good), count: 51))])
        }
    }

    @Test("Public keys and certificates in PEM, as Auth0's credentials have them")
    func pem() throws {
        for key in [try ForeignKey.rsa(), .p256(), .p384()] {
            let read = try JSONWebKey(pem: key.pem, keyID: key.keyID, algorithm: nil)
            #expect(Self.problem(try key.token(Self.claims), JSONWebKeySet([read])) == nil)
        }
        let own = try SigningKeyPair.generate()
        let der = Data(try own.selfSignedCertificate(commonName: "application"))
        let certificate =
            "-----BEGIN CERTIFICATE-----\n" + der.base64EncodedString(options: .lineLength64Characters)
            + "\n-----END CERTIFICATE-----\n"
        let read = try JSONWebKey(pem: certificate, keyID: nil, algorithm: .rs256)
        let input =
            try Base64URL.encode(JSON.bytes(["alg": "RS256"] as JSONObject)) + "."
            + Base64URL.encode(JSON.bytes(Self.claims))
        let token = try input + "." + Base64URL.encode(own.sign(Array(input.utf8)))
        #expect(Self.problem(token, JSONWebKeySet([read])) == nil)
        #expect(throws: JSONWebKey.Problem.self) { try JSONWebKey(pem: "", keyID: nil, algorithm: nil) }
        #expect(throws: JSONWebKey.Problem.self) {
            try JSONWebKey(pem: ForeignKey.p256().pem, keyID: nil, algorithm: .rs256)
        }
    }

    @Test("RFC 7638 §3.1: the thumbprint of the RFC's example")
    func thumbprint() throws {
        let key = try JSONWebKey([
            "kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
            "n": .string(
                "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiF"
                    + "V4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZ"
                    + "gnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xB"
                    + "niIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"),
        ])
        #expect(try key.thumbprint() == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
    }
}
