import Foundation

/// The text of an HTML mail, for readers that show none.
enum PlainText {
    /// - Returns: the text with a line for each paragraph, and addresses behind the links' words.
    static func of(_ html: String) -> String {
        var text = html.replacing(/(?is)<(style|script|head|title)\b.*?<\/\1\s*>/, with: "")
        text = text.replacing(/(?s)<!--.*?-->/, with: "").replacing(/\s+/, with: " ")
        text = text.replacing(/(?i)<a\b[^>]*?href\s*=\s*["']([^"']*)["'][^>]*>(.*?)<\/a\s*>/) { match in
            let words = match.2.replacing(/<[^>]*>/, with: "").trimmingCharacters(in: .whitespaces)
            return words.isEmpty || words == match.1 ? " \(match.1) " : " \(words): \(match.1) "
        }
        text = text.replacing(/(?i)<(br|\/p|\/div|\/tr|\/h[1-6]|\/li|\/table)\b[^>]*>/, with: "\n")
        text = text.replacing(/<[^>]*>/, with: "")
        for (entity, character) in [
            ("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&copy;", "©"),
            ("&amp;", "&"),
        ] {
            text = text.replacing(entity, with: character)
        }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.replacing(/\ +/, with: " ").trimmingCharacters(in: .whitespaces)
        }
        return lines.joined(separator: "\n").replacing(/\n{3,}/, with: "\n\n").trimmingCharacters(in: .newlines) + "\n"
    }
}
