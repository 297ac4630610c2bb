import AuthorizationServer
import Foundation
import Testing

@testable import Outbound

@Suite("Mails as servers pass them on")
struct MIMEMessageTests {
    private static func message(
        from: String = "Shop <shop@example.com>", subject: String = "Hello", html: String = "<p>x</p>",
        text: String = "x"
    ) throws -> [String] {
        let sender = try #require(MailAddress(from))
        let recipient = try #require(MailAddress("ada@example.com"))
        let mail = OutgoingMail(
            content: MailContent(from: sender, to: recipient, subject: subject, html: html, text: text),
            messageID: "abc@login.example.com", date: Date(timeIntervalSince1970: 1_780_000_000), headers: ["X-A": "b"])
        let text = try #require(String(validating: MIMEMessage(mail).bytes, as: UTF8.self))
        #expect(!text.replacing("\r\n", with: "").contains { $0 == "\r" || $0 == "\n" || $0 == "\r\n" })
        return text.components(separatedBy: "\r\n")
    }

    /// The value of a header, its lines joined.
    private static func header(_ name: String, _ lines: [String]) -> String? {
        guard let start = lines.firstIndex(where: { $0.hasPrefix(name + ": ") }) else { return nil }
        let rest = lines[(start + 1)...].prefix { $0.hasPrefix(" ") }
        return ([String(lines[start].dropFirst(name.count + 2))] + rest).joined()
    }

    @Test("RFC 5322: the headers that a mail has")
    func headers() throws {
        let lines = try Self.message()
        #expect(Self.header("From", lines) == "\"Shop\" <shop@example.com>")
        #expect(Self.header("To", lines) == "ada@example.com" && Self.header("Subject", lines) == "Hello")
        #expect(Self.header("Date", lines) == "Thu, 28 May 2026 20:26:40 +0000")
        #expect(Self.header("Message-ID", lines) == "<abc@login.example.com>" && Self.header("X-A", lines) == "b")
        #expect(Self.header("Auto-Submitted", lines) == "auto-generated")
    }

    @Test("Nothing that a tenant or user chooses begins a header of its own")
    func injection() throws {
        for hostile in ["a\r\nBcc: eve@example.com", "a\nBcc: e", "a\rBcc: e", "a\u{2028}Bcc: e", "a\u{85}Bcc: e"] {
            let lines = try Self.message(
                from: "\(hostile) <shop@example.com>", subject: hostile, html: hostile, text: hostile)
            #expect(!lines.contains { $0.hasPrefix("Bcc") })
        }
        for address in ["a@example.com\r\nBcc: e@example.com", "a@example.com>, <e@example.com", "\"a\n\"@example.com"]
        {
            #expect(MailAddress(address) == nil && MailAddress("X <\(address)>") == nil)
        }
    }

    @Test("RFC 2047: a header that is not ASCII is encoded words of at most 75 characters, each of whole characters")
    func encodedWords() throws {
        let subject = String(repeating: "Grüße 👩‍👩‍👧 ", count: 12)
        let lines = try Self.message(from: "Ünternehmen <a@example.com>", subject: subject)
        #expect(lines.allSatisfy { $0.utf8.count <= 998 && $0.utf8.allSatisfy { $0 < 0x80 } })
        for name in ["Subject", "From"] {
            let value = try #require(Self.header(name, lines))
            let words = value.matches(of: /=\?utf-8\?B\?([^?]*)\?=/)
            #expect(!words.isEmpty && words.allSatisfy { $0.0.count <= 75 })
            let decoded = try words.map {
                try #require(String(validating: Data(base64Encoded: String($0.1)) ?? Data(), as: UTF8.self))
            }
            #expect(name == "From" ? decoded == ["Ünternehmen"] : subject.hasPrefix(decoded.joined()))
        }
        // What looks encoded is not what a reader decodes.
        #expect(
            Self.header("Subject", try Self.message(subject: "=?utf-8?B?QQ==?="))?.hasPrefix("=?utf-8?B?PT91") == true)
    }

    @Test("RFC 2045: text and HTML are alternatives in base64 of short lines, whatever is in them")
    func body() throws {
        let text = ".\r\nFrom x\n" + String(repeating: "é", count: 3000)
        let lines = try Self.message(html: "<p>\(text)</p>", text: text)
        let parts = lines.split(separator: "--portico-abc")
        #expect(parts.count == 3)
        let encoded = parts[1].drop { !$0.isEmpty }.joined()
        let decoded = String(decoding: try #require(Data(base64Encoded: encoded)), as: UTF8.self)
        #expect(decoded == text.replacing("\r\n", with: "\n").replacing("\n", with: "\r\n"))
        #expect(lines.allSatisfy { $0.utf8.count <= 100 })
    }
}
