import Crypto
import Foundation
import HTTPTypes
import OAuth
import SwiftASN1
import X509

/// A certificate that an application connects with, and the headers in which a proxy passes it on.
package struct TestCertificate: Sendable {
    package let der: [UInt8]
    /// What signs in its name.
    package let privateKey: P256.Signing.PrivateKey

    /// - Parameters:
    ///   - subject: the parts of the name, the most general first; the values are UTF8Strings.
    ///   - isPrintable: whether the values are PrintableStrings instead.
    ///   - hosts, addresses, uris, emails: its alternative names; an address has 4 bytes or 16.
    ///   - validity: its dates; nil for a day around the present.
    package init(
        _ subject: [(type: String, value: String)] = [("C", "DE"), ("O", "Clinic"), ("CN", "machine")],
        isPrintable: Bool = false, hosts: [String] = [], addresses: [[UInt8]] = [], uris: [String] = [],
        emails: [String] = [], validity: Range<Date>? = nil
    ) throws {
        privateKey = P256.Signing.PrivateKey()
        let key = Certificate.PrivateKey(privateKey)
        let name = try DistinguishedName(
            subject.map { part in
                let type = try Self.type(part.type)
                return isPrintable
                    ? try RelativeDistinguishedName.Attribute(type: type, printableString: part.value)
                    : RelativeDistinguishedName.Attribute(type: type, utf8String: part.value)
            })
        let names =
            hosts.map(GeneralName.dnsName) + uris.map(GeneralName.uniformResourceIdentifier)
            + emails.map(GeneralName.rfc822Name)
            + addresses.map { GeneralName.ipAddress(ASN1OctetString(contentBytes: $0[...])) }
        let now = Date()
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
            notValidBefore: validity?.lowerBound ?? now.addingTimeInterval(-86_400),
            notValidAfter: validity?.upperBound ?? now.addingTimeInterval(86_400), issuer: name, subject: name,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                if !names.isEmpty { SubjectAlternativeNames(names) }
            }, issuerPrivateKey: key)
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        der = serializer.serializedBytes
    }

    private static func type(_ name: String) throws -> ASN1ObjectIdentifier {
        switch name {
        case "C": .RDNAttributeType.countryName
        case "O": .RDNAttributeType.organizationName
        case "OU": .RDNAttributeType.organizationalUnitName
        case "CN": .RDNAttributeType.commonName
        default: try ASN1ObjectIdentifier(dotRepresentation: name)
        }
    }

    package var pem: String {
        "-----BEGIN CERTIFICATE-----\n"
            + Data(der).base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
            + "\n-----END CERTIFICATE-----\n"
    }
    /// The `x5t#S256` of what is bound to the certificate.
    package var thumbprint: String { Base64URL.encode(SHA256.hash(data: der)) }
    /// The member of a JSON Web Key that has the certificate.
    package var x5c: JSONValue { [.string(Data(der).base64EncodedString())] }
    /// The header's value by RFC 9440.
    package var byteSequence: String { ":\(Data(der).base64EncodedString()):" }

    /// The headers of a proxy that has this verdict of the certificate; nil for none.
    package func headers(verdict: String? = "SUCCESS") -> HTTPFields {
        var headers: HTTPFields = [.clientCert: byteSequence]
        if let verdict { headers[.clientCertVerified] = verdict }
        return headers
    }
}

// Valid literals, so they always exist.
extension HTTPField.Name {
    package static let clientCert = HTTPField.Name("Client-Cert") ?? .authorization
    package static let clientCertVerified = HTTPField.Name("Client-Cert-Verified") ?? .authorization
}
