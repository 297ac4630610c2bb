import Testing

@testable import Pages

@Suite("A tenant's colours")
struct BrandTests {
    private static let colours = [
        "#000000", "#ffffff", "#ffff00", "#3344c9", "#777777", "#ff0000", "#00ff88", "#f4f5f8",
    ]

    @Test(
        "WCAG 2.2 §1.4.3: whatever the colour, links and buttons are legible, in light and in dark", arguments: colours)
    func legible(colour: String) throws {
        let style = try #require(Brand(primary: colour, background: colour, fontURL: nil).stylesheet)
        let parts = style.split(separator: "@media")
        try #require(parts.count == 2)
        for (part, card) in zip(parts, [Color.white, Color(0x15181F)]) {
            let named = Dictionary(
                part.matches(of: /--([a-z-]+): (#[0-9a-f]{6});/).map { (String($0.1), String($0.2)) }
            ) { first, _ in first }
            func color(_ name: String) throws -> Color { try #require(named[name].flatMap { Color(text: $0) }) }
            for accent in try [color("accent"), color("accent-strong")] {
                #expect(accent.contrast(to: card) >= 4.5, "\(style)")
                #expect(try accent.contrast(to: color("on-accent")) >= 4.5, "\(style)")
            }
            #expect(named["canvas"] == colour)
        }
        let footer = try #require(style.firstMatch(of: /\.footer a \{ color: (#[0-9a-f]{6});/))
        let (text, ground) = (Color(text: String(footer.1)), Color(text: colour))
        #expect(try #require(text).contrast(to: try #require(ground)) >= 4.5)
    }

    @Test("A colour that is legible stays as it is, and no branding changes nothing")
    func unchanged() {
        let style = Brand(primary: "#3344c9", background: nil, fontURL: nil).stylesheet
        #expect(style?.contains(":root { --accent: #3344c9;") == true && style?.contains("canvas") == false)
        #expect(Brand(primary: nil, background: nil, fontURL: nil).stylesheet == nil)
        #expect(Color(text: "red") == nil && Color(text: "#12345") == nil)
    }
}
