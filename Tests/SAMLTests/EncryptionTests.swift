import Foundation
import SAML
import Testing

private let enc = "http://www.w3.org/2001/04/xmlenc#"
private let enc11 = "http://www.w3.org/2009/xmlenc11#"

extension TestProvider {
    /// The document with its assertion encrypted for this one's certificate, as `xmlsec1` does it.
    fileprivate func encrypting(
        _ document: String, _ cipher: String, session: String, transport: String = enc + "rsa-oaep-mgf1p"
    ) throws -> String {
        let (file, template) = (path("\(UUID().uuidString).xml"), path("\(UUID().uuidString).xml"))
        try document.replacing("<a:Assertion ", with: "\(Self.opening)<a:Assertion ")
            .replacing("</a:Assertion>", with: "</a:Assertion></a:EncryptedAssertion>")
            .write(toFile: file, atomically: true, encoding: .utf8)
        try """
        <xenc:EncryptedData xmlns:xenc="\(enc)" Type="\(enc)Element"><xenc:EncryptionMethod Algorithm="\(cipher)"/>\
        <ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><xenc:EncryptedKey><xenc:EncryptionMethod \
        Algorithm="\(transport)"/><xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedKey>\
        </ds:KeyInfo><xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedData>
        """.write(toFile: template, atomically: true, encoding: .utf8)
        return try Self.run(
            Self.program ?? "xmlsec1",
            [
                "--encrypt", "--pubkey-cert-pem", path("certificate.pem"), "--session-key", session, "--xml-data", file,
                "--node-name", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion", template,
            ])
    }

    fileprivate static let opening =
        #"<a:EncryptedAssertion xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion">"#

    /// RSA-OAEP with this one's private key, by the program `openssl`.
    fileprivate func unwrap(_ wrapped: [UInt8], _ transport: KeyTransport) -> [UInt8]? {
        let (file, result) = (path(UUID().uuidString), path(UUID().uuidString))
        let options = [
            "rsa_padding_mode:oaep", "rsa_oaep_md:\(transport.digest)", "rsa_mgf1_md:\(transport.maskDigest)",
        ]
        do {
            try Data(wrapped).write(to: URL(filePath: file))
            _ = try Self.run(
                "/usr/bin/env",
                ["openssl", "pkeyutl", "-decrypt", "-inkey", path("key.pem"), "-in", file, "-out", result]
                    + options.flatMap { ["-pkeyopt", $0] })
            return Array(try Data(contentsOf: URL(filePath: result)))
        } catch {
            return nil
        }
    }
}

/// What becomes of an answer where this server's key is the other provider's.
private func decrypt(_ text: String) async throws -> Result<Assertion, AssertionRefusal> {
    let own = try await TestProvider.other.value
    let reader = ResponseReader(
        provider: try await TestProvider.shared.value.described(), service: TestProvider.service,
        requestID: TestProvider.requestID, now: TestProvider.now, unwrap: { own.unwrap($0, $1) })
    return Result { () throws(AssertionRefusal) in try reader.read(Data(text.utf8).base64EncodedString()) }
}

@Suite("Encrypted assertions", .enabled(if: TestProvider.program != nil, "xmlsec1 is not installed"))
struct EncryptionTests {
    /// An answer whose assertion is signed and then encrypted.
    private static func encrypted(
        _ cipher: String = enc11 + "aes256-gcm", session: String = "aes-256",
        transport: String = enc + "rsa-oaep-mgf1p",
        _ change: (inout TestResponse) -> Void = { _ in }
    ) async throws -> String {
        try await TestProvider.other.value.encrypting(
            signed(change), cipher, session: session, transport: transport)
    }

    /// An answer whose assertion is encrypted, and that is signed itself then.
    private static func signedOutside(
        _ cipher: String = enc + "aes256-cbc", session: String = "aes-256"
    ) async throws -> String {
        var response = TestResponse()
        (response.signatureOfAssertion, response.signatureOfResponse) = ("", TestResponse.signature("_response"))
        let text = try await TestProvider.other.value.encrypting(response.text, cipher, session: session)
        return try await TestProvider.shared.value.signed(text, in: "Response")
    }

    @Test("Core §2.3.4: AES with GCM and RSA-OAEP, whose assertion is signed", arguments: [128, 256])
    func authenticated(bits: Int) async throws {
        let text = try await Self.encrypted(enc11 + "aes\(bits)-gcm", session: "aes-\(bits)")
        #expect(!text.contains("jane-1"))
        let assertion = try await decrypt(text).get()
        #expect(assertion.nameID == "jane-1" && assertion.attributes == ["email": ["jane@example.org"]])
    }

