import Mustache

/// Turns pages into HTML.
package struct PageRenderer: Sendable {
    private let assets: PageAssets
    private let compiled: CompiledPages

    /// Compiles every template.
    /// - Throws: ``PageAssetError`` where a template or a text is missing or malformed.
    package init(assets: PageAssets = .embedded) throws {
        self.assets = assets
        compiled = try CompiledPages(assets: assets)
    }

    /// The HTML of `page`, to be served as `text/html; charset=utf-8`.
    package func render(_ page: some Page, chrome: PageChrome) -> String {
        guard assets.isLive else { return compiled.render(page, chrome: chrome) }
        do {
            return try CompiledPages(assets: assets).render(page, chrome: chrome)
        } catch {
            return "<!doctype html><title>Template error</title><pre>\(HTMLEscaping().escapeText("\(error)"))</pre>"
        }
    }
}

/// The templates and texts of one moment.
private struct CompiledPages: Sendable {
    let library: MustacheLibrary
    let catalogue: TextsCatalogue
    let links: [String: PageValue]

    /// The assets that the templates name.
    private static let linked = [
        "formPost": "js/form-post.js", "logout": "js/logout.js", "mark": "images/portico.svg",
        "script": "js/portico.js",
        "stylesheet": "css/portico.css", "webMessage": "js/web-message.js",
    ]

    init(assets: PageAssets) throws {
        catalogue = try TextsCatalogue(assets: assets)
        links = try Self.linked.mapValues { name in
            guard let path = assets.path(of: name) else {
                throw PageAssetError(name: name, cause: "it is missing", fix: "run scripts/generate-assets")
            }
            return .text(path)
        }
        library = try Self.compile(assets)
    }

    private static func compile(_ assets: PageAssets) throws -> MustacheLibrary {
        HTMLEscaping.register()
        var templates: [String: MustacheTemplate] = [:]
        for name in assets.names where name.hasPrefix("pages/") && name.hasSuffix(".mustache") {
            let text = String(decoding: assets.file(name) ?? [], as: UTF8.self)
            do {
                let template = try MustacheTemplate(string: HTMLEscaping.pragma + text)
                templates[String(name.dropFirst("pages/".count).dropLast(".mustache".count))] = template
            } catch {
                throw PageAssetError(name: name, cause: "\(error)", fix: "correct the template")
            }
        }
        for page in Pages.all where templates[page.template] == nil {
            throw PageAssetError(
                name: "pages/\(page.template).mustache",
                cause: "it is missing",
                fix: "run scripts/generate-assets"
            )
        }
        return MustacheLibrary(templates: templates)
    }

    func render<P: Page>(_ page: P, chrome: PageChrome) -> String {
        let texts = catalogue.texts(for: chrome.locales, custom: chrome.customTexts)
        let arguments = page.arguments.merging(["tenant": chrome.tenantName]) { own, _ in own }
        let own = texts.section(P.template, arguments).merging(texts.section("common")) { own, _ in own }
        var values = page.content(PageContext(chrome: chrome, texts: texts))
        values["text"] = .group(own.mapValues(PageValue.text))
        values["lang"] = .text(texts.language)
        values["dir"] = .text(texts.direction)
        values["assets"] = .group(links)
        values["chrome"] = .group([
            "tenantName": .text(chrome.tenantName),
            "faviconURL": .optional(chrome.faviconURL.flatMap(SafeURL.image)),
            "stylesheetPath": .optional(chrome.stylesheetPath),
            "supportURL": .optional(chrome.supportURL.flatMap(SafeURL.link)),
            "policyURL": .optional(chrome.policyURL.flatMap(SafeURL.link)),
            "termsURL": .optional(chrome.termsURL.flatMap(SafeURL.link)),
        ])
        guard let html = library.render(values.mapValues(\.mustache), withTemplate: P.template) else {
            preconditionFailure("\(P.self) is not listed in Pages.all")
        }
        return html
    }
}
