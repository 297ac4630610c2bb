/// Asks whether an application may have what it requests.
///
/// Posts `state`, `_csrf`, `action=accept` or `action=deny`, and `audience` and `scope` where there are any,
/// to `/u/consent?state=…`.
package struct ConsentPage: Page {
    package static let template = "consent"
    private let state: String
    private let csrfToken: String
    private let applicationName: String
    private let applicationLogoURL: String?
    private let userName: String
    private let tenantName: String
    private let items: [ConsentItem]
    private let audience: String?
    private let scope: String?
    private let destination: String?

    /// - Parameters:
    ///   - tenantName: the name that users know the tenant by.
    ///   - items: what the application requests.
    ///   - audience: the API that the request is about.
    ///   - scope: the requested scope, its values parted by spaces.
    ///   - destination: where an application of somebody else's gets its answer. It chose its name and logo itself, and this
    ///     it cannot make up.
    package init(
        state: String,
        csrfToken: String,
        applicationName: String,
        applicationLogoURL: String? = nil,
        userName: String,
        tenantName: String,
        items: [ConsentItem],
        audience: String? = nil,
        scope: String? = nil,
        destination: String? = nil
    ) {
        self.state = state
        self.csrfToken = csrfToken
        self.applicationName = applicationName
        self.applicationLogoURL = applicationLogoURL
        self.userName = userName
        self.tenantName = tenantName
        self.items = items
        self.audience = audience
        self.scope = scope
        self.destination = destination.map(SafeURL.place)
    }

    package var arguments: [String: String] {
        [
            "application": applicationName, "user": userName, "tenant": tenantName, "destination": destination ?? "",
        ]
    }

    package func content(_ context: PageContext) -> [String: PageValue] {
        [
            "action": .text("/u/consent?state=\(SafeURL.queryValue(state))"),
            "state": .text(state),
            "csrfToken": .text(csrfToken),
            "applicationLogoURL": .optional(applicationLogoURL.flatMap(SafeURL.image)),
            "tenantLogoURL": .optional(context.chrome.logoURL.flatMap(SafeURL.image)),
            "monogram": .text(applicationName.first.map { String($0).uppercased() } ?? "?"),
            "lede": context.texts.runs(Self.template, "lede", arguments),
            "hasItems": .flag(!items.isEmpty),
            "items": .list(
                items.map {
                    [
                        "title": .text($0.title), "detail": .text($0.detail), "resource": .optional($0.resource),
                    ]
                }
            ),
            "audience": .optional(audience),
            "scope": .optional(scope),
            "destination": .optional(destination),
            "warning": context.texts.runs(Self.template, "destination", arguments),
        ]
    }
}

/// One thing that an application requests, such as "Posts: read and write your posts".
package struct ConsentItem: Sendable, Equatable {
    /// What it is about, such as "Posts".
    package let title: String
    /// What the application could do, such as "read and write your posts".
    package let detail: String
    /// The API that it belongs to, where that is worth a mention.
    package let resource: String?

    package init(title: String, detail: String, resource: String? = nil) {
        self.title = title
        self.detail = detail
        self.resource = resource
    }
}