    @Test(
        "XML Encryption §6.3: CBC counts in a response that is signed, and is not decrypted in another",
        arguments: [128, 256])
    func unauthenticated(bits: Int) async throws {
        let (cipher, session) = (enc + "aes\(bits)-cbc", "aes-\(bits)")
        #expect(try await decrypt(Self.signedOutside(cipher, session: session)).get().nameID == "jane-1")
        expectRefused(try await decrypt(Self.encrypted(cipher, session: session)), "CBC")
    }

    @Test("Encryption is no signature: anybody can encrypt for this server")
    func unsigned() async throws {
        var response = TestResponse()
        response.signatureOfAssertion = ""
        let text = try await TestProvider.other.value.encrypting(
            response.text, enc11 + "aes256-gcm", session: "aes-256")
        expectRefused(try await decrypt(text), "Neither")
        // Nor is a signature that is somebody else's, inside or outside.
        let foreign = try await TestProvider.other.value.signed(TestResponse().text)
        expectRefused(
            try await decrypt(
                TestProvider.other.value.encrypting(foreign, enc11 + "aes256-gcm", session: "aes-256")),
            "not the provider's")
    }

    @Test("What was changed, or is for another key, does not decrypt, and nothing says why")
    func tampered() async throws {
        let (text, outside) = (try await Self.encrypted(), try await Self.signedOutside())
        let values = text.matches(of: /<xenc:CipherValue>([^<]*)</).map { String($0.1) }
        for value in values {
            let changed = (value.first == "A" ? "B" : "A") + value.dropFirst()
            expectRefused(try await decrypt(text.replacing(value, with: changed)), "does not decrypt")
        }
        let reading = try await read(text) { _ in }
        expectRefused(reading, "does not expect")
        let foreign = try await TestProvider.shared.value.encrypting(
            signed(), enc11 + "aes256-gcm", session: "aes-256")
        expectRefused(try await decrypt(foreign), "does not decrypt")
        let value = outside.matches(of: /<xenc:CipherValue>([^<]*)</).map { String($0.1) }.last ?? ""
        expectRefused(
            try await decrypt(outside.replacing(value, with: value.replacing("\n", with: "").uppercased())),
            "not the provider's")
    }

    @Test("RSA with the padding of PKCS #1 1.5, and other ciphers than AES, are refused")
    func algorithms() async throws {
        expectRefused(try await decrypt(Self.encrypted(transport: enc + "rsa-1_5")), "RSA-OAEP")
        expectRefused(try await decrypt(Self.encrypted(enc + "tripledes-cbc", session: "des-192")), "AES")
        let text = try await Self.encrypted()
        let parameters = "<xenc:OAEPparams>AA==</xenc:OAEPparams>"
        let oaep = #"Algorithm="\#(enc)rsa-oaep-mgf1p"/>"#
        #expect(text.contains(oaep))
        expectRefused(
            try await decrypt(
                text.replacing(oaep, with: oaep.dropLast(2) + ">\(parameters)</xenc:EncryptionMethod>")), "RSA-OAEP")
    }

    @Test("What an encrypted assertion says is asked as much as any other's")
    func conditions() async throws {
        expectRefused(
            try await decrypt(
                Self.encrypted { $0.conditions = TestResponse.conditions(audience: "urn:auth0:other:saml") }),
            "somebody else")
        expectRefused(
            try await decrypt(Self.encrypted { $0.confirmation = TestResponse.confirmation(request: "_another") }),
            "bearer")
    }

    @Test("An encrypted assertion beside another one, or twice, is refused")
    func wrapping() async throws {
        let text = try await Self.encrypted()
        let plain = try await signed()
        let start = try #require(plain.range(of: "<a:Assertion "))
        let end = try #require(plain.range(of: "</a:Assertion>"))
        let other = String(plain[start.lowerBound..<end.upperBound])
        for added in [other, TestProvider.opening + "</a:EncryptedAssertion>"] {
            expectRefused(
                try await decrypt(text.replacing("</p:Response>", with: added + "</p:Response>")), "several")
            expectRefused(
                try await decrypt(
                    text.replacing("</p:Status>", with: "</p:Status>" + added, maxReplacements: 1)), "several")
        }
        for damage in [
            text.replacing("<xenc:EncryptedKey>", with: "<xenc:Other>").replacing(
                "</xenc:EncryptedKey>", with: "</xenc:Other>"),
            text.replacing("xenc:EncryptedData", with: "xenc:Data"),
            text.replacing(#"Type="\#(enc)Element""#, with: #"Type="\#(enc)Content""#),
        ] {
            #expect(damage != text)
            expectRefused(try await decrypt(damage), "encrypted assertion")
        }
    }
}
