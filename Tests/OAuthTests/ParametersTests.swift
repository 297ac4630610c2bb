import OAuth
import Testing

@Suite("Parameters")
struct ParametersTests {
    @Test(
        "RFC 6749 §3.1: no parameter twice, whatever its values are",
        arguments: [
            [("client_id", "a"), ("client_id", "b")], [("client_id", "a"), ("client_id", "a")],
            [("state", ""), ("state", "x")], [("x", "1"), ("y", "2"), ("x", "")], [("", "1"), ("", "2")],
        ]
    )
    func duplicates(pairs: [(String, String)]) {
        #expect(refusal { _ = try Parameters(pairs) }?.code == .invalidRequest)
    }

    @Test("The refusal names the parameter, without what could forge a line of a log")
    func duplicateIsNamed() {
        let error = refusal { _ = try Parameters([("a\r\nb", "1"), ("a\r\nb", "2")]) }
        #expect(error?.description == "Duplicate parameter: a\u{FFFD}\u{FFFD}b")
    }

    @Test("Names differ by case")
    func caseSensitive() throws {
        let parameters = try Parameters([("scope", "a"), ("Scope", "b")])
        #expect(parameters["scope"] == "a")
        #expect(parameters["Scope"] == "b")
        #expect(parameters["SCOPE"] == nil)
    }

    @Test("RFC 6749 §3.1: a parameter without a value is treated as omitted")
    func emptyIsAbsent() throws {
        let parameters = try Parameters([("nonce", ""), ("state", "x")])
        #expect(parameters["nonce"] == nil)
        #expect(parameters.all == ["state": "x"])
        #expect(refusal { _ = try parameters.require("nonce") } == .missingParameter("nonce"))
        #expect(try parameters.require("state") == "x")
        #expect(Parameters(trusted: ["a": "", "b": "c"]).all == ["b": "c"])
    }

    @Test("What a query and a body carry together may not name the same parameter")
    func adding() throws {
        let query = try Parameters([("a", "1")])
        #expect(try query.adding(Parameters([("b", "2")])).all == ["a": "1", "b": "2"])
        #expect(refusal { _ = try query.adding(Parameters([("a", "1")])) }?.code == .invalidRequest)
    }

    @Test(
        "Quoted text has no control or format characters and at most 200 scalars",
        arguments: [
            ("plain", "plain"), ("a\nb", "a\u{FFFD}b"), ("\u{1B}[31m", "\u{FFFD}[31m"), ("a\u{0}", "a\u{FFFD}"),
            ("a\u{202E}b", "a\u{FFFD}b"), ("\u{200B}", "\u{FFFD}"), ("ünï😀", "ünï😀"),
            (String(repeating: "x", count: 200), String(repeating: "x", count: 200)),
            (String(repeating: "x", count: 201), String(repeating: "x", count: 200) + "…"),
        ]
    )
    func forDisplay(text: String, shown: String) {
        #expect(text.forDisplay == shown)
    }
}
