/// An entry of a directory: its name, and those attributes that were asked for.
package struct DirectoryEntry: Sendable, Hashable {
    /// The distinguished name.
    package let name: String
    /// Values in the directory's order, by the attribute's name in lower case.
    private let values: [String: [[UInt8]]]

    package init(name: String, values: [String: [[UInt8]]]) {
        self.name = name
        self.values = Dictionary(values.map { ($0.key.lowercased(), $0.value) }) { first, _ in first }
    }

    /// The bytes of an attribute's first value.
    package func bytes(_ attribute: String) -> [UInt8]? { values[attribute.lowercased()]?.first }

    /// The first value of an attribute that is text; nil where it is empty or binary.
    package func text(_ attribute: String) -> String? { texts(attribute).first }

    /// The values of an attribute that are text.
    package func texts(_ attribute: String) -> [String] {
        (values[attribute.lowercased()] ?? []).compactMap { bytes in
            guard let text = String(validating: bytes, as: UTF8.self), !text.isEmpty,
                text.unicodeScalars.allSatisfy({ $0.value >= 0x20 || $0 == "\n" || $0 == "\t" || $0 == "\r" })
            else { return nil }
            return text
        }
    }

    /// An identifier as text. Active Directory's `objectGUID` is sixteen bytes, the first three groups of which are
    /// little-endian ([MS-DTYP] §2.3.4); others write theirs.
    package func identifier(_ attribute: String) -> String? {
        guard attribute.lowercased() == "objectguid", let bytes = bytes(attribute), bytes.count == 16 else {
            return text(attribute)
        }
        let order = [[3, 2, 1, 0], [5, 4], [7, 6], [8, 9], [10, 11, 12, 13, 14, 15]]
        return order.map { group in
            group.map { bytes[$0] < 16 ? "0" + String(bytes[$0], radix: 16) : String(bytes[$0], radix: 16) }.joined()
        }.joined(separator: "-")
    }

    /// The value of the first attribute of a distinguished name (RFC 4514): `Sales` of `CN=Sales,OU=Groups,DC=example`.
    /// - Returns: nil where `name` is none.
    package static func firstValue(of name: String) -> String? {
        guard let equals = name.firstIndex(of: "=") else { return nil }
        var value: [UInt8] = []
        var rest = Array(name[name.index(after: equals)...].utf8)[...]
        while let byte = rest.popFirst(), byte != UInt8(ascii: ","), byte != UInt8(ascii: "+") {
            guard byte == UInt8(ascii: "\\") else {
                value.append(byte)
                continue
            }
            if rest.count > 1, let escaped = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
                value.append(escaped)
                rest = rest.dropFirst(2)
            } else if let escaped = rest.popFirst() {
                value.append(escaped)
            }
        }
        return value.isEmpty ? nil : String(validating: value, as: UTF8.self)
    }
}
