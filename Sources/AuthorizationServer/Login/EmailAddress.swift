import Foundation

/// An e-mail address as it is stored and compared: trimmed, in lower case, and composed (NFC), because keyboards spell an
/// `é` in two ways that look alike.
package struct EmailAddress: Sendable, Hashable {
    package let text: String

    /// nil for a text that cannot be an address: not one `@`, nothing before it, no dot-separated host after it, white
    /// space, control or invisible characters, or more than 254 bytes (RFC 5321 §4.5.3.1.3).
    package init?(_ sent: String) {
        let text = sent.trimmingCharacters(in: .whitespacesAndNewlines).lowercased()
            .precomposedStringWithCanonicalMapping
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, (1...64).contains(parts[0].utf8.count), text.utf8.count <= 254,
            text.unicodeScalars.allSatisfy({ !$0.properties.isWhitespace && !Self.isForbidden($0) }),
            Self.isHost(parts[1])
        else { return nil }
        self.text = text
    }

    /// What somebody may see who knows the address anyway: the first letter, and the host's.
    package static func masked(_ address: String) -> String {
        let parts = address.split(separator: "@", maxSplits: 1)
        guard parts.count == 2 else { return "****" }
        return "\(parts[0].prefix(1))****@\(parts[1].prefix(1))****"
    }

    private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .unassigned: true
        default: "<>()[]\\,;:\"".unicodeScalars.contains(scalar)
        }
    }

    private static func isHost(_ host: Substring) -> Bool {
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        return labels.count >= 2
            && labels.allSatisfy { label in
                !label.isEmpty && label.first != "-" && label.last != "-"
                    && label.allSatisfy { $0.isLetter || $0.isNumber || $0 == "-" }
            }
    }
}
