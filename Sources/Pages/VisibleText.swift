/// Text in which what cannot be seen is named, for comparisons that such a character may have spoilt.
enum VisibleText {
    /// `text` with its control, format and blank characters but single spaces as `⟨U+200B⟩`.
    static func shown(_ text: String) -> String {
        var shown = ""
        for scalar in text.unicodeScalars {
            if isInvisible(scalar) {
                let digits = String(scalar.value, radix: 16, uppercase: true)
                shown += "⟨U+\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)⟩"
            } else {
                shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }

    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        case .spaceSeparator: scalar != " "
        default: scalar.properties.isDefaultIgnorableCodePoint
        }
    }
}
