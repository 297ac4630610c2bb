import OAuth
import Testing

@Suite("Proof Key for Code Exchange")
struct ProofKeyTests {
    private static let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    private static let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

    private static func key(_ challenge: String?, _ method: String?) throws -> ProofKey? {
        try ProofKey(
            Parameters(trusted: ["code_challenge": challenge ?? "", "code_challenge_method": method ?? ""])
        )
    }

    @Test("RFC 7636 Appendix B")
    func appendixB() throws {
        let key = try #require(try Self.key(Self.challenge, "S256"))
        #expect(key.method == .s256)
        #expect(key.verifies(Self.verifier))
    }

    @Test(
        "RFC 7636 §4.6: every other verifier fails",
        arguments: [
            "", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjX",
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk=", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk ",
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk\u{0}", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            String(repeating: "a", count: 1_000_000),
        ]
    )
    func wrongVerifier(verifier: String) throws {
        #expect(try Self.key(Self.challenge, "S256")?.verifies(verifier) == false)
    }

    @Test("RFC 7636 §4.3: plain where no method is sent, and plain compares the texts")
    func plain() throws {
        for method in [nil, "plain"] {
            let key = try #require(try Self.key(Self.verifier, method))
            #expect(key.method == .plain)
            #expect(key.verifies(Self.verifier))
            #expect(!key.verifies(Self.challenge))
        }
    }

    @Test("RFC 7636 §4.1: a verifier has 43 to 128 characters")
    func lengths() throws {
        for (length, isAllowed) in [(42, false), (43, true), (128, true), (129, false)] {
            let text = String(repeating: "v", count: length)
            #expect(((try? Self.key(text, "plain"))?.verifies(text) == true) == isAllowed, "\(length)")
        }
    }

    @Test(
        "RFC 7636 §4.2, §4.4.1: malformed challenges and unknown methods",
        arguments: [
            (nil, "S256"), (nil, "plain"), ("short", "S256"), ("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "s256"),
            ("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "S512"),
            ("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=", "S256"),
            ("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cMx", "S256"),
            ("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM", "S256"),
            ("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw cM", "plain"),
            ("ä9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "plain"),
        ] as [(String?, String)]
    )
    func malformed(challenge: String?, method: String) {
        #expect(refusal { _ = try Self.key(challenge, method) }?.code == .invalidRequest)
    }

    @Test("Without both parameters there is no proof key")
    func absent() throws {
        #expect(try Self.key(nil, nil) == nil)
    }
}
