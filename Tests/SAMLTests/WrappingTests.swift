import Foundation
import SAML
import Testing

/// Signatures that are good, of something else than what is read; and documents that parsers stumble over.
@Suite("Attacks on SAML answers", .enabled(if: TestProvider.program != nil, "xmlsec1 is not installed"))
struct WrappingTests {
    /// The signed document's assertion, and the same for somebody else without a signature.
    private func parts() async throws -> (text: String, good: String, evil: String, signature: String) {
        let text = try await signed()
        let good = try #require(text.firstMatch(of: /<a:Assertion(?s:.)*<\/a:Assertion>/)).output
        let signature = try #require(text.firstMatch(of: /<ds:Signature (?s:.)*<\/ds:Signature>/)).output
        let evil = good.replacing(signature, with: "").replacing("jane-1", with: "admin")
        return (text, String(good), String(evil), String(signature))
    }

    private func evil(_ evil: String, id: String) -> String {
        evil.replacing("ID=\"_assertion\"", with: "ID=\"\(id)\"")
    }

    private func check(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        #expect(text.contains("admin"), sourceLocation: sourceLocation)
        expectRefused(try await read(text), sourceLocation: sourceLocation)
    }

    @Test("A canonical form whose prefixes are many or long is refused before anything is computed")
    func prefixes() async throws {
        func list(_ prefixes: [String]) -> String {
            "<ec:InclusiveNamespaces xmlns:ec=\"http://www.w3.org/2001/10/xml-exc-c14n#\" "
                + "PrefixList=\"\(prefixes.joined(separator: " "))\"/>"
        }
        let form = #"Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>"#
        func answer(_ prefixes: [String], in element: String) async throws -> Result<Assertion, AssertionRefusal> {
            try await read(
                signed {
                    $0.signatureOfAssertion = $0.signatureOfAssertion.replacing(
                        "<ds:\(element) \(form)",
                        with: "<ds:\(element) \(form.dropLast(2))>\(list(prefixes))</ds:\(element)>")
                })
        }
        let few = (1...16).map { "p\($0)" }
        for element in ["CanonicalizationMethod", "Transform"] {
            #expect(try await answer(few + few + ["p1"], in: element).get().nameID == "jane-1")
            expectRefused(try await answer(few + ["xs"], in: element), "prefixes")
            expectRefused(try await answer([String(repeating: "p", count: 65)], in: element), "prefixes")
        }
    }

    @Test("Signature wrapping: a second assertion before or behind the signed one")
    func beside() async throws {
        let (text, good, evil, _) = try await parts()
        for id in ["_evil", "_assertion"] {
            let other = self.evil(evil, id: id)
            try await check(text.replacing(good, with: other + good))
            try await check(text.replacing(good, with: good + other))
        }
    }

    @Test("Signature wrapping: the signed assertion within the other, in its signature, or in an extension")
    func within() async throws {
        let (text, good, evil, signature) = try await parts()
        let other = self.evil(evil, id: "_evil")
        try await check(text.replacing(good, with: other.replacing("</a:Subject>", with: "</a:Subject>" + good)))
        let object = signature.replacing("</ds:Signature>", with: "<ds:Object>\(good)</ds:Object></ds:Signature>")
        try await check(text.replacing(good, with: other.replacing("</a:Issuer>", with: "</a:Issuer>" + object)))
        let original = good.replacing(signature, with: "")
        let detached = signature.replacing(
            "</ds:Signature>", with: "<ds:Object>\(original)</ds:Object></ds:Signature>")
        try await check(text.replacing(good, with: other.replacing("</a:Issuer>", with: "</a:Issuer>" + detached)))
        let extensions = "<p:Extensions>\(good)</p:Extensions><p:Status>"
        try await check(text.replacing(good, with: other).replacing("<p:Status>", with: extensions))
        let signedExtensions = "<p:Extensions>\(original)</p:Extensions><p:Status>"
        let moved = other.replacing("</a:Issuer>", with: "</a:Issuer>" + signature)
        try await check(text.replacing(good, with: moved).replacing("<p:Status>", with: signedExtensions))
    }

    @Test("Signature wrapping: the whole signed response within another")
    func responses() async throws {
        let provider = try await TestProvider.shared.value
        var response = TestResponse()
        (response.signatureOfResponse, response.signatureOfAssertion) = (TestResponse.signature("_response"), "")
        let text = try provider.signed(response.text, in: "Response").replacing("<?xml version=\"1.0\"?>\n", with: "")
        response.signatureOfResponse = ""
        let outer = response.text.replacing("jane-1", with: "admin").replacing("_assertion", with: "_evil")
        for id in ["_response", "_outer"] {
            let renamed = outer.replacing("ID=\"_response\"", with: "ID=\"\(id)\"")
            try await check(renamed.replacing("</p:Response>", with: text + "</p:Response>"))
            try await check(
                renamed.replacing("<p:Status>", with: "<p:Extensions>\(text)</p:Extensions><p:Status>"))
        }
        let signature = try #require(text.firstMatch(of: /<ds:Signature (?s:.)*<\/ds:Signature>/)).output
        let inner = text.replacing(signature, with: "")
        let wrapped = signature.replacing("</ds:Signature>", with: "<ds:Object>\(inner)</ds:Object></ds:Signature>")
        let taken = outer.replacing("ID=\"_response\"", with: "ID=\"_outer\"")
        try await check(taken.replacing("<p:Status>", with: wrapped + "<p:Status>"))
    }

