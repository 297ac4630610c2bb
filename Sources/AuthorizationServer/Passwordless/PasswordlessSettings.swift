import OAuth
import Storage

/// The options of a connection whose users prove that they can read what is sent to their address.
package struct PasswordlessSettings: Sendable {
    /// How a code reaches its user.
    package enum Channel: Sendable {
        /// - Parameter template: the connection's own; nil for the tenant's or the standard one.
        case email(template: EmailTemplate?)
        case sms(SMSGateway)
    }

    package let channel: Channel
    /// Digits of a code: Auth0's `totp.length`.
    package let length: Int
    /// Seconds for which a code is good: Auth0's `totp.time_step`.
    package let lifetime: Int
    /// Whether strangers become users.
    package let allowsSignup: Bool
    /// Whether the sign-in page sends links, not codes: Portico's `portico_send`. At Auth0 the page's own script says which.
    package let sendsLinks: Bool

    /// What the sign-in page sends, in the words of `send` at `/passwordless/start`.
    private enum Sent: String, CaseIterable { case code, link }

    /// - Throws: ``Document/Problem`` for a length that is guessed too easily, or a lifetime that is too long.
    package init(_ channel: Channel, _ options: inout Document) throws(Document.Problem) {
        self.channel = channel
        var codes = try options.document("totp")
        length = try codes?.integer("length", in: 6...12) ?? 6
        lifetime = try codes?.integer("time_step", in: 60...1800) ?? 180
        allowsSignup = try !options.bool("disable_signup", default: false)
        sendsLinks = try options.oneOf("portico_send", Sent.self) == .link
        if case .sms = channel, sendsLinks { throw options.problem("portico_send", "must be code for text messages") }
    }

    /// Who an address is, as it is compared: nil for none of the channel's.
    func address(_ sent: String) -> String? {
        switch channel {
        case .email: return EmailAddress(sent)?.text
        case .sms: return PhoneNumber.e164(sent)
        }
    }

    /// The member of Auth0's requests that holds the address.
    var parameter: String {
        switch channel {
        case .email: "email"
        case .sms: "phone_number"
        }
    }
}
