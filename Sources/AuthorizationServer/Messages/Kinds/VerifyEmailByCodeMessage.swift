import OAuth
import Storage

/// Asks whoever signed up to prove that the address is theirs, by a code.
package struct VerifyEmailByCodeMessage: Message {
    package static let kind = MessageKind.verifyEmailByCode
    package let code: String

    package init(code: String) { self.code = code }

    package var variables: JSONObject { ["code": .string(code)] }
}
