import OAuth
import Storage

/// The code for a new password.
package struct ResetEmailByCodeMessage: Message {
    package static let kind = MessageKind.resetEmailByCode
    package let code: String

    package init(code: String) { self.code = code }

    package var variables: JSONObject { ["code": .string(code)] }
}
