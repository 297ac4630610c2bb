import Foundation
import OAuth
import TestSupport
import Testing

@testable import AuthorizationServer

@Suite("Proofs of possession (RFC 9449)")
struct DPoPProofTests {
    private static let now = Date(timeIntervalSince1970: 1_562_262_616)
    private static let url = "https://server.example.com/token"
    private static let target = DPoPProof.Target(method: "POST", url: url)

    private static let key = ForeignKey.p256(keyID: nil)

    private static func proof(_ claims: JSONObject = [:], header: JSONObject = [:], by key: ForeignKey = key) throws
        -> String
    {
        let all: JSONObject = [
            "htm": "POST", "htu": .string(url), "jti": "1", "iat": 1_562_262_616,
        ]
        return try key.token(
            all.merging(claims) { $1 }.filter { $0.value != .null },
            header: ["typ": "dpop+jwt", "jwk": .object(key.jsonWebKey)].merging(header) { $1 })
    }

    private static func problem(_ text: String, for target: DPoPProof.Target = target, at now: Date = now) -> String? {
        do throws(OAuthError) {
            _ = try DPoPProof(text, for: target, at: now)
            return nil
        } catch {
            #expect(error.code == .invalidDPoPProof)
            return error.description
        }
    }

    @Test("RFC 9449 §4.1 and §6.1: the proof of the example, and the thumbprint of its key")
    func tokenRequestVector() throws {
        let text =
            "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscE"
            + "JoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In"
            + "19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuI"
            + "iwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3"
            + "Lg"
        let proof = try DPoPProof(text, for: Self.target, at: Self.now)
        #expect(proof.keyThumbprint == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I")
        #expect(proof.nonce == nil)
        let changed = text.replacing("LnQg4PtFL", with: "LnQg4PtFM").replacing("vwnQg4P", with: "vwnQg4Q")
        #expect(Self.problem(changed)?.contains("signature") == true)
    }

    @Test("RFC 9449 §7.1: ath is the hash of the access token")
    func accessTokenHash() throws {
        let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
        let target = DPoPProof.Target(method: "POST", url: Self.url, accessToken: token)
        let proof = try Self.proof(["ath": "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"])
        #expect(Self.problem(proof, for: target) == nil)
        for wrong in [.null, "", .string(token), "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEA"] as [JSONValue] {
            #expect(Self.problem(try Self.proof(["ath": wrong]), for: target)?.contains("ath") == true)
        }
    }

    @Test("RFC 9449 §4.3: keys of every asymmetric kind prove possession")
    func kinds() throws {
        for key in [try ForeignKey.rsa(keyID: nil), .p256(keyID: nil), .p384(keyID: nil), .ed25519(keyID: nil)] {
            #expect(Self.problem(try Self.proof(by: key)) == nil, "\(key.standardAlgorithm)")
        }
    }

    @Test(
        "RFC 9449 §4.3: each claim that is missing, of another kind or another request's is refused by its name",
        arguments: [
            ("htm", .null), ("htm", "GET"), ("htm", "post"), ("htm", 1), ("htu", .null), ("htu", ["a"]),
            ("htu", "https://server.example.com/other"), ("htu", "https://server.example.com/token/"),
            ("htu", "https://server.example.com/TOKEN"), ("htu", "http://server.example.com/token"),
            ("htu", "https://server.example.com:8443/token"), ("htu", "https://evil.example/token"),
            ("htu", "https://server.example.com@evil.example/token"), ("htu", "/token"), ("htu", ""),
            ("htu", "https://x@server.example.com/token"), ("htu", "https://server.example.com/a/../token"),
            ("htu", "https://server.example.com/%2ftoken"), ("htu", "https://server.example.com//token"),
            ("iat", .null), ("iat", "1562262616"), ("iat", 1_562_262_677), ("iat", 1_562_262_555),
            ("iat", .number(1e300)), ("jti", .null), ("jti", ""), ("jti", 1),
            ("jti", .string(String(repeating: "a", count: 256))),
        ] as [(String, JSONValue)])
    func claims(name: String, value: JSONValue) throws {
        #expect(Self.problem(try Self.proof([name: value]))?.contains("'\(name)'") == true)
    }

