import OAuth
import Storage

/// The code or the link of a login without a password.
package struct PasswordlessMessage: Message {
    package static let kind = MessageKind.passwordless
    /// What proves the login.
    package enum Proof: Sendable {
        case code(String)
        case link(String)
    }

    package let proof: Proof
    /// The connection's own (`options.email`); nil for the standard one.
    package let template: EmailTemplate?

    package init(_ proof: Proof, template: EmailTemplate? = nil) { (self.proof, self.template) = (proof, template) }

    package var variables: JSONObject {
        switch proof {
        case .code(let code): ["code": .string(code), "send": "code", "operation": .null]
        case .link(let link): ["link": .string(link), "url": .string(link), "send": "link", "operation": .null]
        }
    }
}
