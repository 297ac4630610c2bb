import Foundation
import OAuth
import Storage
import Testing

@Suite("What others wrote in a log event")
struct LogEventTests {
    private static func cleaned(_ details: JSONObject) -> JSONObject {
        var event = LogEvent(.apiOperation, at: Date(timeIntervalSince1970: 0))
        event.details = details
        return event.cleaned.details
    }

    @Test("Plain details of a usual size stay as they are")
    func plain() {
        let details: JSONObject = [
            "request_id": "r1", "elapsed_ms": 12, "ok": true, "none": .null,
            "change": ["before": ["name": "A \"quoted\" \\ name"], "after": ["names": ["a", 1.5, ["b"]]]],
        ]
        #expect(Self.cleaned(details) == details)
        #expect(Self.cleaned([:]) == [:])
    }

    @Test(
        "Control and format characters are written out wherever they are",
        arguments: ["\n", "\u{1B}", "\u{202E}", "\u{7F}"])
    func hostile(_ character: String) {
        let hidden = "a\(character)b"
        let cleaned = Self.cleaned([
            "plain": "text", "array": .array([.string(hidden)]), "object": .object([hidden: .string(hidden)]),
        ])
        let written = cleaned["array"]?.array?.first?.string
        #expect(written?.hasPrefix("a\\u{") == true && written?.hasSuffix("}b") == true)
        #expect(cleaned["object"]?.object?.keys.first == written)
        #expect(cleaned["plain"] == "text")
    }

    @Test("A text is cut at 2,000 characters, and what lies deeper than nine levels is left out")
    func limits() {
        let cleaned = Self.cleaned(["long": .string(String(repeating: "x", count: 2001))])
        #expect(cleaned["long"] == .string(String(repeating: "x", count: 2000) + "…"))
        let deep = (0..<12).reduce(JSONValue.string("bottom")) { inner, _ in ["level": inner] }
        #expect("\(Self.cleaned(["deep": deep]))".contains("bottom") == false)
    }

    @Test("Of more than 32 KiB of details the small ones stay", arguments: ["x", "\"", "\u{1B}"])
    func large(_ character: String) {
        let text = JSONValue.string(String(repeating: character, count: 900))
        let large = JSONValue.array(Array(repeating: text, count: 40))
        let cleaned = Self.cleaned(["request_id": "r1", "large": large])
        #expect(cleaned == ["request_id": "r1", "truncated": true])
    }
}