    @Test(
        "RFC 9449 §4.3: query and fragment do not count, and one address has one form",
        arguments: [
            "https://server.example.com/token?a=b", "https://server.example.com/token#a",
            "HTTPS://Server.Example.COM/token",
            "https://server.example.com:443/token", "https://server.example.com/%74oken",
        ])
    func normalized(_ url: String) throws {
        #expect(Self.problem(try Self.proof(["htu": .string(url)])) == nil)
    }

    @Test("A proof is good for a minute before and after")
    func window() throws {
        let proof = try Self.proof()
        for (seconds, isGood) in [(-61.0, false), (-59, true), (59, true), (61, false)] {
            #expect((Self.problem(proof, at: Self.now + seconds) == nil) == isGood, "\(seconds)")
        }
    }

    @Test("RFC 9449 §4.3, RFC 8725: another type, a private or symmetric key, a key of somebody else's, no key")
    func hostileHeaders() throws {
        let jwk = try Self.key.jsonWebKey
        let other = try ForeignKey.p256(keyID: nil).jsonWebKey
        let secret = ForeignKey.secret("0123456789abcdef0123456789abcdef")
        let hostile = [
            try Self.proof(header: ["typ": "JWT"]), try Self.proof(header: ["typ": .null]),
            try Self.proof(header: ["jwk": .null]), try Self.proof(header: ["jwk": "x"]),
            try Self.proof(header: ["jwk": .object(other)]),
            try Self.proof(header: ["jwk": .object(jwk.merging(["d": "AA"]) { $1 })]),
            try Self.proof(header: ["jwk": .object(jwk.merging(["p": "AA"]) { $1 })]),
            try Self.proof(header: ["jwk": .object(jwk.merging(["kty": "oct", "k": "AA"]) { $1 })]),
            try Self.proof(header: ["alg": "none"]), try Self.proof(header: ["alg": "RS256"]),
            try Self.proof(header: ["alg": "HS256"]), try Self.proof(header: ["crit": ["exp"]]),
            try Self.proof(by: secret), try Self.proof(by: .weakRSA(keyID: nil)),
            try secret.token([:], header: ["typ": "dpop+jwt", "jwk": .object(jwk)]),
            "", "a.b.c", "....", try Self.proof() + "A", String(try Self.proof().dropLast(4)),
            String(repeating: "a", count: 10_000),
        ]
        for proof in hostile { #expect(Self.problem(proof) != nil, "\(proof.tokenHeader)") }
        #expect(Self.problem(try Self.proof(header: ["typ": "application/dpop+jwt"])) == nil)
    }

    @Test("RFC 9449 §8: every node makes and knows the nonce of the last minutes, and no other secret does")
    func nonces() {
        let secret = ServerSecret("a secret of more than thirty-two characters")
        let (node, stranger) = (ServerSecret("a secret of more than thirty-two characters"), ServerSecret("another"))
        let nonce = secret.dpopNonce(at: Self.now)
        #expect(nonce.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C })
        for (seconds, isFresh) in [(-120.0, false), (-30, true), (0, true), (240, true), (420, false)] {
            #expect(node.isFresh(dpopNonce: nonce, at: Self.now + seconds) == isFresh, "\(seconds)")
        }
        #expect(!stranger.isFresh(dpopNonce: nonce, at: Self.now))
        let minute = nonce.prefix { $0 != "." }
        for forged in ["", ".", String(minute), "\(minute).", nonce + "A", "\(Int64.max).x", "-1.x", "x\(nonce)"] {
            #expect(!secret.isFresh(dpopNonce: forged, at: Self.now), "\(forged)")
        }
    }
}
