import OAuth
import Testing

@Suite("The claims parameter")
struct ClaimsRequestTests {
    @Test("OIDC Core §5.5: null, essential, value and values")
    func members() throws {
        let request = try ClaimsRequest(
            parsing: #"""
                {"userinfo": {"given_name": {"essential": true}, "nickname": null, "http://example.info/x": {}},
                 "id_token": {"auth_time": {"essential": true}, "sub": {"value": "248289761001"},
                              "acr": {"values": ["urn:a", "urn:b"]}}, "unknown": 1}
                """#)
        #expect(request.userInfo.keys.sorted() == ["given_name", "http://example.info/x", "nickname"])
        #expect(request.userInfo["given_name"]?.isEssential == true)
        #expect(request.userInfo["nickname"]?.isEssential == false)
        #expect(request.idToken["sub"]?.values == ["248289761001"])
        #expect(request.idToken["acr"]?.values == ["urn:a", "urn:b"])
        #expect(request.idToken["acr"]?.accepts("urn:b") == true)
        #expect(request.idToken["acr"]?.accepts("urn:c") == false)
        #expect(request.idToken["auth_time"]?.accepts(1) == true)
    }

    @Test("A claim is asked about as the narrowest scope that gives it")
    func scope() throws {
        let request = try ClaimsRequest(
            parsing:
                #"{"userinfo": {"name": null, "birthdate": null, "phone_number": null, "sub": null, "x": null}, "id_token": {"email": null, "address": null}}"#
        )
        #expect(request.scope == Scope(["name", "profile", "phone", "email", "address"]))
    }

    @Test(
        "OIDC Core §5.5: what is not such an object is invalid_request",
        arguments: [
            "", "null", "[]", "1", "{", "{}}", #"{"userinfo": 1}"#, #"{"id_token": []}"#, #"{"userinfo": {"a": 1}}"#,
            #"{"userinfo": {"a": {"essential": "yes"}}}"#, #"{"userinfo": {"a": {"values": "x"}}}"#,
            #"{"userinfo": {"a": []}}"#, #"{"userinfo": "\#(String(repeating: "a", count: 9000))"}"#,
            String(repeating: "[", count: 8000),
        ])
    func malformed(_ text: String) {
        #expect(refusal { _ = try ClaimsRequest(parsing: text) }?.code == .invalidRequest)
    }

    @Test("RFC 8707 §2: a resource is an absolute URI without a fragment")
    func resource() throws {
        for text in ["https://api.example.com/", "urn:api", "appointments:api"] {
            #expect(try ResourceIndicator.parse(text) == text)
        }
        for text in ["", "api", "/api", "https://api.example.com/#x", ":x", "1a:b", "a b:c", "é:x", "x:"] {
            #expect(refusal { _ = try ResourceIndicator.parse(text) }?.code == .invalidTarget, "\(text)")
        }
    }

    @Test("RFC 9449 §10: dpop_jkt is a SHA-256 thumbprint")
    func thumbprint() throws {
        let thumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
        let parameters = { Parameters(trusted: ["response_type": "code", "dpop_jkt": $0]) }
        #expect(try AuthorizationRequest(parameters(thumbprint)).dpopKeyThumbprint == thumbprint)
        for text in ["x", thumbprint + "A", "!" + thumbprint.dropFirst()] {
            #expect(refusal { _ = try AuthorizationRequest(parameters(text)) }?.code == .invalidRequest)
        }
    }
}
