import Foundation

/// A request that a provider signs somebody in (Core §3.4.1), on its way with the browser.
package struct AuthenticationRequest: Sendable {
    /// What the answer must refer to.
    package let id: String
    private let text: String
    private let provider: IdentityProvider

    /// Signs with RSA and SHA-256.
    package typealias Signer = @Sendable ([UInt8]) throws -> [UInt8]

    /// - Parameters:
    ///   - id: unguessable; begins with `_`, as XML wants it.
    ///   - isForced: whether the user must sign in again.
    package init(id: String, to provider: IdentityProvider, for service: ServiceProvider, at now: Date, isForced: Bool)
    {
        (self.id, self.provider) = (id, provider)
        // The attributes are in the order of the canonical form.
        text = """
            <samlp:AuthnRequest xmlns:samlp="\(Element.Namespace.protocols.rawValue)" \
            AssertionConsumerServiceURL="\(Self.escaped(service.consumerURL))" \
            Destination="\(Self.escaped(provider.signInURL))"\(isForced ? #" ForceAuthn="true""# : "") ID="\(id)" \
            IssueInstant="\(Instant.text(now))" ProtocolBinding="\(Binding.post.rawValue)" Version="2.0">\
            <saml:Issuer xmlns:saml="\(Element.Namespace.assertion.rawValue)">\(Self.escaped(service.entityID))\
            </saml:Issuer><samlp:NameIDPolicy AllowCreate="true" \
            Format="urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"></samlp:NameIDPolicy></samlp:AuthnRequest>
            """
    }

    /// The address that the browser is redirected to (Bindings §3.4).
    /// - Parameter signer: nil for a request that is not signed.
    package func redirect(relayState: String, signer: Signer?) throws -> String {
        var query = "SAMLRequest=" + Self.encoded(Data(Self.deflated(Array(text.utf8))).base64EncodedString())
        query += "&RelayState=" + Self.encoded(relayState)
        if let signer {
            query += "&SigAlg=" + Self.encoded(SignatureMethod.rsaSHA256.rawValue)
            query += "&Signature=" + Self.encoded(Data(try signer(Array(query.utf8))).base64EncodedString())
        }
        return provider.signInURL + (provider.signInURL.contains("?") ? "&" : "?") + query
    }

    /// What the browser posts to ``IdentityProvider/signInURL`` (Bindings §3.5).
    /// - Parameter signer: nil for a request that is not signed.
    package func form(relayState: String, signer: Signer?) throws -> [(name: String, value: String)] {
        let text = try signer.map(signed) ?? text
        return [("SAMLRequest", Data(text.utf8).base64EncodedString()), ("RelayState", relayState)]
    }

    /// The request with its signature, behind the issuer (Core §3.2.1). It is written in its canonical form, so that nothing has
    /// to be brought into one.
    private func signed(_ signer: Signer) throws -> String {
        let names = (Element.Namespace.signature.rawValue, Element.Namespace.canonical.rawValue)
        let digest = Data(DigestMethod.sha256.hash(Array(text.utf8))).base64EncodedString()
        let content = """
            <ds:CanonicalizationMethod Algorithm="\(names.1)"></ds:CanonicalizationMethod>\
            <ds:SignatureMethod Algorithm="\(SignatureMethod.rsaSHA256.rawValue)"></ds:SignatureMethod>\
            <ds:Reference URI="#\(id)"><ds:Transforms><ds:Transform Algorithm="\(names.0)enveloped-signature">\
            </ds:Transform><ds:Transform Algorithm="\(names.1)"></ds:Transform></ds:Transforms>\
            <ds:DigestMethod Algorithm="\(DigestMethod.sha256.rawValue)"></ds:DigestMethod>\
            <ds:DigestValue>\(digest)</ds:DigestValue></ds:Reference></ds:SignedInfo>
            """
        let value = try signer(Array("<ds:SignedInfo xmlns:ds=\"\(names.0)\">\(content)".utf8))
        let signature = """
            <ds:Signature xmlns:ds="\(names.0)"><ds:SignedInfo>\(content)<ds:SignatureValue>\
            \(Data(value).base64EncodedString())</ds:SignatureValue></ds:Signature>
            """
        let issuerEnds = "</saml:Issuer>"
        return text.replacing(issuerEnds, with: issuerEnds + signature, maxReplacements: 1)
    }

    // MARK: Writing

    /// DEFLATE (RFC 1951) in blocks that are stored as they are: requests are short.
    static func deflated(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var rest = bytes[...]
        repeat {
            let block = rest.prefix(65_535)
            rest = rest.dropFirst(block.count)
            let (low, high) = (UInt8(block.count & 0xFF), UInt8(block.count >> 8))
            result += [rest.isEmpty ? 1 : 0, low, high, ~low, ~high] + block
        } while !rest.isEmpty
        return result
    }

    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\t", "\n", "\r": result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            let scalar = Unicode.Scalar(byte)
            let isPlain =
                scalar.properties.isASCIIHexDigit || ("A"..."Z").contains(scalar) || ("a"..."z").contains(scalar)
                || ["-", ".", "_", "~"].contains(scalar)
            let digits = String(byte, radix: 16, uppercase: true)
            return isPlain ? String(scalar) : "%" + (digits.count == 1 ? "0" : "") + digits
        }.joined()
    }
}
