import Foundation
import Testing

@testable import AuthorizationServer

@Suite("Time-based one-time codes")
struct TOTPTests {
    private let secret = Array("12345678901234567890".utf8)

    @Test(
        "RFC 6238 appendix B: the vectors for SHA-1, by their last six digits",
        arguments: [
            (59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (1_234_567_890, "005924"),
            (2_000_000_000, "279037"), (20_000_000_000, "353130"),
        ] as [(Double, String)])
    func vectors(time: Double, code: String) {
        let totp = TOTP(secret: secret)
        #expect(totp.code(at: TOTP.step(at: Date(timeIntervalSince1970: time))) == code)
    }

    @Test(
        "RFC 4226 appendix D: the vectors of the counters 0 to 9",
        arguments: zip(
            0...9,
            [
                "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489",
            ]))
    func counters(counter: Int, code: String) { #expect(TOTP(secret: secret).code(at: Int64(counter)) == code) }

    @Test("RFC 6238 §5.2: a code is good in its step and the ones beside it; spaces do not count, other texts are none")
    func steps() {
        let totp = TOTP(secret: secret)
        let now = Date(timeIntervalSince1970: 1_234_567_890)
        let step = TOTP.step(at: now)
        for offset in -1...1 as ClosedRange<Int64> {
            #expect(totp.step(of: totp.code(at: step + offset), at: now) == step + offset)
        }
        #expect(totp.step(of: totp.code(at: step - 2), at: now) == nil)
        #expect(totp.step(of: totp.code(at: step + 2), at: now) == nil)
        #expect(totp.step(of: "005 924", at: now) == step)
        for text in ["", "5924", "0059240", "٠٠٥٩٢٤", "005924\u{0}"] { #expect(totp.step(of: text, at: now) == nil) }
    }

    @Test(
        "RFC 4648 §10: Base32 without padding, both ways",
        arguments: [
            ("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ])
    func base32(text: String, encoded: String) {
        #expect(Base32.encode(Array(text.utf8)) == encoded)
        #expect(Base32.decode(encoded.lowercased()) == Array(text.utf8))
        #expect(Base32.decode(encoded + "1") == nil)
    }
}
