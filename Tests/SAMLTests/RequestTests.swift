import Foundation
import SAML
import Testing

@Suite(
    "Requests to a SAML provider, and metadata", .enabled(if: TestProvider.program != nil, "xmlsec1 is not installed"))
struct RequestTests {
    private func request(
        _ provider: TestProvider, isForced: Bool = false, url: String = "https://idp.example/sso?a=1&b=2"
    )
        throws -> AuthenticationRequest
    {
        var described = try provider.described()
        described.signInURL = url
        return AuthenticationRequest(
            id: TestProvider.requestID, to: described, for: TestProvider.service, at: TestProvider.now,
            isForced: isForced)
    }

    /// The parameters of an address, in order and as they are written there.
    private func query(_ url: String) -> [(name: Substring, value: Substring)] {
        url.split(separator: "?", maxSplits: 1)[1].split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1)
            return (parts[0], parts.count > 1 ? parts[1] : "")
        }
    }

    @Test("Bindings §3.4: the redirect carries the deflated request, and the signature of just what is in the address")
    func redirect() async throws {
        let provider = try await TestProvider.shared.value
        let url = try request(provider).redirect(relayState: "s t&", signer: provider.signature)
        let parameters = query(url)
        #expect(parameters.map(\.name) == ["a", "b", "SAMLRequest", "RelayState", "SigAlg", "Signature"])
        #expect(parameters[3].value == "s%20t%26")
        let deflated = try #require(
            parameters[2].value.removingPercentEncoding.flatMap { Data(base64Encoded: $0) }
        ).map { $0 }
        // One block that is stored (RFC 1951 §3.2.4).
        let length = Int(deflated[1]) | Int(deflated[2]) << 8
        #expect(deflated[0] == 1 && deflated.count == length + 5 && deflated[3] == ~deflated[1])
        let text = String(decoding: deflated.dropFirst(5), as: UTF8.self)
        #expect(text.contains(#"Destination="https://idp.example/sso?a=1&amp;b=2""#) && !text.contains("ForceAuthn"))
        let from = try #require(url.range(of: "SAMLRequest=")?.lowerBound)
        let to = try #require(url.range(of: "&Signature=")?.lowerBound)
        let signature = Data(try provider.signature(Array(url[from..<to].utf8))).base64EncodedString()
        #expect(parameters[5].value.removingPercentEncoding == signature)
        let plain = try request(provider, isForced: true).redirect(relayState: "s", signer: nil)
        #expect(query(plain).map(\.name) == ["a", "b", "SAMLRequest", "RelayState"])
    }

    @Test("Bindings §3.5: the form carries a request whose signature xmlsec1 finds good")
    func form() async throws {
        let provider = try await TestProvider.shared.value
        for isForced in [true, false] {
            let fields = try request(provider, isForced: isForced).form(relayState: "s", signer: provider.signature)
            #expect(fields.map(\.name) == ["SAMLRequest", "RelayState"])
            let text = String(decoding: try #require(Data(base64Encoded: fields[0].value)), as: UTF8.self)
            #expect(try provider.verifies(text), "\(text)")
            #expect(text.contains("ForceAuthn") == isForced)
            #expect(try !provider.verifies(text.replacing("Version=\"2.0\"", with: "Version=\"2.1\"")))
        }
    }

    private func metadata(_ certificate: String, _ binding: String = "HTTP-Redirect", more: String = "") -> String {
        """
        <?xml version="1.0"?><!-- by hand --><EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" \
        entityID="https://idp.example/metadata"><IDPSSODescriptor \
        protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing">\
        <KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>\(certificate)</X509Certificate>\
        </X509Data></KeyInfo></KeyDescriptor><SingleSignOnService \
        Binding="urn:oasis:names:tc:SAML:2.0:bindings:\(binding)" Location="https://idp.example/sso"/>\(more)\
        </IDPSSODescriptor></EntityDescriptor>
        """
    }

    @Test("A provider's metadata says where it is, what it is called and how it signs")
    func providerMetadata() async throws {
        let pem = try await TestProvider.shared.value.pem
        let body = pem.split(separator: "\n").filter { !$0.hasPrefix("-") }.joined(separator: "\n")
        let provider = try Metadata.provider(metadata(body), preferred: nil)
        #expect(provider.entityID == "https://idp.example/metadata" && provider.signInURL == "https://idp.example/sso")
        #expect(provider.binding == .redirect && provider.certificates.count == 1)
        #expect(try Metadata.provider(metadata(body, "HTTP-POST"), preferred: .redirect).binding == .post)
        for bad in [
            "", "<a/>", metadata("AAAA"), metadata(body, "SOAP"), metadata(body).replacing("IDPSSO", with: "SPSSO"),
            "<!DOCTYPE a>" + metadata(body),
        ] {
            #expect(throws: Metadata.Problem.self) { try Metadata.provider(bad, preferred: nil) }
        }
    }

    @Test(
        "A certificate is read as Auth0 writes it: PEM, PEM in base64, or the middle of it; and weak keys are refused")
    func certificates() async throws {
        let pem = try await TestProvider.shared.value.pem
        _ = try Certificate(Data(pem.utf8).base64EncodedString())
        _ = try Certificate(pem.split(separator: "\n").filter { !$0.hasPrefix("-") }.joined())
        for bad in ["", "x", "AAAA", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"] {
            #expect(throws: Certificate.Problem.self) { try Certificate(bad) }
        }
    }

    @Test("This server's metadata says where assertions go")
    func ownMetadata() {
        let text = Metadata.text(
            of: ServiceProvider(entityID: "urn:a&b", consumerURL: "https://login.example/c?a=1&b=2"),
            certificate: "AAAA")
        #expect(
            text.contains(#"entityID="urn:a&amp;b""#)
                && text.contains(#"Location="https://login.example/c?a=1&amp;b=2""#))
        #expect(text.contains("<ds:X509Certificate>AAAA</ds:X509Certificate>"))
    }
}
