import Foundation
import SAML
import Testing

/// What becomes of an answer.
func read(
    _ text: String, _ change: (inout IdentityProvider) -> Void = { _ in }
) async throws -> Result<Assertion, AssertionRefusal> {
    var provider = try await TestProvider.shared.value.described()
    change(&provider)
    let reader = ResponseReader(
        provider: provider, service: TestProvider.service, requestID: TestProvider.requestID, now: TestProvider.now)
    return Result { () throws(AssertionRefusal) in try reader.read(Data(text.utf8).base64EncodedString()) }
}

/// An answer that the provider has signed.
func signed(_ change: (inout TestResponse) -> Void = { _ in }) async throws -> String {
    var response = TestResponse()
    change(&response)
    return try await TestProvider.shared.value.signed(response.text)
}

/// Records an issue where somebody is signed in, or refused for another reason.
func expectRefused(
    _ result: Result<Assertion, AssertionRefusal>, _ reason: String? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    guard case .failure(.untrusted(let cause)) = result else {
        Issue.record("\(result)", sourceLocation: sourceLocation)
        return
    }
    #expect(reason.map(cause.contains) ?? true, "\(cause)", sourceLocation: sourceLocation)
}

/// Answers that are wrong in one thing, and the word that the refusal has for it.
private let wrongAnswers: [(@Sendable (inout TestResponse) -> Void, String)] = [
    ({ $0.inResponseTo = "_another" }, "another request"),
    ({ $0.inResponseTo = nil }, "another request, or none"),
    ({ $0.destination = "https://elsewhere.example/login/callback" }, "another address"),
    ({ $0.issuer = "https://evil.example" }, "Another provider"),
    ({ $0.confirmation = TestResponse.confirmation(recipient: "https://elsewhere.example/") }, "bearer"),
    ({ $0.confirmation = TestResponse.confirmation(request: "_another") }, "bearer"),
    ({ $0.confirmation = TestResponse.confirmation(end: "07:58:00") }, "bearer"),
    ({ $0.confirmation = TestResponse.confirmation(method: "sender-vouches") }, "bearer"),
    ({ $0.confirmation = TestResponse.confirmation(more: #" NotBefore="2027-01-15T08:02:00Z""#) }, "bearer"),
    ({ $0.confirmation = TestResponse.confirmation().replacing("NotOnOrAfter", with: "Other") }, "bearer"),
    ({ $0.confirmation = "" }, "bearer"),
    ({ $0.conditions = "" }, "whom it is for"),
    ({ $0.conditions = TestResponse.conditions(audience: nil) }, "whom it is for"),
    ({ $0.conditions = TestResponse.conditions(audience: "urn:auth0:other:saml") }, "somebody else"),
    ({ $0.conditions = TestResponse.conditions(start: "08:02:00") }, "not valid yet"),
    ({ $0.conditions = TestResponse.conditions(end: "07:58:00") }, "expired"),
    ({ $0.conditions = TestResponse.conditions(end: "08:99:00") }, "expired"),
    ({ $0.conditions = TestResponse.conditions(more: "<a:Condition/>") }, "not known"),
    (
        {
            $0.conditions = TestResponse.conditions(
                more: "<a:AudienceRestriction><a:Audience>x</a:Audience></a:AudienceRestriction>")
        }, "somebody else"
    ),
    ({ $0.statement = "" }, "when the user signed in"),
    (
        {
            $0.statement =
                #"<a:AuthnStatement AuthnInstant="2027-01-15T07:00:00Z" SessionNotOnOrAfter="2027-01-15T07:30:00Z"/>"#
        }, "session has ended"
    ),
    ({ $0.nameID = "<a:NameID></a:NameID>" }, "NameID"),
    ({ $0.nameID = "" }, "NameID"),
    ({ $0.nameID = "<a:NameID>jane</a:NameID><a:NameID>joe</a:NameID>" }, "NameID"),
    ({ $0.status = "" }, "no status"),
]

@Suite("Answers of a SAML provider", .enabled(if: TestProvider.program != nil, "xmlsec1 is not installed"))
struct ResponseTests {
    @Test("Profiles §4.1.4: an answer with a signed assertion says who somebody is")
    func signedAssertion() async throws {
        let assertion = try await read(signed()).get()
        #expect(assertion.nameID == "jane-1" && assertion.issuer == "https://idp.example/metadata")
        #expect(assertion.nameFormat == "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent")
        #expect(assertion.attributes == ["email": ["jane@example.org"]])
        #expect(assertion.id == "_assertion" && assertion.sessionIndex == "s1")
        #expect(assertion.authenticatedAt == TestProvider.now.addingTimeInterval(-30))
        #expect(assertion.expiresAt == TestProvider.now.addingTimeInterval(360))
    }

    @Test("Core §5: the response may be signed instead of the assertion, or as well")
    func signedResponse() async throws {
        let provider = try await TestProvider.shared.value
        var response = TestResponse()
        response.signatureOfResponse = TestResponse.signature("_response")
        response.signatureOfAssertion = ""
        let text = try provider.signed(response.text, in: "Response")
        #expect(try await read(text).get().nameID == "jane-1")
        response.signatureOfAssertion = TestResponse.signature("_assertion")
        response.signatureOfResponse = ""
        var both = try provider.signed(response.text)
        let issuer = "</a:Issuer>"
        both = both.replacing(issuer, with: issuer + TestResponse.signature("_response"), maxReplacements: 1)
        both = try provider.signed(both, in: "Response")
        #expect(try await read(both).get().nameID == "jane-1")
        // One that is good does not make up for one that is not.
        expectRefused(
            try await read(
                both.replacing("Version=\"2.0\"><a:Issuer xmlns", with: "X=\"1\" Version=\"2.0\"><a:Issuer xmlns")),
            "not the provider's")
    }

    @Test("Without a signature nobody is signed in")
    func unsigned() async throws {
        var response = TestResponse()
        response.signatureOfAssertion = ""
        expectRefused(try await read(response.text), "Neither")
        response.signatureOfAssertion = TestResponse.signature("_assertion")
        expectRefused(try await read(response.text), "not the provider's")
    }

    @Test(
        "What was changed after it was signed is refused",
        arguments: [
            ("jane-1", "joe-1"), ("jane@example.org", "joe@example.org"),
            ("urn:auth0:tenant:saml", "urn:auth0:tenant:smal"),
            (":persistent", ":transient"), ("08:05:00", "09:05:00"),
        ])
    func changed(from: String, to: String) async throws {
        let text = try await signed()
        #expect(text.contains(from))
        expectRefused(try await read(text.replacing(from, with: to)), "not the provider's")
    }

    @Test("A signature of another key is refused, though its certificate goes with it")
    func otherKey() async throws {
        let text = try await TestProvider.other.value.signed(TestResponse().text)
        #expect(text.contains("<ds:X509Certificate>"))
        expectRefused(try await read(text), "not the provider's")
        // A second certificate is for providers that change their key.
        let second = try Certificate(try await TestProvider.other.value.pem)
        #expect(try await read(text) { $0.certificates.append(second) }.get().nameID == "jane-1")
    }

    @Test("Algorithm downgrade: SHA-1 counts only where the connection says so")
    func sha1() async throws {
        let sha1 = "http://www.w3.org/2000/09/xmldsig#sha1"
        for signature in [
            TestResponse.signature("_assertion", method: "http://www.w3.org/2000/09/xmldsig#rsa-sha1"),
            TestResponse.signature("_assertion", digest: sha1),
        ] {
            let text = try await signed { $0.signatureOfAssertion = signature }
            expectRefused(try await read(text), "SHA-1")
            #expect(try await read(text) { $0.allowsSHA1 = true }.get().nameID == "jane-1")
        }
    }

    @Test("Algorithm confusion: a signature by HMAC is of a method that is not accepted")
    func hmac() async throws {
        let text = try await signed().replacing(
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            with: "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256")
        expectRefused(try await read(text), "not accepted")
    }

    @Test("Everything that an answer must be for is asked of it", arguments: wrongAnswers.indices)
    func wrong(index: Int) async throws {
        let (change, reason) = wrongAnswers[index]
        expectRefused(try await read(signed(change)), reason)
    }

    @Test("A signed response must say whom it is for, Bindings §3.5.5.2")
    func destination() async throws {
        var response = TestResponse()
        (response.signatureOfResponse, response.signatureOfAssertion) = (TestResponse.signature("_response"), "")
        response.destination = nil
        let text = try await TestProvider.shared.value.signed(response.text, in: "Response")
        expectRefused(try await read(text), "whom it is for")
    }

    @Test("A provider that says no is heard, with its words")
    func status() async throws {
        let text = try await signed {
            $0.status = """
                <p:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Responder"><p:StatusCode \
                Value="urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"/></p:StatusCode>\
                <p:StatusMessage>Not today</p:StatusMessage>
                """
        }
        let expected = [
            "urn:oasis:names:tc:SAML:2.0:status:Responder", "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed",
        ]
        #expect(try await read(text) == .failure(.status(codes: expected, message: "Not today")))
    }
}
