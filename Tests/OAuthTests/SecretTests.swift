import OAuth
import Testing

@Suite("Secrets")
struct SecretTests {
    private struct Holder {
        let secret: Secret
        let optional: Secret?
        let list: [Secret]
        let map: [String: Secret]
    }

    @Test("No way of printing a secret shows it")
    func neverPrinted() {
        let secret = Secret("correct-horse-battery")
        let holder = Holder(secret: secret, optional: secret, list: [secret], map: ["a": secret])
        var dumped = ""
        dump(secret, to: &dumped)
        dump(holder, to: &dumped)
        var debugged = ""
        debugPrint(secret, holder, to: &debugged)
        let texts = [
            "\(secret)", String(describing: secret), String(reflecting: secret), secret.description,
            secret.debugDescription, "\(holder)", String(reflecting: holder), "\([secret])",
            "\(Optional(secret) as Any)",
            dumped, debugged, "\(Mirror(reflecting: secret).children.map { "\($0)" })",
        ]
        for text in texts { #expect(!text.contains("horse"), "\(text)") }
    }

    @Test("The digest is the base64url SHA-256 of the text (FIPS 180-4's example)")
    func digest() {
        #expect(Secret("abc").digest == "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0")
        #expect(Secret("abc").digest != Secret("abd").digest)
    }

    @Test("A random secret has its prefix and 256 bits")
    func random() {
        let secrets = (0..<1_000).map { _ in Secret.random(prefix: "v1.").text }
        #expect(Set(secrets).count == 1_000)
        for secret in secrets {
            #expect(secret.hasPrefix("v1."))
            #expect(Base64URL.decode(secret.dropFirst(3))?.count == 32)
        }
    }

    @Test("Random identifiers have their length and alphabet")
    func identifiers() {
        for count in [0, 1, 7, 8, 9, 16, 24, 64] {
            #expect(RandomBytes.make(count).count == count)
            #expect(RandomBytes.hexadecimal(count).wholeMatch(of: /[0-9a-f]*/)?.0.count == count)
            let identifier = RandomBytes.alphanumeric(count, prefix: "con_")
            #expect(identifier.wholeMatch(of: /con_([A-Za-z0-9]*)/)?.1.count == count)
        }
        #expect(Set((0..<1_000).map { _ in RandomBytes.hexadecimal(24) }).count == 1_000)
        #expect(Set(RandomBytes.alphanumeric(10_000)).count == 62)
        #expect(Set(RandomBytes.hexadecimal(10_000)).count == 16)
    }

    @Test(
        "Constant-time comparison is byte equality",
        arguments: [
            ("", "", true), ("a", "a", true), ("a", "b", false), ("a", "", false), ("", "a", false),
            ("ab", "aB", false),
            ("abc", "abcd", false), ("é", "e\u{301}", false), ("😀", "😀", true), ("a\u{0}b", "a\u{0}c", false),
        ]
    )
    func constantTime(left: String, right: String, expected: Bool) {
        #expect(ConstantTime.equal(left, right) == expected)
        #expect(ConstantTime.equal(Array(left.utf8), Array(right.utf8)) == expected)
    }
}
