import OAuth
import Testing

@Suite("Registered URIs")
struct RegisteredURITests {
    private static func matches(_ registered: String, _ sent: String) throws -> Bool {
        guard let uri = RedirectURI(sent) else { return false }
        return try RegisteredURI(registered).matches(uri)
    }

    @Test(
        "RFC 6749 §3.1.2.3: the whole string, byte by byte",
        arguments: [
            "https://app.example.com/callback/", "https://app.example.com/callbac", "https://app.example.com/callbackx",
            "https://app.example.com/callback?x=1", "https://app.example.com/callback?", "https://app.example.com/",
            "https://app.example.com/callback/../callback", "https://app.example.com/callback/%2e%2e/evil",
            "https://app.example.com/%63allback", "https://app.example.com//callback",
            "https://app.example.com/CALLBACK",
            "https://APP.example.com/callback", "HTTPS://app.example.com/callback", "http://app.example.com/callback",
            "https://app.example.com:443/callback", "https://app.example.com./callback",
            "https://app.example.com.evil.example/callback", "https://evil.example/https://app.example.com/callback",
            "https://xapp.example.com/callback", "https://app.example.com;evil.example/callback",
            "https://evil.example?https://app.example.com/callback", "https://app-example.com/callback",
        ]
    )
    func onlyTheSame(sent: String) throws {
        #expect(try !Self.matches("https://app.example.com/callback", sent))
    }

    @Test(
        "An equal URI matches, with or without a fragment",
        arguments: [
            "https://app.example.com/callback", "https://app.example.com/cb?x=1", "http://localhost:3000",
            "com.example.app:/cb", "https://APP.example.com/Cb",
        ]
    )
    func same(text: String) throws {
        #expect(try Self.matches(text, text))
        #expect(try Self.matches(text, text + "#fragment"))
    }

    @Test("RFC 8252 §7.3 is not widened: the port of a loopback address counts")
    func loopbackPort() throws {
        #expect(try !Self.matches("http://localhost:3000/cb", "http://localhost:3001/cb"))
        #expect(try !Self.matches("http://localhost:3000/cb", "http://127.0.0.1:3000/cb"))
    }

    @Test(
        "Security case 2: a '*' stands for one label, or a part of one",
        arguments: [
            ("https://*.example.com/cb", "https://app.example.com/cb", true),
            ("https://*.example.com/cb", "https://a-1.example.com/cb", true),
            ("https://*.example.com/cb", "https://A.example.com/cb", true),
            ("https://*.example.com/cb", "https://example.com/cb", false),
            ("https://*.example.com/cb", "https://.example.com/cb", false),
            ("https://*.example.com/cb", "https://a.b.example.com/cb", false),
            ("https://*.example.com/cb", "https://evil.com?.example.com/cb", false),
            ("https://*.example.com/cb", "https://evil.com/.example.com/cb", false),
            ("https://*.example.com/cb", "https://evil.com%2f.example.com/cb", false),
            ("https://*.example.com/cb", "https://evil.com:80.example.com/cb", false),
            ("https://*.example.com/cb", "https://evil.com;.example.com/cb", false),
            ("https://*.example.com/cb", "https://a_b.example.com/cb", false),
            ("https://*.example.com/cb", "https://*.example.com/cb", false),
            ("https://*.example.com/cb", "https://aXexample.com/cb", false),
            ("https://*.example.com/cb", "https://a.exampleXcom/cb", false),
            ("https://*.example.com/cb", "https://a.EXAMPLE.com/cb", false),
            ("https://*.example.com/cb", "https://a.example.com.evil.example/cb", false),
            ("https://*.example.com/cb", "https://a.example.com:8443/cb", false),
            ("https://*.example.com/cb", "https://a.example.com/cb/", false),
            ("https://*.example.com/cb", "https://a.example.com/cb?x", false),
            ("https://*.example.com/cb", "http://a.example.com/cb", false),
            ("https://*.example.com:8443/cb?x=1", "https://a.example.com:8443/cb?x=1", true),
            ("https://pre-*.example.com", "https://pre-1.example.com", true),
            ("https://pre-*.example.com", "https://pre-.example.com", false),
            ("https://pre-*.example.com", "https://xpre-1.example.com", false),
            ("https://a*a.example.com", "https://a.example.com", false),
            ("https://a*a.example.com", "https://aa.example.com", false),
            ("https://a*a.example.com", "https://aba.example.com", true),
            ("https://*-preview.example.com/cb", "https://42-preview.example.com/cb", true),
            ("http://*.localhost:3000/cb", "http://acme.localhost:3000/cb", true),
        ]
    )
    func wildcard(registered: String, sent: String, expected: Bool) throws {
        #expect(try Self.matches(registered, sent) == expected)
    }

    @Test(
        "What cannot be registered",
        arguments: [
            "", "/cb", "https://app.example.com/#", "https://app.example.com/cb#x", "javascript:alert(1)",
            "https://user@app.example.com/", "https://", "https://app.example.com/ä",
            "*", "https://*", "https://*/cb", "https://*.com", "https://*.com/cb", "https://*.com:443/cb",
            "https://*.com./cb", "https://*..com/cb", "https://*.example..com", "https://*.0.0.1/",
            "http://*.168.0.1:80/",
            "https://app.*.example.com", "https://*.*.example.com", "https://**.example.com", "https://example.com/*",
            "https://example.com/?x=*", "https://*.example.com/*", "https://example.com:*/cb", "https://app.example.*",
            "com.example.*:/cb", "com.example.app://*.example.com", "HTTPS://*.example.com/cb",
        ]
    )
    func unregistrable(text: String) {
        let problem = #expect(throws: RegisteredURI.Problem.self) { _ = try RegisteredURI(text) }
        #expect(problem?.description.contains("'\(text)'") == true)
    }

    @Test(
        "Logout compares without the query, and in nothing else otherwise",
        arguments: [
            ("https://app.example.com/", "https://app.example.com/?x=1", true),
            ("https://app.example.com/?y=2", "https://app.example.com/?x=1", true),
            ("https://app.example.com/?y=2", "https://app.example.com/", true),
            ("https://*.example.com/", "https://a.example.com/?x=1", true),
            ("https://app.example.com/", "https://app.example.com", false),
            ("https://app.example.com/", "https://app.example.com/out?x=1", false),
            ("https://app.example.com/", "https://evil.example/?https://app.example.com/", false),
            ("https://app.example.com/", "https://app.example.com.evil.example/?", false),
        ]
    )
    func ignoringQuery(registered: String, sent: String, expected: Bool) throws {
        let uri = try #require(RedirectURI(sent))
        #expect(try RegisteredURI(registered).matchesIgnoringQuery(uri) == expected)
    }
}
