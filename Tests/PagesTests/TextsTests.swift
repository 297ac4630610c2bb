import Foundation
import Testing

@testable import Pages

@Suite("Texts")
struct TextsTests {
    /// The embedded assets and a German catalogue that lacks almost everything.
    private func catalogue() throws -> TextsCatalogue {
        let copy = FileManager.default.temporaryDirectory.appendingPathComponent("texts-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: copy.appendingPathComponent("locales"),
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(at: copy) }
        try Data(PageAssets.embedded.file("locales/en.json") ?? []).write(
            to: copy.appendingPathComponent("locales/en.json")
        )
        try Data(#"{"login": {"submit": "Weiter"}}"#.utf8).write(to: copy.appendingPathComponent("locales/de.json"))
        return try TextsCatalogue(assets: PageAssets(directory: copy))
    }

    @Test(
        "The first language that there are texts in is taken, else English",
        arguments: [
            ([], "en"), (["de"], "de"), (["de-AT"], "de"), (["DE-ch-1996"], "de"), (["fr", "de"], "de"),
            (["fr"], "en"), (["en-GB", "de"], "en"), (["-", "", "--"], "en"), (["../en"], "en"),
        ]
    )
    func languages(locales: [String], language: String) throws {
        #expect(try catalogue().texts(for: locales).language == language)
    }

    @Test("A text that a language lacks is English")
    func fallback() throws {
        let german = try catalogue().texts(for: ["de"])
        #expect(german.text("login", "submit") == "Weiter")
        #expect(german.text("login", "otherLink") == "Sign up")
        #expect(german.text("problems", "wrongCredentials") == "Wrong email or password")
    }

    @Test("Braces within a value stay as they are")
    func braces() throws {
        let texts = try catalogue().texts(for: [])
        let lede = texts.text("signup", "lede", ["tenant": "{application}", "application": "{tenant}"])
        #expect(lede == "Sign up to {application} to continue to {tenant}.")
        #expect(texts.text("login", "title") == "Log in to {application}")
    }

    @Test("A name cannot turn the direction of the text around it")
    func directions() throws {
        let texts = try catalogue().texts(for: [])
        let title = texts.text("login", "title", ["application": "\u{202E}knaB"])
        #expect(title == "Log in to \u{2068}knaB\u{2069}")
        #expect(texts.text("login", "title", ["application": "Bank"]) == "Log in to Bank")
    }

    @Test("Without English there are no pages")
    func english() throws {
        let empty = FileManager.default.temporaryDirectory.appendingPathComponent("none-\(UUID().uuidString)")
        #expect(throws: PageAssetError.self) { try TextsCatalogue(assets: PageAssets(directory: empty)) }
    }
}