    @Test("Signature wrapping: a signature of the assertion in the response's place")
    func moved() async throws {
        let (text, good, evil, signature) = try await parts()
        let moved = text.replacing(good, with: self.evil(evil, id: "_evil"))
            .replacing("<p:Status>", with: signature + "<p:Status>")
        try await check(moved)
    }

    @Test("Comments in a NameID leave the signature good and the name in two, so there must be none")
    func comments() async throws {
        let provider = try await TestProvider.shared.value
        var response = TestResponse()
        response.nameID = "<a:NameID>admin@example.org.evil.example</a:NameID>"
        let text = try provider.signed(response.text)
        #expect(try await read(text).get().nameID == "admin@example.org.evil.example")
        for cut in ["<!---->", "<!-- x -->", "<?x?>"] {
            let cutText = text.replacing(".evil.example</a:NameID>", with: cut + ".evil.example</a:NameID>")
            #expect(cutText != text)
            expectRefused(try await read(cutText), "comments or instructions")
        }
        // CDATA is text, whoever reads it.
        let data = text.replacing(".evil.example</a:NameID>", with: "<![CDATA[.evil.example]]></a:NameID>")
        #expect(try await read(data).get().nameID == "admin@example.org.evil.example")
    }

    @Test("Entities are neither expanded nor fetched: a document type is refused before it is parsed")
    func entities() async throws {
        let text = try await signed().replacing("<?xml version=\"1.0\"?>\n", with: "")
        var bomb = "<!DOCTYPE r [<!ENTITY a0 \"aaaaaaaaaa\">"
        for step in 1...9 { bomb += "<!ENTITY a\(step) \"\(String(repeating: "&a\(step - 1);", count: 10))\">" }
        let types = [
            bomb + "]>", "<!DOCTYPE r [<!ENTITY a9 SYSTEM \"file:///etc/passwd\">]>",
            "<!DOCTYPE r SYSTEM \"http://127.0.0.1:1/x.dtd\">",
        ]
        for type in types {
            expectRefused(try await read(type + text.replacing("jane@example.org", with: "&a9;")), "document type")
        }
        // In another encoding it would not be found.
        let reader = ResponseReader(
            provider: try await TestProvider.shared.value.described(), service: TestProvider.service,
            requestID: TestProvider.requestID, now: TestProvider.now)
        for encoding in [String.Encoding.utf16, .utf16LittleEndian, .utf32] {
            let bytes = try #require((types[0] + text).data(using: encoding)).base64EncodedString()
            expectRefused(Result { () throws(AssertionRefusal) in try reader.read(bytes) }, "UTF-8")
        }
        expectRefused(
            try await read("<?xml version=\"1.0\" encoding=\"UTF-7\"?>+ADw-!DOCTYPE r+AD4-" + text), "cannot be read")
    }

    @Test(
        "What is signed otherwise than SAML signs is refused",
        arguments: [
            TestResponse.signature("_assertion", uri: ""),
            TestResponse.signature("_assertion", transforms: TestResponse.enveloped),
            TestResponse.signature(
                "_assertion",
                transforms: TestResponse.enveloped
                    + #"<ds:Transform Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/>"#),
            TestResponse.signature(
                "_assertion",
                transforms: TestResponse.exclusive
                    + #"<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>"#),
            TestResponse.signature(
                "_assertion",
                transforms: TestResponse.enveloped
                    + """
                    <ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>true()</ds:XPath>\
                    </ds:Transform>
                    """),
        ])
    func forms(signature: String) async throws {
        let text = try await signed { $0.signatureOfAssertion = signature }
        #expect(!text.contains("<ds:SignatureValue/>"))
        expectRefused(try await read(text))
    }

    @Test("An encrypted assertion that the connection does not expect is refused in words that help")
    func encrypted() async throws {
        let (text, good, _, _) = try await parts()
        let other = "<a:EncryptedAssertion xmlns:a=\"urn:oasis:names:tc:SAML:2.0:assertion\"/>"
        expectRefused(try await read(text.replacing(good, with: other)), "encrypted")
    }

    @Test("What is no answer is refused", arguments: ["", "x", "<p/>", "<a><b></a>", "\u{0}", "<a>&lt;</a>"])
    func rubbish(text: String) async throws { expectRefused(try await read(text)) }

    @Test("Depth and length are bounded")
    func bounds() async throws {
        let deep = String(repeating: "<a>", count: 100_000) + String(repeating: "</a>", count: 100_000)
        expectRefused(try await read(deep))
        expectRefused(try await read("<a>\(String(repeating: "x", count: 1 << 21))</a>"))
    }
}
