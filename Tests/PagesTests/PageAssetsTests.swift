import Foundation
import Pages
import Testing

@Suite("Assets")
struct PageAssetsTests {
    /// The checkout's `Sources/CAssets`.
    static let directory = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Sources/CAssets")

    @Test("The binary carries every file, as it is; else run scripts/generate-assets")
    func fresh() {
        let onDisk = PageAssets(directory: Self.directory)
        #expect(PageAssets.embedded.names == onDisk.names.sorted())
        for name in onDisk.names {
            #expect(PageAssets.embedded.file(name) == onDisk.file(name), "\(name)")
        }
    }

    @Test("An asset is found by the hash of its content only")
    func find() throws {
        let path = try #require(PageAssets.embedded.path(of: "css/portico.css"))
        #expect(path.wholeMatch(of: /portico-[0-9a-f]{8}\.css/) != nil)
        let asset = try #require(PageAssets.embedded.find(path))
        #expect(asset.contentType == "text/css; charset=utf-8")
        #expect(asset.bytes == PageAssets.embedded.file("css/portico.css"))
        for wrong in ["portico.css", "portico-00000000.css", "css/portico.css", "", "../css/portico.css"] {
            #expect(PageAssets.embedded.find(wrong) == nil)
            #expect(PageAssets(directory: Self.directory).find(wrong) == nil)
        }
    }

    @Test("Templates and texts are not served")
    func unserved() {
        #expect(PageAssets.embedded.path(of: "pages/login.mustache") == nil)
        #expect(PageAssets.embedded.path(of: "locales/en.json") == nil)
    }

    @Test("A directory's files are read anew each time")
    func live() throws {
        let copy = FileManager.default.temporaryDirectory.appendingPathComponent("pages-\(UUID().uuidString)")
        // The path resolved: a copy of a link would lead back to the checkout.
        try FileManager.default.copyItem(at: Self.directory.resolvingSymlinksInPath(), to: copy)
        defer { try? FileManager.default.removeItem(at: copy) }
        let assets = PageAssets(directory: copy)
        let renderer = try PageRenderer(assets: assets)
        let before = renderer.render(LoggedOutPage(), chrome: Samples.chrome)
        #expect(before == (try PageRenderer().render(LoggedOutPage(), chrome: Samples.chrome)))

        try Data("<p>{{lede}}".utf8).write(to: copy.appendingPathComponent("pages/logged-out.mustache"))
        #expect(renderer.render(LoggedOutPage(), chrome: Samples.chrome) == "<p>You can close this window.")
        try Data("{{#lede}}".utf8).write(to: copy.appendingPathComponent("pages/logged-out.mustache"))
        #expect(renderer.render(LoggedOutPage(), chrome: Samples.chrome).contains("pages/logged-out.mustache"))
        #expect(throws: PageAssetError.self) { try PageRenderer(assets: assets) }

        try Data("a {}".utf8).write(to: copy.appendingPathComponent("css/portico.css"))
        let path = try #require(assets.path(of: "css/portico.css"))
        #expect(assets.find(path)?.bytes == Array("a {}".utf8))
    }
}
