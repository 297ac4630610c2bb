import SwiftASN1
import X509

/// A distinguished name in the one form in which two are compared: attribute types as numbers, several attributes of one
/// part in no order, ASCII letters without case, and spaces as RFC 5280 §7.1 wants them. Other characters are equal to
/// themselves alone, so that none which merely looks like another passes for it.
struct SubjectName: Sendable, Equatable {
    /// The parts, the most general first.
    private let parts: [[Attribute]]

    private struct Attribute: Sendable, Equatable {
        /// Such as `2.5.4.3`.
        let type: String
        let value: Value
    }

    private enum Value: Sendable, Equatable {
        case text([UInt8])
        /// What is no text has its DER.
        case other([UInt8])

        var bytes: [UInt8] {
            switch self {
            case .text(let bytes), .other(let bytes): bytes
            }
        }
    }

    /// Why a text is no distinguished name.
    struct Problem: Error, Sendable, Equatable {
        /// Goes on after the member's name.
        let description: String
    }

    init(_ name: DistinguishedName) {
        parts = name.map { part in
            Self.ordered(part.map { Attribute(type: Self.text(of: $0.type), value: Self.value(of: $0.value)) })
        }
    }

    /// Reads a text of [RFC 4514](https://www.rfc-editor.org/rfc/rfc4514), `CN=client,O=Example,C=DE`; or the same turned
    /// around with a line for each part, as Auth0's examples have it.
    /// - Throws: ``Problem``.
    init(_ text: String) throws(Problem) {
        var reader = DistinguishedNameReader(text)
        let read = try reader.parts()
        guard !read.isEmpty else { throw Problem(description: "has no part such as CN=client") }
        var parts: [[Attribute]] = []
        for part in read {
            var attributes: [Attribute] = []
            for (type, value) in part {
                attributes.append(Attribute(type: try Self.number(of: type), value: try Self.value(of: value)))
            }
            parts.append(Self.ordered(attributes))
        }
        self.parts = reader.isGeneralFirst ? parts : parts.reversed()
    }

    /// The attributes of one part, in an order that does not depend on how they were written.
    private static func ordered(_ attributes: [Attribute]) -> [Attribute] {
        attributes.sorted { left, right in
            left.type == right.type
                ? left.value.bytes.lexicographicallyPrecedes(right.value.bytes) : left.type < right.type
        }
    }

    private static func text(of type: ASN1ObjectIdentifier) -> String {
        type.oidComponents.map(String.init).joined(separator: ".")
    }

    private static func value(of value: RelativeDistinguishedName.Attribute.Value) -> Value {
        if let text = String(value) { return .text(comparable(Array(text.utf8))) }
        var serializer = DER.Serializer()
        guard (try? serializer.serialize(ASN1Any(value))) != nil else { return .other([]) }
        return .other(serializer.serializedBytes)
    }

    private static func value(of value: DistinguishedNameReader.Value) throws(Problem) -> Value {
        switch value {
        case .text(let bytes):
            guard String(validating: bytes, as: UTF8.self) != nil else {
                throw Problem(description: "has a value that is no UTF-8")
            }
            return .text(comparable(bytes))
        case .der(let bytes):
            guard let node = try? DER.parse(bytes) else {
                throw Problem(description: "has a value after '#' that is no DER")
            }
            return Self.value(of: RelativeDistinguishedName.Attribute.Value(asn1Any: ASN1Any(derEncoded: node)))
        }
    }

    /// Lower case, no spaces at the ends, one between words.
    private static func comparable(_ bytes: [UInt8]) -> [UInt8] {
        let words = bytes.split(separator: UInt8(ascii: " "))
        return Array(words.joined(separator: [UInt8(ascii: " ")])).map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
    }

    private static func number(of type: String) throws(Problem) -> String {
        if type.wholeMatch(of: /[0-2](\.(0|[1-9][0-9]{0,18}))+/) != nil { return type }
        guard let number = numbers[type.uppercased()] else {
            throw Problem(
                description: "has the attribute '\(type.prefix(40))', which is none of "
                    + numbers.keys.sorted().joined(separator: ", ") + "; write its object identifier, such as 2.5.4.3")
        }
        return number
    }

    /// RFC 4514 §3, and names in common use beside it.
    private static let numbers = [
        "CN": "2.5.4.3", "SN": "2.5.4.4", "SERIALNUMBER": "2.5.4.5", "C": "2.5.4.6", "L": "2.5.4.7", "ST": "2.5.4.8",
        "STREET": "2.5.4.9", "O": "2.5.4.10", "OU": "2.5.4.11", "TITLE": "2.5.4.12", "BUSINESSCATEGORY": "2.5.4.15",
        "POSTALCODE": "2.5.4.17", "GIVENNAME": "2.5.4.42", "ORGANIZATIONIDENTIFIER": "2.5.4.97",
        "JURISDICTIONC": "1.3.6.1.4.1.311.60.2.1.3", "UID": "0.9.2342.19200300.100.1.1",
        "DC": "0.9.2342.19200300.100.1.25", "E": "1.2.840.113549.1.9.1", "EMAILADDRESS": "1.2.840.113549.1.9.1",
    ]
}
