import OAuth
import Storage

/// The code that a login asks for as the second factor.
package struct MFAOutOfBandCodeMessage: Message {
    package static let kind = MessageKind.mfaOutOfBandCode
    package let code: String

    package init(code: String) { self.code = code }

    package var variables: JSONObject { ["code": .string(code)] }
}
