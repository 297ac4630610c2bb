import Crypto
import Foundation
import OAuth
import SwiftASN1
import X509

/// The certificate of the TLS connection that a client has made, as the proxy that ended the connection passes it on. The
/// handshake has proved that the client holds its private key.
package struct ClientCertificate: Sendable {
    /// The SHA-256 of the certificate in base64url: the `x5t#S256` of what is bound to it
    /// ([RFC 8705 §3.1](https://www.rfc-editor.org/rfc/rfc8705#section-3.1)).
    package let thumbprint: String
    /// Whether an authority that the proxy trusts has signed it.
    package let isChainVerified: Bool
    let subject: SubjectName
    private let alternativeNames: [GeneralName]
    private let notBefore: Date
    private let notAfter: Date

    /// Why something is no certificate.
    package struct Problem: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String

        package init(description: String) { self.description = description }
    }

    /// Bytes of a certificate at most.
    package static let mostBytes = 16_384

    /// - Parameters:
    ///   - der: the certificate, and nothing after it.
    ///   - isChainVerified: the proxy's verdict.
    /// - Throws: ``Problem``.
    package init(der: [UInt8], isChainVerified: Bool = false) throws(Problem) {
        guard der.count <= Self.mostBytes else {
            throw Problem(description: "it has more than \(Self.mostBytes) bytes")
        }
        do {
            let certificate = try Certificate(derEncoded: der)
            subject = SubjectName(certificate.subject)
            alternativeNames = try certificate.extensions.subjectAlternativeNames.map { Array($0) } ?? []
            (notBefore, notAfter) = (certificate.notValidBefore, certificate.notValidAfter)
        } catch {
            throw Problem(description: "it is no X.509 certificate that can be read")
        }
        thumbprint = Base64URL.encode(SHA256.hash(data: der))
        self.isChainVerified = isChainVerified
    }

    /// - Parameters:
    ///   - pem: one certificate, without a chain.
    ///   - isChainVerified: the proxy's verdict.
    /// - Throws: ``Problem``.
    package init(pem: String, isChainVerified: Bool = false) throws(Problem) {
        guard pem.utf8.count <= 2 * Self.mostBytes, let document = try? PEMDocument(pemString: pem),
            document.discriminator == "CERTIFICATE"
        else { throw Problem(description: "it is not one certificate in PEM") }
        try self.init(der: document.derBytes, isChainVerified: isChainVerified)
    }

    /// Whether the certificate is good at this moment by its own dates.
    func isValid(at now: Date) -> Bool { notBefore <= now && now <= notAfter }

    /// Whether the certificate has the name, [RFC 8705 §2.1.2](https://www.rfc-editor.org/rfc/rfc8705#section-2.1.2).
    /// Wildcards are names of hosts, and no client's: they match themselves alone.
    func has(_ name: MutualTLSName) -> Bool {
        switch name {
        case .subject(let expected): return subject == expected
        case .dns(let expected): return alternativeNames.contains { $0.dnsName.map(Self.asciiLowercased) == expected }
        case .uri(let expected): return alternativeNames.contains { $0.uri.map { Array($0.utf8) } == expected }
        case .ip(let expected): return alternativeNames.contains { $0.ipBytes == expected }
        case .email(let expected): return alternativeNames.contains { $0.email.map(Self.mailbox) == expected }
        }
    }

    static func asciiLowercased(_ text: String) -> [UInt8] {
        text.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
    }

    /// An address whose domain has no capitals; what stands before the `@` is the domain's own affair.
    static func mailbox(_ text: String) -> [UInt8] {
        guard let at = text.utf8.lastIndex(of: UInt8(ascii: "@")) else { return Array(text.utf8) }
        return Array(text.utf8[..<at]) + asciiLowercased(String(text[at...]))
    }
}

extension GeneralName {
    fileprivate var dnsName: String? { if case .dnsName(let name) = self { name } else { nil } }
    fileprivate var uri: String? { if case .uniformResourceIdentifier(let uri) = self { uri } else { nil } }
    fileprivate var ipBytes: [UInt8]? { if case .ipAddress(let bytes) = self { Array(bytes.bytes) } else { nil } }
    fileprivate var email: String? { if case .rfc822Name(let name) = self { name } else { nil } }
}
