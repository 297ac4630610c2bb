import OAuth
import Storage

/// The link to a new password.
package struct ResetEmailMessage: Message {
    package static let kind = MessageKind.resetEmail
    package let url: String

    package init(url: String) { self.url = url }

    package var variables: JSONObject { ["url": .string(url)] }
}
