import Fuzzing
import OAuth
import Testing

@Suite("Base64url")
struct Base64URLTests {
    @Test(
        "RFC 4648 §10, and RFC 7515 Appendix C: the alphabet for URLs, without padding",
        arguments: [
            ("", []), ("Zg", Array("f".utf8)), ("Zm8", Array("fo".utf8)), ("Zm9v", Array("foo".utf8)),
            ("Zm9vYg", Array("foob".utf8)), ("Zm9vYmE", Array("fooba".utf8)), ("Zm9vYmFy", Array("foobar".utf8)),
            ("A-z_4ME", [3, 236, 255, 224, 193]), ("____", [255, 255, 255]), ("--__", [251, 239, 255]), ("AA", [0]),
        ] as [(String, [UInt8])]
    )
    func vectors(text: String, bytes: [UInt8]) {
        #expect(Base64URL.encode(bytes) == text)
        #expect(Base64URL.decode(text) == bytes)
    }

    @Test(
        "One value has one spelling: padding, spare bits, foreign characters and impossible lengths are refused",
        arguments: [
            "Zg==", "Zm8=", "=", "Zh", "Zi", "Zv", "Z_", "Zm9", "Zm_", "A", "AAAAA", "Zm9vY", "+/+/", "Zm9v\n", " Zm9v",
            "Zm 9v", "Zm9vä", "Zm9v\u{0}", "Zm.9", "Ｚg",
        ]
    )
    func refused(text: String) {
        #expect(Base64URL.decode(text) == nil)
    }

    @Test("What is encoded decodes to itself, and what decodes encodes to itself")
    func roundTrips() {
        var generator = SeededGenerator(seed: 4648)
        for length in 0..<200 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let text = Base64URL.encode(bytes)
            #expect(Base64URL.decode(text) == bytes)
            #expect(text.utf8.count == (length * 4 + 2) / 3)
        }
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        for _ in 0..<5_000 {
            let length = Int.random(in: 0...6, using: &generator)
            let text = String((0..<length).map { _ in alphabet.randomElement(using: &generator) ?? "A" })
            if let bytes = Base64URL.decode(text) { #expect(Base64URL.encode(bytes) == text) }
        }
    }
}
