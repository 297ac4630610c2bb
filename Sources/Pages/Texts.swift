import Foundation

/// The texts of the pages in one language, by section and key: `locales/<tag>.json`.
package struct Texts: Sendable {
    /// The language's BCP 47 tag, for `lang`.
    package let language: String
    private let sections: [String: [String: String]]

    init(language: String, sections: [String: [String: String]]) {
        self.language = language
        self.sections = sections
    }

    /// The same texts, but for some.
    func replacing(_ own: [String: [String: String]], language: String) -> Texts {
        Texts(language: language, sections: sections.merging(own) { $0.merging($1) { $1 } })
    }

    /// `rtl` for the languages that are written from right to left.
    var direction: String {
        ["ar", "dv", "fa", "he", "ps", "ur", "yi"].contains(language.prefix { $0 != "-" }) ? "rtl" : "ltr"
    }

    /// A section's texts with their `{names}` filled in.
    package func section(_ name: String, _ arguments: [String: String] = [:]) -> [String: String] {
        (sections[name] ?? [:]).mapValues { Self.filled($0, arguments) }
    }

    /// One text with its `{names}` filled in; the key itself where there is none.
    package func text(_ section: String, _ key: String, _ arguments: [String: String] = [:]) -> String {
        sections[section]?[key].map { Self.filled($0, arguments) } ?? key
    }

    /// One text as a list of `run`s, so that a template can set off those which are a `name`.
    func runs(_ section: String, _ key: String, _ arguments: [String: String]) -> PageValue {
        .list(
            Self.runs(sections[section]?[key] ?? key, arguments).map {
                ["run": .text($0.text), "name": .flag($0.isName)]
            }
        )
    }

    private static func filled(_ text: String, _ arguments: [String: String]) -> String {
        guard text.utf8.contains(UInt8(ascii: "{")) else { return text }
        return runs(text, arguments).map(\.text).joined()
    }

    /// One pass, so that braces within a value stay as they are.
    private static func runs(_ text: String, _ arguments: [String: String]) -> [(text: String, isName: Bool)] {
        var runs: [(text: String, isName: Bool)] = []
        var rest = text[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            runs.append((String(rest[..<open]), false))
            let name = String(rest[rest.index(after: open)..<close])
            runs.append((arguments[name].map(isolated) ?? "{\(name)}", true))
            rest = rest[rest.index(after: close)...]
        }
        return (runs + [(String(rest), false)]).filter { !$0.text.isEmpty }
    }

    /// A name may hold characters that turn the direction of what follows, and so change what a page seems
    /// to say; isolates (Unicode UAX #9 §2.4.2) keep that within the name, once its own are taken out.
    private static func isolated(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 >= 0x80 }) else { return value }
        let plain = String(String.UnicodeScalarView(value.unicodeScalars.filter { !isBidirectionalControl($0) }))
        return "\u{2068}\(plain)\u{2069}"
    }

    private static func isBidirectionalControl(_ scalar: Unicode.Scalar) -> Bool {
        (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
    }
}

/// The texts in every language; what one lacks is English.
struct TextsCatalogue: Sendable {
    private let languages: [String: Texts]
    private let english: Texts

    /// Reads `locales/*.json`.
    /// - Throws: ``PageAssetError`` where there is no English, or a file is no JSON of texts by section.
    init(assets: PageAssets) throws {
        var sections: [String: [String: [String: String]]] = [:]
        for name in assets.names where name.hasPrefix("locales/") && name.hasSuffix(".json") {
            let tag = String(name.dropFirst("locales/".count).dropLast(".json".count))
            do {
                sections[tag] = try JSONDecoder().decode(
                    [String: [String: String]].self,
                    from: Data(assets.file(name) ?? [])
                )
            } catch {
                throw PageAssetError(name: name, cause: "\(error)", fix: "make it an object of sections of texts")
            }
        }
        guard let english = sections["en"] else {
            throw PageAssetError(name: "locales/en.json", cause: "it is missing", fix: "run scripts/generate-assets")
        }
        self.english = Texts(language: "en", sections: english)
        languages = Dictionary(
            uniqueKeysWithValues: sections.map { tag, own in
                let whole = english.merging(own) { $0.merging($1) { $1 } }
                return (tag.lowercased(), Texts(language: tag, sections: whole))
            }
        )
    }

    /// As ``texts(for:)``, with a tenant's own texts in place of some. A language in which only the tenant has texts counts too:
    /// the others are English then.
    func texts(for locales: [String], custom: [String: [String: [String: String]]]) -> Texts {
        guard !custom.isEmpty else { return texts(for: locales) }
        for locale in locales + [english.language] {
            var tag = locale.lowercased()[...]
            while !tag.isEmpty {
                if let own = custom[String(tag)] {
                    return (languages[String(tag)] ?? english).replacing(own, language: String(tag))
                }
                if let texts = languages[String(tag)] { return texts }
                tag = tag[..<(tag.lastIndex(of: "-") ?? tag.startIndex)]
            }
        }
        return english
    }

    /// The texts in the first language that there are texts in: `de-AT`, else `de`, else the next, else English
    /// (RFC 4647 §3.4).
    func texts(for locales: [String]) -> Texts {
        for locale in locales {
            var tag = locale.lowercased()[...]
            while !tag.isEmpty {
                if let texts = languages[String(tag)] { return texts }
                tag = tag[..<(tag.lastIndex(of: "-") ?? tag.startIndex)]
            }
        }
        return english
    }
}
