import AuthorizationServer
import Testing

@Suite("E-mail addresses")
struct EmailAddressTests {
    @Test(
        "Trimmed, in lower case, composed",
        arguments: [
            ("ada@example.com", "ada@example.com"), (" \t\nAda@Example.COM \r\n", "ada@example.com"),
            ("a@b.c", "a@b.c"), ("ada+tag@mail.example.co.uk", "ada+tag@mail.example.co.uk"),
            ("o'neil_%&/=?^`{|}~!#$*@example.com", "o'neil_%&/=?^`{|}~!#$*@example.com"),
            ("ÄDA@bücher.example", "äda@bücher.example"), ("zoe\u{301}@example.com", "zo\u{E9}@example.com"),
            ("用户@例子.广告", "用户@例子.广告"), ("😀@example.com", "😀@example.com"),
            (String(repeating: "a", count: 64) + "@example.com", String(repeating: "a", count: 64) + "@example.com"),
        ])
    func accepted(sent: String, stored: String) {
        #expect(EmailAddress(sent).map { Array($0.text.unicodeScalars) } == Array(stored.unicodeScalars))
    }

    @Test(
        "What cannot be an address",
        arguments: [
            "", " ", "@", "ada", "ada@", "@example.com", "ada@example", "ada@.com", "ada@example.", "ada@example..com",
            "ada@@example.com", "ada@b@example.com", "ada@-example.com", "ada@example-.com", "ada@exa_mple.com",
            "ada lovelace@example.com", "ada@exam ple.com", "ada\u{A0}x@example.com", "ada\u{0}@example.com",
            "ada\r\nBcc:x@example.com", "ada\u{7F}@example.com", "ada\u{200B}@example.com", "ada\u{202E}@example.com",
            "ada@exam\u{200B}ple.com", "\u{FEFF}ada@example.com", "<ada@example.com>", "Ada <ada@example.com>",
            "ada,b@example.com", "ada,\u{301}b@example.com", "ada;b@example.com", "ada:b@example.com",
            "\"ada\"@example.com",
            "ada\\@example.com", "ada(x)@example.com", "ada@[127.0.0.1]", "ada@example.com/x", "mailto:ada@example.com",
            String(repeating: "a", count: 65) + "@example.com",
            "a@" + Array(repeating: String(repeating: "b", count: 60), count: 5).joined(separator: ".") + ".com",
            String(repeating: "@", count: 100_000),
        ])
    func refused(sent: String) {
        #expect(EmailAddress(sent) == nil)
    }
}
