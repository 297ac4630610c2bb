import OAuth
import Testing

@Suite("Redirect URIs")
struct RedirectURITests {
    @Test(
        "An absolute URI is kept exactly as it was sent",
        arguments: [
            "https://app.example.com/callback", "https://app.example.com", "https://app.example.com/?a=b&c=%20d",
            "https://app.example.com:8443/cb", "http://localhost:3000/cb", "http://127.0.0.1/cb",
            "http://[::1]:3000/cb",
            "com.example.app:/callback", "com.example.app://callback", "https://APP.example.com/CB",
            "https://app.example.com/a/../b", "https://app.example.com/%2e%2e/b", "https://app.example.com//x",
            "HTTPS://app.example.com/cb",
        ]
    )
    func kept(text: String) {
        #expect(RedirectURI(text)?.text == text)
    }

    @Test("The tutorials: everything after the hash is removed")
    func fragment() {
        #expect(RedirectURI("https://app.example.com/cb#/home")?.text == "https://app.example.com/cb")
        #expect(RedirectURI("https://app.example.com/cb#")?.text == "https://app.example.com/cb")
        #expect(RedirectURI("https://app.example.com#@evil.example/")?.text == "https://app.example.com")
        #expect(RedirectURI("#https://app.example.com") == nil)
    }

    @Test(
        "Security cases 1, 5, 6: what a browser could take elsewhere, or run, is no redirect URI",
        arguments: [
            "", "/callback", "//evil.example", "///evil.example", "callback", "?code", ":", "://", ":foo",
            "https:", "https:/", "https://", "https:///cb", "https://?x", "http://:80/", "https:app.example.com/cb",
            "HTTPS:evil.example", "HTTPS:///cb", "Https://",
            "javascript:alert(1)", "JavaScript:alert(1)", "JAVASCRIPT://app.example.com/%0aalert(1)",
            "data:text/html,x", "DATA:,", "vbscript:x", "file:///etc/passwd", "blob:https://app.example.com/1",
            "about:blank", "filesystem:https://app.example.com/t", "view-source:https://app.example.com",
            "ws://app.example.com", "wss://app.example.com", "ftp://app.example.com",
            "https://user@evil.example/", "https://app.example.com@evil.example/cb",
            "https://app.example.com:443@evil.example/cb", "https://app.example.com%40@evil.example", "app://a@b/cb",
            "https://app.example.com\\@evil.example", "https:\\\\evil.example", "https://app.example.com/\\evil",
            " https://app.example.com/", "https://app.example.com/ ", "https://app.example.com/a b",
            "https://app.example.com/\r\nSet-Cookie:a=b", "https://app.example.com/\u{0}", "https://app.example.com/\t",
            "https://app.example.com/\u{7F}", "java\nscript:alert(1)", "\u{1}javascript:alert(1)",
            "https://äpp.example.com/", "https://app.example.com/ä", "https://app.example.com\u{FF0F}evil.example",
            "https://app.example.com/\u{202E}", "1https://app.example.com", "-a:b", "ht tps://app.example.com",
            "ht_tps://app.example.com", "https%3A//app.example.com",
            "http://[::1]evil.example/", "http://[::1", "http://localhost:evil.example/", "http://localhost:80:80/",
            "http://localhost:/", "http://localhost:8o/",
        ]
    )
    func refused(text: String) {
        #expect(RedirectURI(text) == nil)
    }

    @Test("A URI of 2048 bytes is taken, a longer one is not")
    func length() {
        let base = "https://app.example.com/"
        #expect(RedirectURI(base + String(repeating: "a", count: 2048 - base.utf8.count)) != nil)
        #expect(RedirectURI(base + String(repeating: "a", count: 2049 - base.utf8.count)) == nil)
    }

    @Test(
        "Scheme, authority, host and origin",
        arguments: [
            ("https://app.example.com:8443/cb?x=//y", "https", "app.example.com:8443", "app.example.com"),
            ("https://app.example.com?x", "https", "app.example.com", "app.example.com"),
            ("http://[::1]:3000/", "http", "[::1]:3000", "[::1]"),
            ("com.example.app:/callback", "com.example.app", "", ""),
            ("com.example.app://callback", "com.example.app", "callback", "callback"),
        ]
    )
    func parts(text: String, scheme: String, authority: String, host: String) {
        let uri = RedirectURI(text)
        #expect(uri?.scheme == scheme)
        #expect(uri?.authority == authority)
        #expect(uri?.host == host)
        #expect(uri?.origin == "\(scheme)://\(authority)")
    }

    @Test(
        "RFC 8252 §7.3: loopback is this machine by name or address, and no host that begins so",
        arguments: [
            ("http://localhost/", true), ("http://LOCALHOST:1/", true), ("http://127.0.0.1:8080/", true),
            ("http://[::1]/", true), ("http://localhost.evil.example/", false),
            ("http://127.0.0.1.evil.example/", false),
            ("http://127.1/", false), ("http://evil.example/localhost", false),
            ("http://evil.example/?127.0.0.1", false),
            ("app:localhost", false),
        ]
    )
    func loopback(text: String, expected: Bool) {
        #expect(RedirectURI(text)?.isLoopback == expected)
    }

    @Test("Without its query")
    func withoutQuery() {
        #expect(RedirectURI("https://a.example/?x=1?y")?.withoutQuery == "https://a.example/")
        #expect(RedirectURI("https://a.example/")?.withoutQuery == "https://a.example/")
    }
}
