import OAuth
import Storage

/// Something that the server writes to a person: what only this kind of mail says. What all of them say (the user, the
/// application, the tenant) ``Messages`` knows.
package protocol Message: Sendable {
    static var kind: MessageKind { get }
    /// A template of the message's own, where neither the tenant's nor the standard one counts.
    var template: EmailTemplate? { get }
    /// What templates call by these names.
    var variables: JSONObject { get }
    /// What templates find below `user`, beside what the user has.
    var userVariables: JSONObject { get }
}

extension Message {
    package var template: EmailTemplate? { nil }
    package var variables: JSONObject { [:] }
    package var userVariables: JSONObject { [:] }
}

/// Who a message goes to, and what it is about.
package struct MessageRecipient: Sendable {
    package var email: String
    package var user: User?
    /// The application from which it came to the message.
    package var client: Client?
    package var organization: Organization?
    /// The connection's name.
    package var connection: String?
    /// A language tag, such as `de`.
    package var language: String?

    package init(
        email: String, user: User? = nil, client: Client? = nil, organization: Organization? = nil,
        connection: String? = nil, language: String? = nil
    ) {
        (self.email, self.user, self.client, self.organization) = (email, user, client, organization)
        (self.connection, self.language) = (connection ?? user?.connection, language)
    }

    /// nil for a user without an address.
    package init?(_ user: User, client: Client? = nil, organization: Organization? = nil) {
        guard let email = user.email else { return nil }
        self.init(email: email, user: user, client: client, organization: organization)
    }
}
