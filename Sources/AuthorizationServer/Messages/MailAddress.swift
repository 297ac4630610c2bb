import Foundation

/// An address with the name of whoever it belongs to, or none: `Example <mail@example.com>`.
package struct MailAddress: Sendable, Hashable, Codable {
    package let name: String?
    /// Without anything that could end a header.
    package let address: String

    /// nil for a text that is neither an address, nor a name with one in angle brackets.
    package init?(_ text: String) {
        let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard let open = text.lastIndex(of: "<"), text.hasSuffix(">") else {
            guard let address = EmailAddress(text) else { return nil }
            self.init(name: nil, address: address)
            return
        }
        guard let address = EmailAddress(String(text[text.index(after: open)...].dropLast())) else { return nil }
        let name = text[..<open].trimmingCharacters(in: .whitespacesAndNewlines.union(CharacterSet(charactersIn: "\"")))
        // That would be two addresses; a name alone may have brackets.
        guard !(name.contains("<") && name.contains("@")) else { return nil }
        self.init(name: name.isEmpty ? nil : name, address: address)
    }

    package init(name: String?, address: EmailAddress) {
        (self.name, self.address) = (name?.onOneLine, address.text)
    }

    /// Who a text message is from or for, in the development inbox; no mail server is ever given that.
    init(number: String) { (name, address) = (nil, number.onOneLine) }
}

extension String {
    /// The text without line ends and other control characters, which would end a header.
    var onOneLine: String {
        String(
            String.UnicodeScalarView(
                unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .lineSeparator, .paragraphSeparator: " "
                    default: scalar
                    }
                }))
    }
}
