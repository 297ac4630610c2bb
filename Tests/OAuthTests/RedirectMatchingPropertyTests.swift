import Fuzzing
import OAuth
import Testing

/// Random neighbours of a registered URI. The generators are seeded, so a failure repeats.
@Suite("Redirect matching, by properties")
struct RedirectMatchingPropertyTests {
    private static let characters = Array(
        "abcXYZ019-._~:/?#[]@!$&'()*+,;=%\\ \t\r\n\u{0}äé\u{202E}\u{FF0F}\u{FF0E}<>\"{}|^`"
    )
    private static let insertions = [
        "..", "/..", "%2e", "%2f", "%00", "//", "\\", "@evil.example", ".evil.example", "https://", ":443", "?x=1", "#",
        "localhost", "*",
    ]

    private static func mutate(_ text: String, using generator: inout SeededGenerator) -> String {
        var mutated = Array(text)
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            let index = Int.random(in: 0...mutated.count, using: &generator)
            switch Int.random(in: 0...6, using: &generator) {
            case 0: mutated.insert(characters.randomElement(using: &generator) ?? "x", at: index)
            case 1 where index < mutated.count: mutated.remove(at: index)
            case 2 where index < mutated.count:
                mutated[index] = characters.randomElement(using: &generator) ?? "x"
            case 3 where index < mutated.count:
                let flipped = mutated[index].isUppercase ? mutated[index].lowercased() : mutated[index].uppercased()
                mutated.replaceSubrange(index...index, with: Array(flipped))
            case 4 where index + 1 < mutated.count: mutated.swapAt(index, index + 1)
            case 5: mutated.insert(contentsOf: insertions.randomElement(using: &generator) ?? "x", at: index)
            case 6 where index < mutated.count:
                let escaped = String(mutated[index]).utf8.map { "%" + String($0, radix: 16) }.joined()
                mutated.replaceSubrange(index...index, with: Array(escaped))
            default: mutated.append(characters.randomElement(using: &generator) ?? "x")
            }
        }
        return String(mutated)
    }

    @Test(
        "RFC 6749 §3.1.2.3: no mutation of a registered URI matches unless it is equal but for its fragment",
        arguments: [
            "https://app.example.com/callback", "https://app.example.com/callback?tenant=1&x=%2F",
            "http://localhost:3000/cb", "http://[::1]:8080/", "com.example.app:/oauth/callback", "https://a.example",
        ]
    )
    func exact(text: String) throws {
        let registered = try RegisteredURI(text)
        var generator = SeededGenerator(seed: 6749)
        var wellFormed = 0
        for _ in 0..<5_000 {
            let sent = Self.mutate(text, using: &generator)
            guard let uri = RedirectURI(sent) else { continue }
            wellFormed += 1
            let isEqual = Array(sent.prefix { $0 != "#" }.utf8) == Array(text.utf8)
            #expect(registered.matches(uri) == isEqual, "\(sent.debugDescription)")
        }
        #expect(wellFormed > 500, "The mutations are too wild to prove anything")
    }

    @Test("A mutation of a URI under a wildcard matches only where one label of letters, digits and hyphens differs")
    func wildcard() throws {
        let (prefix, suffix) = ("https://pre-", ".example.com:8443/cb?x=1")
        let registered = try RegisteredURI(prefix + "*" + suffix)
        var generator = SeededGenerator(seed: 3986)
        var matched = 0
        for _ in 0..<20_000 {
            let sent = Self.mutate(prefix + "feature7" + suffix, using: &generator)
            guard let uri = RedirectURI(sent) else { continue }
            let text = uri.text
            let label = text.dropFirst(prefix.count).dropLast(suffix.count)
            let isExpected =
                text.hasPrefix(prefix) && text.hasSuffix(suffix) && text.count > prefix.count + suffix.count
                && label.allSatisfy { $0 == "-" || $0.isASCII && ($0.isLetter || $0.isNumber) }
            #expect(registered.matches(uri) == isExpected, "\(sent.debugDescription)")
            matched += isExpected ? 1 : 0
        }
        #expect(matched > 100, "The mutations are too wild to prove anything")
    }
}
