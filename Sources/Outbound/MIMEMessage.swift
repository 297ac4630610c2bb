import AuthorizationServer
import Foundation

/// A mail as mail servers pass it on (RFC 5322, RFC 2045): the same text and HTML as alternatives.
struct MIMEMessage: Sendable {
    let bytes: [UInt8]

    init(_ mail: OutgoingMail) {
        let content = mail.content
        // The id is random: no text has a line like that.
        let boundary = "portico-" + mail.messageID.prefix { $0 != "@" }
        var lines = [
            "From: " + Self.address(content.from), "To: " + Self.address(content.recipient),
            "Subject: " + Self.words(content.subject, after: "Subject: ".count),
            "Date: " + Self.date(mail.date), "Message-ID: <\(mail.messageID)>", "MIME-Version: 1.0",
            "Auto-Submitted: auto-generated",
        ]
        for (name, value) in mail.headers.sorted(by: { $0.key < $1.key }) { lines.append("\(name): \(value)") }
        lines.append("Content-Type: multipart/alternative; boundary=\"\(boundary)\"")
        for (type, text) in [("plain", content.text), ("html", content.html)] {
            lines += [
                "", "--\(boundary)", "Content-Type: text/\(type); charset=utf-8", "Content-Transfer-Encoding: base64",
                "",
            ]
            lines += Self.encoded(text)
        }
        lines += ["", "--\(boundary)--", ""]
        bytes = Array(lines.joined(separator: "\r\n").utf8)
    }

    /// Base64 in lines of 76 characters: nothing that a server might take for its own, whatever the text is.
    private static func encoded(_ text: String) -> [String] {
        let base64 = Data(text.replacing("\r\n", with: "\n").replacing("\n", with: "\r\n").utf8).base64EncodedString()
        return stride(from: 0, to: base64.utf8.count, by: 76).map { start in
            String(decoding: Array(base64.utf8)[start..<min(start + 76, base64.utf8.count)], as: UTF8.self)
        }
    }

    private static func address(_ address: MailAddress) -> String {
        guard let name = address.name else { return address.address }
        if isPlain(name), name.utf8.count <= 60 {
            let escaped = name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            return "\"\(escaped)\" <\(address.address)>"
        }
        return words(name, after: 8) + "\r\n <\(address.address)>"
    }

    /// A header's text: as it is where it is plain and short, and encoded words otherwise (RFC 2047 §2), each of no more
    /// than 75 characters and of whole characters.
    private static func words(_ text: String, after used: Int) -> String {
        // What looks like an encoded word would be decoded.
        guard !isPlain(text) || text.utf8.count + used > 76 || text.contains("=?") else { return text }
        var words: [String] = []
        var part = ""
        for character in text {
            // 45 bytes make 60 characters, and the frame has 12.
            if (part + String(character)).utf8.count > 42, !part.isEmpty {
                words.append(part)
                part = ""
            }
            part.append(character)
        }
        if !part.isEmpty { words.append(part) }
        return words.map { "=?utf-8?B?\(Data($0.utf8).base64EncodedString())?=" }.joined(separator: "\r\n ")
    }

    private static func isPlain(_ text: String) -> Bool { text.utf8.allSatisfy { (0x20...0x7E).contains($0) } }

    /// RFC 5322 §3.3, in UTC.
    private static func date(_ date: Date) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "UTC")
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss '+0000'"
        return formatter.string(from: date)
    }
}
