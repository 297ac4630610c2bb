import OAuth
import Storage

/// Greets who has verified their address.
package struct WelcomeEmailMessage: Message {
    package static let kind = MessageKind.welcomeEmail

    package init() {}
}
