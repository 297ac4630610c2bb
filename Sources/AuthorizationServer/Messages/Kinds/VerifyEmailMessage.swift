import OAuth
import Storage

/// Asks whoever signed up to prove that the address is theirs, by a link.
package struct VerifyEmailMessage: Message {
    package static let kind = MessageKind.verifyEmail
    package let url: String

    package init(url: String) { self.url = url }

    package var variables: JSONObject { ["url": .string(url)] }
}
