import Pages
import Storage

/// Which of Auth0's custom texts the pages have a place for.
enum CustomPageTexts {
    /// Auth0's prompt and screen, and the page whose texts they are, with the page's key for each of theirs.
    private static let places: [(prompt: String, screen: String, page: String, keys: [String: String])] = [
        ("login", "login", "login", common), ("login-password", "login-password", "login", common),
        ("signup", "signup", "signup", common), ("signup-password", "signup-password", "signup", common),
        (
            "consent", "consent", "consent",
            [
                "pageTitle": "pageTitle", "title": "title", "messageSingleTenant": "lede",
                "acceptButtonText": "accept", "declineButtonText": "decline",
            ]
        ),
    ]

    private static let common = [
        "pageTitle": "pageTitle", "title": "title", "description": "lede", "buttonText": "submit",
        "footerText": "otherQuestion", "footerLinkText": "otherLink", "loginActionText": "otherQuestion",
        "loginActionLinkText": "otherLink", "signupActionText": "otherQuestion", "signupActionLinkText": "otherLink",
        "emailPlaceholder": "email", "usernameOrEmailPlaceholder": "email", "passwordPlaceholder": "password",
    ]

    /// The texts by language, page and key.
    static func pages(_ texts: CustomTexts) -> [String: [String: [String: String]]] {
        var pages: [String: [String: [String: String]]] = [:]
        for language in texts.tags {
            for place in places {
                for (key, text) in texts[language, place.prompt][place.screen] ?? [:] {
                    guard let own = place.keys[key], !text.isEmpty else { continue }
                    pages[language.lowercased(), default: [:]][place.page, default: [:]][own] = filled(text)
                }
            }
        }
        return pages
    }

    /// Auth0's names of what a text is about, as the pages' own.
    private static func filled(_ text: String) -> String {
        text.replacing("${clientName}", with: "{application}").replacing("${companyName}", with: "{tenant}")
            .replacing("${email}", with: "{user}")
    }
}
