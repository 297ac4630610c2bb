import Foundation
import Testing

@testable import Pages

@Suite("Templates")
struct TemplateTests {
    static let templates = PageAssets.embedded.names.filter { $0.hasPrefix("pages/") }

    static func text(_ name: String) -> String {
        String(decoding: PageAssets.embedded.file(name) ?? [], as: UTF8.self)
    }

    @Test("No template shows a value unescaped or changes how values are escaped", arguments: templates)
    func escapes(name: String) {
        #expect(!Self.text(name).contains(/\{\{\s*[{&%=]/))
    }

    @Test("Values stand between quotation marks in attributes", arguments: templates)
    func quotes(name: String) {
        #expect(!Self.text(name).contains(/=\{\{/))
        #expect(!Self.text(name).contains(/='[^']*\{\{/))
    }

    @Test("Tags that stand alone are not indented, or the page would be", arguments: templates)
    func indentation(name: String) {
        #expect(!Self.text(name).contains(/(?m)^[ \t]+\{\{[>$<]/))
    }

    @Test("Every partial exists", arguments: templates)
    func partials(name: String) {
        for partial in Self.text(name).matches(of: /\{\{[><]\s*([a-z-]+)/) {
            #expect(Self.templates.contains("pages/\(partial.1).mustache"))
        }
    }

    @Test("Every text that a page shows is in the catalogue", arguments: Pages.all.map { $0.template })
    func texts(template: String) throws {
        let texts = try TextsCatalogue(assets: .embedded).texts(for: [])
        let known = texts.section(template).merging(texts.section("common")) { own, _ in own }
        let partials = ["layout", "mark", "alert", "hidden"].map { Self.text("pages/\($0).mustache") }
        let page = Self.text("pages/\(template).mustache") + partials.joined()
        for key in page.matches(of: /\{\{[#^]?text\.(\w+)/) {
            #expect(known[String(key.1)] != nil, "\(template).\(key.1)")
        }
    }

    @Test("Every value that a template shows is given", arguments: Samples.pages.map(\.name))
    func values(name: String) throws {
        let page = try #require(Samples.pages.first { $0.name == name }).page
        let texts = try TextsCatalogue(assets: .embedded).texts(for: [])
        let given = Self.names(.group(page.content(PageContext(chrome: Samples.chrome, texts: texts))))
        let always: Set = ["lang", "dir", "logoURL", "alert"]
        for value in Self.text("pages/\(type(of: page).template).mustache").matches(of: /\{\{[#^]?([A-Za-z]+)\}\}/) {
            let key = String(value.1)
            guard !always.contains(key), !Self.onlySometimes.contains(key) else { continue }
            #expect(given.contains(key), "\(key)")
        }
    }

    /// What only an error in development has, or a logout that has frames.
    static let onlySometimes: Set = [
        "cause", "fix", "setting", "comparison", "sent", "nearest", "segment", "differs", "gap", "difference",
        "hasParameters", "parameters", "name", "value", "source",
    ]

    static func names(_ value: PageValue) -> Set<String> {
        switch value {
        case .text, .flag, .none: []
        case .group(let group): group.reduce(into: Set(group.keys)) { $0.formUnion(names($1.value)) }
        case .list(let list): list.reduce(into: []) { $0.formUnion(names(.group($1))) }
        }
    }
}
