import OAuth
import Testing

@Suite("JSON values")
struct JSONValueTests {
    @Test(
        "A value's text reads back as the value",
        arguments: [
            nil, true, false, 0, 1, -1, 0.5, -1.25e-7, "", "text", "\"\\/\u{8}\n\r\t\u{0}\u{1F}\u{7F}",
            "ünïcödé 😀 עברית",
            [], [:], [nil, true, 1, "1", [[]], ["a": ["b": [1, 2.5, nil]]]],
            .integer(.max), .integer(.min), .integer(9_007_199_254_740_993), .number(.greatestFiniteMagnitude),
            .number(.leastNonzeroMagnitude), ["": "", "a.b": 1, "ä": nil],
        ] as [JSONValue]
    )
    func roundTrip(value: JSONValue) throws {
        let wrapped: JSONObject = ["value": value]
        #expect(try JSON.decode(JSONObject.self, from: JSON.text(wrapped)) == wrapped)
        #expect(try JSON.decode(JSONObject.self, from: JSON.bytes(wrapped)) == wrapped)
    }

    @Test(
        "Each kind of text has its case",
        arguments: [
            ("null", nil), ("true", true), ("0", 0), ("1", 1), ("-7", -7), ("1.5", 1.5), ("1e2", 100), ("\"1\"", "1"),
            ("9223372036854775807", .integer(.max)), ("9223372036854775808", .number(9_223_372_036_854_775_808)),
            ("\"\\u00e9\"", "é"), ("\"\\ud83d\\ude00\"", "😀"), ("[1,[]]", [1, []]), ("{\"a\":null}", ["a": nil]),
        ] as [(String, JSONValue)]
    )
    func decoding(text: String, value: JSONValue) throws {
        #expect(try JSON.decode([JSONValue].self, from: "[\(text)]") == [value])
    }

    @Test(
        "What is no JSON is an error, however deep or large it is",
        arguments: [
            "", "{", "[,1]", "{\"a\"}", "{'a':1}", "[01]", "[NaN]", "[1e999]", "[\"\u{1}\"]", "[\"\\ud83d\"]", "[1] x",
            String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000),
            String(repeating: "{\"a\":", count: 100_000),
        ]
    )
    func refused(text: String) {
        #expect(throws: DecodingError.self) { try JSON.decode([JSONValue].self, from: text) }
    }

    @Test("Equal values have equal texts: members in the order of their names, slashes as they are")
    func canonical() throws {
        let value: JSONObject = ["b": 1, "a": "https://example.com/", "c": ["z": true, "y": false]]
        #expect(try JSON.text(value) == #"{"a":"https://example.com/","b":1,"c":{"y":false,"z":true}}"#)
    }

    @Test("A value answers only for its own kind")
    func accessors() {
        #expect(JSONValue.string("1").string == "1")
        #expect(JSONValue.string("1").integer == nil)
        #expect(JSONValue.string("true").bool == nil)
        #expect(JSONValue.integer(1).bool == nil)
        #expect(JSONValue.bool(true).integer == nil)
        #expect(JSONValue.number(2).integer == 2)
        #expect(JSONValue.number(2.5).integer == nil)
        #expect(JSONValue.number(1e300).integer == nil)
        #expect(JSONValue.number(.nan).integer == nil)
        #expect(JSONValue.array([1]).array == [1])
        #expect(JSONValue.array([1]).object == nil)
        #expect(JSONValue.object(["a": 1]).object == ["a": 1])
        #expect(JSONValue.null.string == nil)
    }

    @Test("The token response leaves out what is not issued (RFC 6749 §5.1)")
    func tokenResponse() throws {
        let least = TokenResponse(accessToken: "a", refreshToken: nil, idToken: nil, scope: .empty, expiresIn: 60)
        #expect(try JSON.text(least) == #"{"access_token":"a","expires_in":60,"token_type":"Bearer"}"#)
        let most = TokenResponse(
            accessToken: "a",
            refreshToken: "r",
            idToken: "i",
            scope: Scope(["openid", "b"]),
            expiresIn: 60
        )
        #expect(
            try JSON.decode(JSONObject.self, from: JSON.text(most)) == [
                "access_token": "a", "refresh_token": "r", "id_token": "i", "scope": "openid b", "expires_in": 60,
                "token_type": "Bearer",
            ]
        )
    }
}
