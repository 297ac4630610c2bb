import Foundation
import Testing

@testable import OAuth

@Suite("Writing JSON, RFC 8259")
struct JSONWriterTests {
    /// What is stored, signed and compared was written by `JSONEncoder` before, and has to stay the same text.
    @Test(
        "A value's text is what JSONEncoder writes",
        arguments: [
            .null, true, false, 0, -1, .integer(.max), .integer(.min), 0.5, -2.25, 1e300, 5.0, .number(-0.0), "", [],
            [:],
            "\u{0}\u{1}\u{8}\t\n\u{b}\u{c}\r\u{1f}\"\\/", "é \u{2028} \u{7f} 😀 \u{FFFF}", [[], [1, "two", [:]]],
            ["b": 1, "a": ["d": [], "c": .null], "B": 2, "é": "e\u{301}", "": 0, "a\"": "\\"],
        ] as [JSONValue])
    func sameAsEncoder(_ value: JSONValue) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let expected = String(decoding: try encoder.encode(value), as: UTF8.self)
        #expect(try JSON.text(value) == expected)
        #expect(try Data(JSON.bytes(value)) == Data(expected.utf8))
    }

    @Test("Members stand in the order of their names, however they were put in (equal values, equal texts)")
    func order() throws {
        let names = (0..<200).map { "name\($0 * 7919 % 1000)" }
        let values = [names, names.reversed(), names.shuffled()].map { names in
            JSONObject(uniqueKeysWithValues: names.map { ($0, JSONValue.string($0)) })
        }
        let texts = try values.map { try JSON.text($0) }
        #expect(Set(texts).count == 1)
    }

    @Test("What JSON has no text for is refused", arguments: [Double.nan, .infinity, -.infinity])
    func notANumber(_ number: Double) {
        #expect(throws: EncodingError.self) { try JSON.text([JSONValue.number(number)] as JSONValue) }
    }
}
