import Foundation
import OAuth
import Testing

@Suite("JSON that strangers wrote")
struct JSONReaderTests {
    @Test(
        "RFC 8259: each kind of value is read",
        arguments: [
            ("null", nil), (" true ", true), ("\n[\t]\r", []), ("{ }", [:]), ("0", 0), ("-7", -7), ("1.5", 1.5),
            ("-0", 0), ("1e2", 100), ("1E+2", 100), ("1.0", 1), ("9223372036854775807", .integer(.max)),
            ("9223372036854775808", .number(9_223_372_036_854_775_808)), ("\"\"", ""),
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
            (#""\u00e9\ud83d\uDE00\u0000""#, "é😀\u{0}"), ("\"é😀\u{7F}\"", "é😀\u{7F}"),
            (#"{"a":{"b":[1,{"c":null}]},"":2}"#, ["a": ["b": [1, ["c": nil]]], "": 2]),
        ] as [(String, JSONValue)])
    func values(_ text: String, _ value: JSONValue) throws {
        #expect(try JSONReader.value(text.utf8) == value)
    }

    @Test(
        "RFC 8259: what is no JSON is none, and nothing of it is guessed",
        arguments: [
            "", " ", "{", "}", "[", "[1", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}",
            "{'a':1}",
            "01", "-", "+1", ".5", "1.", "1e", "1e999", "0x1", "NaN", "Infinity", "tru", "truee", "nul", "\"", "\"\\\"",
            "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud83d\"", "\"\\ud83d\\u0041\"", "\"\\ude00\"", "\"\u{1}\"",
            "\"\n\"", "[1] x", "1 2", "// c\n1", "\u{FEFF}1",
        ])
    func malformed(_ text: String) {
        #expect(throws: JSONReader.Problem.malformed) { try JSONReader.value(text.utf8) }
    }

    @Test("RFC 3629: bytes that are no UTF-8 are no JSON")
    func encoding() {
        for bytes in [[0x22, 0xC3, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0xFF, 0xFE, 0x31, 0x00]] as [[UInt8]] {
            #expect(throws: JSONReader.Problem.malformed) { try JSONReader.value(bytes) }
        }
    }

    @Test(
        "RFC 8259 §4: a member that is there twice is refused, at any depth and however it is spelt",
        arguments: [
            #"{"a":1,"a":1}"#, #"{"a":1,"\u0061":2}"#, #"[{"b":{"a":1,"c":2,"a":3}}]"#,
        ])
    func duplicates(_ text: String) {
        #expect(throws: JSONReader.Problem.duplicate("a")) { try JSONReader.value(text.utf8) }
    }

    @Test("A text that is nested deeply is refused, in no time")
    func depth() throws {
        let deepest = JSONReader.deepest
        let nested = { String(repeating: "[", count: $0) + String(repeating: "]", count: $0) }
        _ = try JSONReader.value(nested(deepest).utf8)
        #expect(throws: JSONReader.Problem.tooDeep) { try JSONReader.value(nested(deepest + 1).utf8) }
        for text in [nested(100_000), String(repeating: "{\"a\":", count: 100_000)] {
            #expect(throws: JSONReader.Problem.tooDeep) { try JSONReader.value(text.utf8) }
        }
    }
}
