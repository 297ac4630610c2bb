import Pages
import Testing

@Suite("The comparison of callbacks")
struct CallbackComparisonTests {
    /// The segments with the differing ones in brackets.
    static func marked(_ segments: [CallbackComparison.Segment]) -> String {
        segments.map { $0.differs ? "[\($0.text)]" : $0.text }.joined()
    }

    @Test(
        "Marks what differs, and no more",
        arguments: [
            (
                "https://a.test/callback", "https://a.test/callback", "https://a.test/callback",
                "https://a.test/callback"
            ),
            (
                "https://a.test/callbak", "https://a.test/callback", "https://a.test/callba[]k",
                "https://a.test/callba[c]k"
            ),
            ("http://a.test/cb", "https://a.test/cb", "http[]://a.test/cb", "http[s]://a.test/cb"),
            ("https://a.test/cb/", "https://a.test/cb", "https://a.test/cb[/]", "https://a.test/cb[]"),
            (
                "http://localhost:3000/cb", "http://localhost:8081/cb", "http://localhost:[3000]/cb",
                "http://localhost:[8081]/cb"
            ),
            ("https://www.a.test/cb", "https://a.test/cb", "https://[www.]a.test/cb", "https://[]a.test/cb"),
            (
                "http://localhost/cb?x=1", "https://localhost/cb", "http[]://localhost/cb[?x=1]",
                "http[s]://localhost/cb[]"
            ),
            ("https://A.test/cb", "https://a.test/cb", "https://[A].test/cb", "https://[a].test/cb"),
            ("", "https://a.test", "[]", "[https://a.test]"),
            ("", "", "", ""),
        ]
    )
    func marks(sent: String, nearest: String, markedSent: String, markedNearest: String) {
        let comparison = CallbackComparison(sent: sent, nearest: nearest)
        #expect(Self.marked(comparison.sent) == markedSent)
        #expect(Self.marked(comparison.nearest) == markedNearest)
    }

    @Test("Letters that look alike differ")
    func lookAlikes() {
        let comparison = CallbackComparison(sent: "https://caf\u{E9}.example", nearest: "https://cafe\u{301}.example")
        #expect(comparison.sent.contains { $0.differs })
        let cyrillic = CallbackComparison(sent: "https://\u{430}.test", nearest: "https://a.test")
        #expect(Self.marked(cyrillic.sent) == "https://[\u{430}].test")
    }

    @Test("Letters that two words share by chance are not set apart")
    func islands() {
        let comparison = CallbackComparison(sent: "https://a.test/login", nearest: "https://a.test/callback/oidc")
        #expect(comparison.sent.filter(\.differs).count == 1)
        #expect(comparison.sent.map(\.text).joined() == "https://a.test/login")
        #expect(comparison.nearest.map(\.text).joined() == "https://a.test/callback/oidc")
    }

    @Test("What is compared is never lost, whatever it is")
    func complete() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let sent = Self.random(using: &generator)
            let nearest = Self.random(using: &generator)
            let comparison = CallbackComparison(sent: sent, nearest: nearest)
            #expect(comparison.sent.map(\.text).joined() == sent)
            #expect(comparison.nearest.map(\.text).joined() == nearest)
            #expect(comparison.sent.map(\.differs) == comparison.nearest.map(\.differs))
            for (left, right) in zip(comparison.sent, comparison.nearest) where !left.differs {
                #expect(left.text == right.text)
            }
        }
    }

    private static func random(using generator: inout some RandomNumberGenerator) -> String {
        String(
            (0..<Int.random(in: 0...30, using: &generator)).compactMap { _ in "abc/".randomElement(using: &generator) }
        )
    }

    @Test("A long callback costs little, and keeps what begins and ends alike")
    func long() {
        let (left, right) = (String(repeating: "ab", count: 50_000), String(repeating: "cd", count: 50_000))
        let comparison = CallbackComparison(sent: "https://\(left)/cb", nearest: "https://\(right)/cb")
        #expect(comparison.sent.map(\.text) == ["https://", left, "/cb"])
        #expect(comparison.nearest.map(\.differs) == [false, true, false])
    }

    @Test("The nearest of the registered callbacks is compared")
    func nearest() {
        let registered = ["https://other.example/callback", "https://a.test/callback", "myapp://cb"]
        let comparison = CallbackComparison(sent: "https://a.test/callback/", registered: registered)
        #expect(comparison?.nearest.map(\.text).joined() == "https://a.test/callback")
        #expect(CallbackComparison(sent: "https://a.test", registered: []) == nil)
    }

    @Test(
        "The difference is said in words",
        arguments: [
            (
                "http://localhost:3000/cb", "http://localhost:8080/cb",
                "The request has “3000” where the application has “8080”."
            ),
            ("http://a.test/cb", "https://a.test/cb", "The request has “http” where the application has “https”."),
            ("https://a.test/cb/", "https://a.test/cb", "The request has “/”, which the application has not."),
            ("https://a.test/cb", "https://a.test/cb/", "The request lacks “/”."),
            (
                "https://a.test/cb\u{200B}", "https://a.test/cb",
                "The request has “\u{2068}⟨U+200B⟩\u{2069}”, which the application has not."
            ),
        ]
    )
    func words(sent: String, nearest: String, text: String) throws {
        let detail = DevelopmentDetail(cause: "", fix: "", comparison: CallbackComparison(sent: sent, nearest: nearest))
        #expect(try PageRendererTests.html(Samples.error(development: detail)).contains("<p>\(text)</p>"))
    }

    @Test("A character that cannot be seen is named")
    func invisible() throws {
        let comparison = CallbackComparison(sent: "https://a.test/\u{A0}cb", nearest: "https://a.test/cb")
        let html = try PageRendererTests.html(
            Samples.error(development: DevelopmentDetail(cause: "", fix: "", comparison: comparison))
        )
        #expect(html.contains("<mark>⟨U+00A0⟩</mark>cb"))
    }
}
