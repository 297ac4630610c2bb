import Foundation
import Fuzzing
import OAuth
import Testing

@Suite("Fuzz: JSON and base64url")
struct EncodingFuzzTests {
    /// Any JSON value, a few levels deep.
    private static func value(_ generator: inout SeededGenerator, depth: Int = 3) -> JSONValue {
        switch generator.below(depth > 0 ? 9 : 6) {
        case 0: .null
        case 1: .bool(generator.oneIn(2))
        case 2: .integer(Int64(bitPattern: generator.next()) >> generator.below(63))
        case 3: .number(Double(generator.below(1 << 24)) - 5_000_000.5)
        case 4, 5: .string(generator.text(most: 8))
        case 6: .array((0..<generator.below(4)).map { _ in value(&generator, depth: depth - 1) })
        default:
            .object(
                JSONObject(
                    (0..<generator.below(4)).map { _ in
                        (generator.text(most: 4), value(&generator, depth: depth - 1))
                    },
                    uniquingKeysWith: { $1 }))
        }
    }

    @Test("RFC 8259: every value's text reads back as the value")
    func values() {
        let outcome = Fuzz.run(8_000, { ["value": Self.value(&$0)] as JSONObject }) { object in
            let text = try JSON.text(object)
            return try JSON.decode(JSONObject.self, from: text) == object ? .accepted : .wrong(text)
        }
        #expect(outcome.complaint == nil)
        #expect(outcome.accepted == Fuzz.cases(8_000))
    }

    @Test("RFC 8259: any other text is a decoding error, or a value that its own text gives again")
    func texts() {
        let mutator = Mutator(
            [
                #"{"client_id":"a","grant_type":"authorization_code","code":"x","n":[1,2.5,-3e2,true,null]}"#,
                #"[{"a":{"b":[[],{}]}},"\u00e9\ud83d\ude00\n"]"#, "{}", #"{"keys":[{"kty":"RSA","e":"AQAB"}]}"#,
            ],
            words: [
                "\\u0000", "\\ud83d", "\\", "1e999", "-0", "0.1", "01", ":", "[[[[", "{\"a\":", "NaN", "//", "/**/",
            ])
        let outcome = Fuzz.run(20_000, { mutator.bytes(&$0) }) { bytes in
            do {
                let value = try JSON.decode(JSONValue.self, from: Data(bytes))
                let text = try JSON.text(["v": value])
                let again = try JSON.decode(JSONObject.self, from: text)
                return again == ["v": value] ? .accepted : .wrong("reads back as \(again)")
            } catch is DecodingError {
                return .refused
            }
        }
        #expect(outcome.complaint == nil)
        #expect(outcome.isTelling, "\(outcome)")
    }

    @Test("RFC 4648 §5: base64url has one spelling for each value, and agrees with Foundation's base64")
    func base64() {
        let mutator = Mutator(["", "Zg", "Zm9vYmFy", "A-z_4ME", "AAAAAAAA"], words: ["=", "-", "_", "/", "A", "w"])
        let outcome = Fuzz.run(80_000, { mutator.text(&$0) }) { text in
            guard let bytes = Base64URL.decode(text) else {
                let isForeign = text.utf8.contains { byte in
                    !(byte >= 0x30 && byte <= 0x39 || byte >= 0x41 && byte <= 0x5A || byte >= 0x61 && byte <= 0x7A
                        || byte == 0x2D || byte == 0x5F)
                }
                if isForeign || text.utf8.count % 4 == 1 { return .refused }
                // What is left is a last character with bits to spare.
                let standard = text.replacing("-", with: "+").replacing("_", with: "/")
                let padded = standard + String(repeating: "=", count: (4 - standard.utf8.count % 4) % 4)
                return Data(base64Encoded: padded)?.base64EncodedString() == padded ? .wrong("refused") : .refused
            }
            return Base64URL.encode(bytes) == text ? .accepted : .wrong("encodes to \(Base64URL.encode(bytes))")
        }
        #expect(outcome.complaint == nil)
        #expect(outcome.isTelling, "\(outcome)")
    }
}
