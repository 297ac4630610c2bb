import Mustache

/// Escapes text for HTML, in content and in quoted attributes.
///
/// Mustache's own escaping compares `Character`s, so that a quotation mark followed by a combining
/// mark, which Swift takes for one character, would pass as it is and end the attribute. Bytes cannot hide so.
struct HTMLEscaping: MustacheContentType {
    /// The first line of every template.
    static let pragma = "{{% CONTENT_TYPE: \(name)}}\n"
    private static let name = "PORTICO-HTML"

    /// Makes ``pragma`` known; templates are compiled after it.
    static func register() {
        MustacheContentTypes.register(HTMLEscaping(), named: name)
    }

    func escapeText(_ text: String) -> String {
        guard text.utf8.contains(where: { Self.entity(of: $0) != nil }) else { return text }
        var escaped: [UInt8] = []
        escaped.reserveCapacity(text.utf8.count + 32)
        for byte in text.utf8 {
            if let entity = Self.entity(of: byte) {
                escaped.append(contentsOf: entity.utf8)
            } else {
                escaped.append(byte)
            }
        }
        return String(decoding: escaped, as: UTF8.self)
    }

    /// Line ends too: a template's indentation must not slip into a value.
    private static func entity(of byte: UInt8) -> String? {
        switch byte {
        case UInt8(ascii: "<"): "&lt;"
        case UInt8(ascii: ">"): "&gt;"
        case UInt8(ascii: "&"): "&amp;"
        case UInt8(ascii: "\""): "&quot;"
        case UInt8(ascii: "'"): "&#39;"
        case UInt8(ascii: "`"): "&#96;"
        case UInt8(ascii: "\n"): "&#10;"
        case UInt8(ascii: "\r"): "&#13;"
        default: nil
        }
    }
}
