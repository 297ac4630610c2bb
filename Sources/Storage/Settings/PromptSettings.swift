import OAuth

/// How the login asks, with the names of Auth0's `/api/v2/prompts`.
package struct PromptSettings: TenantSection {
    package static let name = "prompts"

    /// Auth0's two kinds of login pages.
    private enum Experience: String, CaseIterable { case new, classic }

    package init() {}

    package init(document: Document) throws(Document.Problem) {
        var document = document
        guard try document.oneOf("universal_login_experience", Experience.self) != .classic else {
            throw document.problem("universal_login_experience", "must be new; this server has no Classic Login")
        }
        for name in ["identifier_first", "webauthn_platform_first_factor"] {
            guard try document.bool(name) != true else {
                throw document.problem(name, "must be false; this version does not have it yet")
            }
        }
        _ = try document.remaining(known: [])
    }

    package var document: JSONObject {
        ["universal_login_experience": "new", "identifier_first": false, "webauthn_platform_first_factor": false]
    }
}

/// The tenant's own texts on the pages, by language, prompt, screen and key: Auth0's `custom-text`.
package struct CustomTexts: TenantSection {
    package static let name = "custom-text"

    /// The screens of a prompt with their texts.
    package typealias Screens = [String: [String: String]]

    private var languages: [String: [String: Screens]] = [:]

    package init() {}

    package init(document: Document) throws(Document.Problem) {
        var document = document
        for (language, value) in document.everything() {
            let path = document.path(of: language)
            guard let prompts = value.object else { throw Document.Problem(path: path, message: "must be an object") }
            for (prompt, screens) in prompts {
                languages[language, default: [:]][prompt] = try Self.screens(screens, path: "\(path).\(prompt)")
            }
        }
    }

    package var document: JSONObject {
        languages.mapValues { prompts in
            .object(
                prompts.mapValues { screens in .object(screens.mapValues { .object($0.mapValues(JSONValue.string)) }) })
        }
    }

    /// Reads the texts of a prompt.
    /// - Throws: ``Document/Problem`` for what is no text.
    package static func screens(_ value: JSONValue, path: String) throws(Document.Problem) -> Screens {
        guard let members = value.object else { throw Document.Problem(path: path, message: "must be an object") }
        var screens: Screens = [:]
        for (screen, texts) in members.sorted(by: { $0.key < $1.key }) {
            guard let texts = texts.object else {
                throw Document.Problem(path: "\(path).\(screen)", message: "must be an object")
            }
            for (key, text) in texts.sorted(by: { $0.key < $1.key }) where text != .null {
                guard let text = text.string, text.utf8.count <= 10_000, !text.utf8.contains(0) else {
                    throw Document.Problem(path: "\(path).\(screen).\(key)", message: "must be a text")
                }
                screens[screen, default: [:]][key] = text
            }
        }
        return screens
    }

    /// The texts of a prompt in a language.
    package subscript(language: String, prompt: String) -> Screens {
        get { languages[language]?[prompt] ?? [:] }
        set {
            languages[language, default: [:]][prompt] = newValue.isEmpty ? nil : newValue
            if languages[language]?.isEmpty == true { languages[language] = nil }
        }
    }

    /// The languages that there are texts in.
    package var tags: [String] { languages.keys.sorted() }
}
