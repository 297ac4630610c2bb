import Foundation
import Pages
import Testing

@Suite("The stylesheet")
struct StylesheetTests {
    static let css = String(decoding: PageAssets.embedded.file("css/portico.css") ?? [], as: UTF8.self)

    /// The named colours, in light and in dark.
    static func colours(dark: Bool) throws -> [String: UInt32] {
        let part = try #require(css.range(of: "prefers-color-scheme: dark"))
        let text = dark ? css[part.lowerBound...] : css[..<part.lowerBound]
        let pairs = text.matches(of: /--([a-z-]+): #([0-9a-f]{6});/).map {
            (String($0.1), UInt32($0.2, radix: 16) ?? 0)
        }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    @Test(
        "Text and its ground differ by 4.5:1, what a form is made of by 3:1 (WCAG 2.2 §1.4.3, §1.4.11)",
        arguments: [
            ("ink", "canvas", 4.5), ("ink", "card", 4.5), ("ink", "sunken", 4.5), ("ink", "danger-soft", 4.5),
            ("ink", "success-soft", 4.5), ("ink", "danger-mark", 4.5), ("ink", "success-mark", 4.5),
            ("muted", "canvas", 4.5), ("muted", "card", 4.5), ("muted", "sunken", 4.5), ("accent", "card", 4.5),
            ("accent-strong", "card", 4.5), ("on-accent", "accent", 4.5), ("on-accent", "accent-strong", 4.5),
            ("danger", "card", 4.5), ("danger", "danger-soft", 4.5), ("success", "card", 4.5),
            ("success", "success-soft", 4.5), ("control", "card", 3), ("accent", "sunken", 3), ("accent", "canvas", 3),
            ("danger", "danger-mark", 3), ("success", "success-mark", 3),
        ]
    )
    func contrast(front: String, ground: String, least: Double) throws {
        for dark in [false, true] {
            let colours = try Self.colours(dark: dark)
            let (front, ground) = (try #require(colours[front]), try #require(colours[ground]))
            let luminances = [Self.luminance(front), Self.luminance(ground)].sorted()
            let contrast = (luminances[1] + 0.05) / (luminances[0] + 0.05)
            #expect(contrast >= least, "\(dark ? "dark" : "light"): \(contrast)")
        }
    }

    @Test("It fetches nothing from elsewhere")
    func selfContained() {
        #expect(!Self.css.contains(/@import|url\("(?!data:image\/svg)/))
    }

    @Test("It heeds small screens, reduced motion and forced colours")
    func preferences() {
        for query in ["max-width: 30rem", "prefers-reduced-motion: reduce", "forced-colors: active", ":focus-visible"] {
            #expect(Self.css.contains(query))
        }
        #expect(!Self.css.contains(/outline: *(none|0)/))
    }

    /// The relative luminance of WCAG 2.2.
    private static func luminance(_ colour: UInt32) -> Double {
        let weights = [(16, 0.2126), (8, 0.7152), (0, 0.0722)]
        return weights.reduce(0) { sum, part in
            let value = Double(colour >> UInt32(part.0) & 0xFF) / 255
            return sum + part.1 * (value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4))
        }
    }
}
