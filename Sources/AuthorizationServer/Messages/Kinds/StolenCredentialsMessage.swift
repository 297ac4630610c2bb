import OAuth
import Storage

/// Tells that the user's password is among those that others have lost, with a link to a new one.
package struct StolenCredentialsMessage: Message {
    package static let kind = MessageKind.stolenCredentials
    package let url: String

    package init(url: String) { self.url = url }

    package var variables: JSONObject { ["url": .string(url)] }
}
