import Foundation
import Fuzzing
import OAuth
import Testing

@Suite("Fuzz: redirect URIs, registered URIs and issuers")
struct URIFuzzTests {
    private static let corpus = [
        "https://app.example.com/callback", "https://app.example.com/cb?tenant=1&x=%2F", "http://localhost:3000/cb",
        "http://127.0.0.1:49152/cb", "http://[::1]:8080/", "com.example.app:/oauth/callback", "https://a.example",
        "https://pre-feature7.example.com:8443/cb?x=1", "https://xn--bcher-kva.example/cb", "https://*.example.com/cb",
    ]
    private static let words = [
        "https://", "http:/", "https:", "//", "/..", "/./", "%2e", "%2f", "%5c", "%252e", "%00", "\\", "/\\", "/%09/",
        "@evil.example", "user:pw@", ".evil.example", "evil.example", ":443", ":0", ":", "?", "#", "?.example.com",
        "localhost", ".localhost", "localhost.evil.example", "127.1", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]",
        "[", "]", "*", "**", "*.", "xn--", "\u{FF0E}", "\u{3002}", "\u{2024}", "\u{FF0F}", "\u{2044}", "ä", "ſ", "K",
        "javascript:alert(1)//", "data:text/html,", "JaVaScRiPt:", "view-source:", "blob:", "file:///",
    ]
    private static let mutator = Mutator(corpus, words: words)
    private static let dangerous: Set<String> = [
        "javascript", "data", "vbscript", "file", "blob", "about", "filesystem", "view-source", "ws", "wss", "ftp",
    ]

    /// What is wrong with a redirect URI that was accepted, or nil.
    private static func fault(_ uri: RedirectURI, sent: String) -> String? {
        guard uri.text.utf8.elementsEqual(sent.utf8.prefix { $0 != 0x23 }) else { return "it was changed" }
        guard uri.text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x5C }) else { return "foreign characters" }
        guard !dangerous.contains(uri.scheme.lowercased()) else { return "a dangerous scheme" }
        guard uri.text.utf8.count <= 2048, RedirectURI(uri.text) == uri else { return "it does not read back" }
        guard ["http", "https"].contains(uri.scheme.lowercased()) else { return nil }
        guard let other = URLComponents(string: uri.text) else { return nil }
        guard other.user == nil, other.password == nil else { return "another parser sees a user" }
        let (ours, theirs) = (uri.host.lowercased(), (other.percentEncodedHost ?? "").lowercased())
        // Characters that no host has are escaped by the other parser.
        let isPlain = ours.utf8.allSatisfy { $0.isLabelCharacter || $0 == 0x2E } && !ours.contains("xn--")
        guard !isPlain || theirs.isEmpty || ours == theirs || ours == "[\(theirs)]" else {
            return "another parser sees the host \(theirs)"
        }
        return nil
    }

    @Test("Security cases 1, 5, 6: what is accepted is what was sent, and another parser sees the same host in it")
    func redirectURIs() {
        let outcome = Fuzz.run(60_000, { Self.mutator.text(&$0) }) { sent in
            guard let uri = RedirectURI(sent) else { return .refused }
            return Self.fault(uri, sent: sent).map { .wrong($0) } ?? .accepted
        }
        #expect(outcome.complaint == nil)
        #expect(outcome.isTelling, "\(outcome)")
    }

    /// Whether `sent` is under `registered`, by the rule's own words: equal, but for letters, digits and hyphens of one label
    /// where the `*` stands.
    private static func isUnder(_ registered: String, _ sent: String) -> Bool {
        let sides = registered.utf8.split(separator: 0x2A, omittingEmptySubsequences: false)
        guard sides.count == 2 else { return registered.utf8.elementsEqual(sent.utf8) }
        let bytes = Array(sent.utf8)
        guard bytes.count > sides[0].count + sides[1].count, bytes.starts(with: sides[0]),
            bytes.reversed().starts(with: sides[1].reversed())
        else { return false }
        return bytes[sides[0].count..<(bytes.count - sides[1].count)].allSatisfy(\.isLabelCharacter)
    }

    @Test("Security cases 1 to 4: whatever is registered, it matches itself or one label in the place of its '*'")
    func registeredURIs() {
        let patterns = Mutator(
            [
                "https://*.example.com/cb", "https://pre-*.example.com:8443/cb?x=1", "http://*.localhost:3000/",
                "https://*-app.example.co.uk/cb", "https://app.example.com/callback", "http://localhost:3000/cb",
            ], words: ["*", ".", "-", ":", "/", "?", "%2a", "*.", "localhost", "com"])
        var matched = 0
        let outcome = Fuzz.run(
            60_000,
            { (generator: inout SeededGenerator) -> (String, String) in
                let pattern = patterns.text(&generator)
                // Half of what is sent is near the pattern, with its '*' filled in.
                let filled = pattern.replacing("*", with: generator.pick(["app", "a-1", "A9", "", "a.b", "ä", "%61"]))
                return (pattern, generator.oneIn(2) ? filled : Mutator([filled], words: Self.words).text(&generator))
            }
        ) { pattern, sent in
            guard let registered = try? RegisteredURI(pattern) else { return .refused }
            guard let uri = RedirectURI(sent) else { return .accepted }
            // Under a '*' the whole label is plain, also where the pattern itself is not.
            let label = uri.host.prefix { $0 != "." }.utf8
            let expected =
                Self.isUnder(pattern, uri.text) && (!pattern.contains("*") || label.allSatisfy(\.isLabelCharacter))
            matched += expected ? 1 : 0
            guard registered.matches(uri) == expected else { return .wrong(expected ? "no match" : "a match") }
            if pattern.contains("*"), expected {
                let owned = pattern.drop { $0 != "*" }.drop { $0 != "." }.dropFirst().prefix { !":/?".contains($0) }
                guard uri.host.hasSuffix("." + owned), owned.contains(".") || owned == "localhost" else {
                    return .wrong("the host is another owner's")
                }
            }
            return .accepted
        }
        #expect(outcome.complaint == nil)
        #expect(outcome.isTelling && matched > 100, "\(outcome), \(matched)")
    }

    @Test(
        "Security case 3: no port, no spelling of a loopback address stands for another",
        arguments: ["http://localhost:3000/cb", "http://127.0.0.1:3000/cb", "http://[::1]:3000/cb"])
    func loopback(text: String) throws {
        let registered = try RegisteredURI(text)
        let hosts = [
            "localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.1", "127.0.0.01", "0x7f.0.0.1", "0x7f000001",
            "2130706433", "0177.0.0.1", "127.0.0.1.", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "0.0.0.0",
            "localhost.evil.example", "127.0.0.1.evil.example", "evil.example", "loc%61lhost", "%6c%6f", "ⓛocalhost",
        ]
        for host in hosts {
            for port in ["", ":", ":0", ":80", ":3000", ":03000", ":3001", ":+3000", ":３０００", ":3000@evil.example"] {
                let sent = "http://\(host)\(port)/cb"
                guard let uri = RedirectURI(sent) else { continue }
                #expect(registered.matches(uri) == (sent == text), "\(sent)")
            }
        }
    }

    @Test(
        "Security cases 1 and 2: international names and escapes are bytes like others",
        arguments: [
            "https://app\u{3002}example.com/cb", "https://app\u{FF0E}example.com/cb", "https://ａpp.example.com/cb",
            "https://app.example.com\u{FF0F}cb", "https://app.example.com\u{2044}cb", "https://аpp.example.com/cb",
            "https://app.example.com%2fcb", "https://app%2eexample.com/cb", "https://%61pp.example.com/cb",
            "https://app.example.com/%63b", "https://app.example.com/cb%00", "https://app.example.com/cb%20",
            "https://app.example.com/x/%2e%2e/cb", "https://app.example.com/./cb", "https://app.example.com/cb%23",
            "https://app.example.com/cb%3f", "https://app.example.com%40evil.example/cb",
            "https://app.example.com\u{AD}/cb",
            "https://app.example.com%5c@evil.example/cb", "https://app.example.com/cb\u{301}", "/cb",
            "//evil.example/cb",
            "/\\evil.example", "https:app.example.com/cb", "https:/app.example.com/cb", "https:///app.example.com/cb",
        ])
    func encodings(sent: String) throws {
        for pattern in ["https://app.example.com/cb", "https://*.example.com/cb"] {
            let registered = try RegisteredURI(pattern)
            #expect(RedirectURI(sent).map(registered.matches) ?? false == false)
        }
    }

    @Test("OIDC Discovery §3: an issuer is a lower-case origin with a slash, and reads back as itself")
    func issuers() {
        let mutator = Mutator(
            ["https://login.example.com/", "http://localhost:8080", "https://a.example:8443/", "http://[::1]:8080/"],
            words: Self.words)
        let outcome = Fuzz.run(40_000, { mutator.text(&$0) }) { text in
            guard let issuer = try? Issuer(text) else { return .refused }
            guard issuer.text == text || issuer.text == text + "/" else { return .wrong("it was changed") }
            guard try Issuer(issuer.text) == issuer, issuer.text == issuer.text.lowercased() else {
                return .wrong("it does not read back")
            }
            let slashes = issuer.text.utf8.count { $0 == 0x2F }
            return slashes == 3 && !issuer.text.contains("?") && !issuer.text.contains("@")
                ? .accepted : .wrong("more than an origin")
        }
        #expect(outcome.complaint == nil)
        #expect(outcome.isTelling, "\(outcome)")
    }
}

extension UInt8 {
    fileprivate var isLabelCharacter: Bool {
        switch self {
        case 0x61...0x7A, 0x41...0x5A, 0x30...0x39, 0x2D: true
        default: false
        }
    }
}
