/// One page of the server: a view model, and the template that shows it.
///
/// To add one: `Sources/CAssets/pages/<name>.mustache`, a section `<name>` in `locales/en.json`, a
/// view in `Views/`, a line in ``Pages``; then run `scripts/generate-assets`.
package protocol Page: Sendable {
    /// The name of the template and of the page's section of the texts.
    static var template: String { get }

    /// What the `{names}` in the page's texts stand for; `{tenant}` is always known.
    var arguments: [String: String] { get }

    /// What the template shows.
    func content(_ context: PageContext) -> [String: PageValue]
}

/// What every page knows besides its own view model.
package struct PageContext: Sendable {
    package let chrome: PageChrome
    package let texts: Texts
}

/// What surrounds every page of a tenant.
package struct PageChrome: Sendable {
    /// The name that users know the tenant by.
    package let tenantName: String
    /// The tenant's logo: an `https:` or `data:image/` URL, or a path on this server; others are not shown.
    package let logoURL: String?
    /// Where users find help: an `https:`, `http:` or `mailto:` URL; others are not shown.
    package let supportURL: String?
    /// What the application says about the user's data, and its terms: `https:` URLs; others are not shown.
    package let policyURL, termsURL: String?
    /// The languages that the user prefers, the best first: the request's `ui_locales`.
    package let locales: [String]
    /// The tenant's icon: as ``logoURL``.
    package var faviconURL: String?
    /// The path of a stylesheet that follows the pages' own.
    package var stylesheetPath: String?
    /// Texts in place of the pages' own, by language (in lower case), page and key.
    package var customTexts: [String: [String: [String: String]]] = [:]

    package init(
        tenantName: String, logoURL: String? = nil, supportURL: String? = nil, policyURL: String? = nil,
        termsURL: String? = nil, locales: [String] = []
    ) {
        (self.policyURL, self.termsURL) = (policyURL, termsURL)
        self.tenantName = tenantName
        self.logoURL = logoURL
        self.supportURL = supportURL
        self.locales = locales
    }
}
