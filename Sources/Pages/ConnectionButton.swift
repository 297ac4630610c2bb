/// A button of the sign-in page that leads to a connection's provider.
package struct ConnectionButton: Sendable, Equatable {
    /// The connection's name, which the form sends.
    package let name: String
    /// What the provider is called.
    package let title: String
    /// The provider's picture, where it has one.
    package let iconURL: String?

    package init(name: String, title: String, iconURL: String? = nil) {
        (self.name, self.title, self.iconURL) = (name, title, iconURL)
    }

    /// The values of the section `connections`; none where there are no buttons.
    static func content(
        _ buttons: [ConnectionButton], state: String, hasForm: Bool, _ context: PageContext
    ) -> PageValue {
        guard !buttons.isEmpty else { return .none }
        return .group([
            "connectionAction": .text("/u/login?state=\(SafeURL.queryValue(state))"),
            "separator": .optional(hasForm ? context.texts.text("common", "separator") : nil),
            "buttons": .list(
                buttons.map { button in
                    [
                        "name": .text(button.name),
                        "icon": .optional(button.iconURL.flatMap(SafeURL.image)),
                        "label": .text(
                            context.texts.text("common", "continueWith", ["connection": button.title])),
                    ]
                }),
        ])
    }
}
