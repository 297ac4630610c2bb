import Foundation

/// A tenant's colours and font on the pages. Whatever the colours are, what is written in them stays legible: they are
/// darkened or lightened until they differ from their ground as much as WCAG 2.2 §1.4.3 asks.
package struct Brand: Sendable, Equatable {
    /// Of buttons and links: `#` and six hexadecimal digits; nil for the pages' own.
    package let primary: String?
    /// The ground of the pages.
    package let background: String?
    /// The `https:` address of a font file.
    package let fontURL: String?

    package init(primary: String?, background: String?, fontURL: String?) {
        (self.primary, self.background, self.fontURL) = (primary, background, fontURL)
    }

    /// The stylesheet that follows the pages' own; nil where there is nothing to change.
    package var stylesheet: String? {
        var rules: [String] = []
        if let fontURL {
            rules.append("@font-face { font-family: \"Tenant\"; src: url(\"\(fontURL)\"); font-display: swap; }")
            rules.append("body { font-family: \"Tenant\", ui-sans-serif, system-ui, sans-serif; }")
        }
        let (light, dark) = (variables(card: .white, isDark: false), variables(card: Color(0x15181F), isDark: true))
        if !light.isEmpty {
            rules.append(":root { \(light) }")
            rules.append("@media (prefers-color-scheme: dark) { :root { \(dark) } }")
        }
        if let ground = background.flatMap(Color.init(text:)) {
            rules.append(".footer, .footer a { color: \(ground.legible.text); }")
        }
        return rules.isEmpty ? nil : rules.joined(separator: "\n") + "\n"
    }

    /// - Parameter card: the ground that buttons and links stand on.
    private func variables(card: Color, isDark: Bool) -> String {
        var variables: [(String, Color)] = []
        if let primary = primary.flatMap(Color.init(text:)) {
            let end: Color = isDark ? .white : .black
            let accent = primary.moved(to: end, until: card, differsBy: 4.5)
            // Under the pointer it differs more, never less.
            let strong = accent.mixed(with: end, 0.15)
            variables = [("accent", accent), ("accent-strong", strong), ("on-accent", isDark ? .black : .white)]
        }
        if let ground = background.flatMap(Color.init(text:)) { variables += [("canvas", ground), ("glow", ground)] }
        return variables.map { "--\($0): \($1.text);" }.joined(separator: " ")
    }
}

/// A colour in sRGB.
struct Color: Sendable, Equatable {
    private let parts: [Double]

    static let white = Color(0xFFFFFF)
    static let black = Color(0x000000)

    init(_ number: UInt32) { parts = [16, 8, 0].map { Double(number >> $0 & 0xFF) / 255 } }

    /// `#` and six hexadecimal digits, or three that count twice; nil for anything else.
    init?(text: String) {
        let sent = text.dropFirst()
        let digits = sent.utf8.count == 3 ? sent.flatMap { [$0, $0] } : Array(sent)
        guard text.first == "#", digits.count == 6, let number = UInt32(String(digits), radix: 16) else { return nil }
        self.init(number)
    }

    private init(parts: [Double]) { self.parts = parts }

    var text: String {
        "#"
            + parts.map { part in
                let digits = String(Int((part * 255).rounded()), radix: 16)
                return digits.count == 1 ? "0" + digits : digits
            }.joined()
    }

    /// The relative luminance of WCAG 2.2.
    private var luminance: Double {
        zip(parts, [0.2126, 0.7152, 0.0722]).reduce(0) { sum, pair in
            sum + pair.1 * (pair.0 <= 0.04045 ? pair.0 / 12.92 : pow((pair.0 + 0.055) / 1.055, 2.4))
        }
    }

    /// How much two colours differ, from 1 to 21.
    func contrast(to other: Color) -> Double {
        let (lower, higher) = (min(luminance, other.luminance), max(luminance, other.luminance))
        return (higher + 0.05) / (lower + 0.05)
    }

    /// Part of the way to another colour.
    func mixed(with other: Color, _ part: Double) -> Color {
        Color(parts: zip(parts, other.parts).map { $0 + ($1 - $0) * part })
    }

    /// As little of the way to `end` as makes it differ from `ground`.
    func moved(to end: Color, until ground: Color, differsBy least: Double) -> Color {
        for step in 0...20 {
            let color = mixed(with: end, Double(step) / 20)
            if color.contrast(to: ground) >= least { return color }
        }
        return end
    }

    /// Black or white, whichever is better read on this ground.
    var legible: Color { contrast(to: .white) >= contrast(to: .black) ? .white : .black }
}
