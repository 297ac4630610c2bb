import OAuth
import Storage

/// What every mail's template can name, as Auth0's do.
struct MessageVariables {
    let settings: TenantSettings
    let issuer: Issuer

    func all(_ message: some Message, to recipient: MessageRecipient) -> JSONObject {
        var members = common(to: recipient)
        let user = members["user"]?.object ?? [:]
        members["user"] = .object(user.merging(message.userVariables) { $1 })
        return members.merging(message.variables) { $1 }
    }

    /// What stands there whatever the mail says.
    func common(to recipient: MessageRecipient) -> JSONObject {
        var members: JSONObject = [
            "tenant": .string(issuer.domain), "friendly_name": .string(settings.friendlyName ?? issuer.domain),
            "email": .string(recipient.email),
        ]
        members["support_email"] = settings.other["support_email"]
        members["support_url"] = settings.supportURL.map(JSONValue.string)
        members["logo_url"] = settings.pictureURL.map(JSONValue.string)
        members["request_language"] = recipient.language.map(JSONValue.string)
        members["connection"] = recipient.connection.map { ["name": .string($0)] }
        members["application"] = recipient.client.map(Self.application)
        members["organization"] = recipient.organization.map { .object($0.document) }
        members["user"] = .object(recipient.user.map(Self.user) ?? ["email": .string(recipient.email)])
        return members
    }

    private static func application(_ client: Client) -> JSONValue {
        var members: JSONObject = ["name": .string(client.name), "clientID": .string(client.clientID)]
        members["callback_domain"] = client.callbacks.first.flatMap { RedirectURI($0.text)?.origin }.map(
            JSONValue.string)
        members["logo_uri"] = client.logoURI.map(JSONValue.string)
        return .object(members)
    }

    private static func user(_ user: User) -> JSONObject {
        var members = user.profile
        members["user_id"] = .string(user.id)
        members["email"] = user.email.map(JSONValue.string)
        members["email_verified"] = .bool(user.isEmailVerified)
        members["username"] = user.username.map(JSONValue.string)
        members["user_metadata"] = .object(user.userMetadata)
        members["app_metadata"] = .object(user.appMetadata)
        return members
    }
}
