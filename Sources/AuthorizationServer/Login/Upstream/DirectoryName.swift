import Foundation

/// A name as directories compare it ([RFC 4518 §2](https://www.rfc-editor.org/rfc/rfc4518#section-2)): composed (NFKC), in lower
/// case, with one blank between words and none around them, and without what nobody sees. All spellings that a directory
/// takes for one name are one here, so that nobody has more tries by spelling it otherwise.
package struct DirectoryName: Sendable, Hashable {
    package let text: String

    package init(_ sent: String) {
        // Small letters are composed anew, and what stood between a letter and its accent is gone before.
        let composed = Self.visible(sent).precomposedStringWithCompatibilityMapping.lowercased()
            .precomposedStringWithCompatibilityMapping
        text = Self.visible(composed).unicodeScalars.split(whereSeparator: \.properties.isWhitespace)
            .map { String($0) }.joined(separator: " ")
    }

    private static func visible(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.filter { !isOverlooked($0) }))
    }

    private static func isOverlooked(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.properties.isWhitespace { return false }
        if scalar.properties.isDefaultIgnorableCodePoint || scalar == "\u{FFFC}" { return true }
        return [.control, .format].contains(scalar.properties.generalCategory)
    }
}
