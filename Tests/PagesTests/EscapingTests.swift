import Foundation
import Testing

@testable import Pages

@Suite("Escaping")
struct EscapingTests {
    /// Each ends an attribute or opens a tag where it is not escaped; the combining marks join the character
    /// before them, which then is no longer equal to `"`, `<` or `'`.
    static let hostile = [
        "\"><script>alert(1)</script>",
        "\"\u{301} autofocus onfocus=alert(1) x=\"",
        "<\u{338}script>\u{338}alert(1)",
        "'\u{FE0F} onclick=alert(1)",
        "{{state}}{{{csrfToken}}}{{>layout}}",
        "</title></textarea><img src=x onerror=alert(1)>",
        "a\r\n<b>",
    ]

    /// Every page with `text` in each place that takes one.
    static func pages(_ text: String) -> [any Page] {
        let rules = [PasswordRule(text: text, satisfied: false)]
        return [
            LoginPage(
                state: text,
                csrfToken: text,
                applicationName: text,
                applicationLogoURL: "https://a.example/" + text,
                email: text,
                signupPath: "/" + text
            ),
            SignupPage(
                state: text,
                csrfToken: text,
                applicationName: text,
                applicationLogoURL: text,
                email: text,
                problem: .passwordTooWeak(rules),
                loginPath: text
            ),
            ConsentPage(
                state: text,
                csrfToken: text,
                applicationName: text,
                applicationLogoURL: "data:image/" + text,
                userName: text,
                tenantName: text,
                items: [ConsentItem(title: text, detail: text, resource: text)],
                audience: text,
                scope: text
            ),
            ErrorPage(
                status: 400,
                code: text,
                headline: text,
                summary: text,
                requestID: text,
                development: DevelopmentDetail(
                    cause: text,
                    fix: text,
                    setting: text,
                    comparison: CallbackComparison(sent: text, nearest: "x" + text),
                    parameters: [RequestParameter(name: text, value: text)]
                )
            ),
            LoggedOutPage(applicationName: text),
            FormPostPage(action: "https://a.example/" + text, parameters: [(name: text, value: text)]),
        ]
    }

    @Test("No value adds a tag or an attribute to a page", arguments: hostile)
    func structure(text: String) throws {
        let renderer = try PageRenderer()
        for (page, plain) in zip(Self.pages(text), Self.pages("plain")) {
            let chrome = PageChrome(tenantName: text, logoURL: "/" + text, supportURL: "https://a.example/" + text)
            let plainChrome = PageChrome(tenantName: "plain", logoURL: "/plain", supportURL: "https://a.example/plain")
            let html = renderer.render(page, chrome: chrome)
            #expect(!html.unicodeScalars.contains("\r"))
            let expected = Set(tags(renderer.render(plain, chrome: plainChrome))).union(Self.fallbacks)
            #expect(Set(tags(html)).subtracting(expected).isEmpty)
        }
    }

    /// What stands in the place of a logo that is refused.
    static let fallbacks: Set<String> = [
        "<img class src alt width height>", "<span class>", "<mark>", "<mark class>",
    ]

    /// The tags of a page with the names of their attributes, read byte by byte as a browser does.
    private func tags(_ html: String) -> [String] {
        var tags: [String] = []
        var scalars = html.unicodeScalars[...]
        while let open = scalars.firstIndex(of: "<") {
            scalars = scalars[scalars.index(after: open)...]
            var (tag, quoted) = ("", false)
            while let scalar = scalars.popFirst(), quoted || scalar != ">" {
                if scalar == "\"" {
                    quoted.toggle()
                } else if !quoted, scalar != "=" {
                    tag.unicodeScalars.append(scalar)
                }
            }
            tags.append("<\(tag)>")
        }
        return tags
    }

    @Test("Text is the same after a browser has read it", arguments: hostile)
    func roundTrip(text: String) {
        var read = HTMLEscaping().escapeText(text)
        #expect(!read.unicodeScalars.contains { "<>\"'`\r\n".unicodeScalars.contains($0) })
        for (entity, character) in [
            ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#96;", "`"), ("&#10;", "\n"),
            ("&#13;", "\r"), ("&amp;", "&"),
        ] {
            read = String(
                decoding: Data(read.utf8).replacing(Data(entity.utf8), with: Data(character.utf8)),
                as: UTF8.self
            )
        }
        #expect(Array(read.utf8) == Array(text.utf8))
    }

    @Test(
        "A link that runs scripts or leads to another server is not shown",
        arguments: [
            "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)",
            "data:text/html,<script>", "vbscript:x", "//evil.example", "/\\evil.example", "/\t/evil.example", "",
        ]
    )
    func links(url: String) {
        #expect(SafeURL.link(url) == nil)
        #expect(SafeURL.image(url) == nil)
    }

    @Test("A form is never sent to a script")
    func formActions() {
        for url in ["javascript:alert(1)", "JAVASCRIPT:alert(1)", "java\nscript:alert(1)", "data:text/html,x", " x:y"] {
            #expect(SafeURL.formAction(url) == nil)
        }
        for url in ["https://a.example/callback?x=1", "com.acme.app:/callback", "http://localhost:3000"] {
            #expect(SafeURL.formAction(url) == url)
        }
    }

    @Test("Logos, links and mail addresses are shown")
    func goodLinks() {
        #expect(SafeURL.image("https://a.example/logo.svg") != nil)
        #expect(SafeURL.image("data:image/png;base64,AA==") != nil)
        #expect(SafeURL.image("http://a.example/logo.svg") == nil)
        #expect(SafeURL.link("mailto:help@a.example") != nil)
        #expect(SafeURL.link("/u/signup?state=x") != nil)
    }
}
