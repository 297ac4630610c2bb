import OAuth
import Storage

/// Invites somebody to an organization.
package struct UserInvitationMessage: Message {
    package static let kind = MessageKind.userInvitation
    /// The application's login address with the invitation.
    package let url: String
    package let inviterName: String
    /// The names of the roles that come with it.
    package let roles: [String]

    package init(url: String, inviterName: String, roles: [String]) {
        (self.url, self.inviterName, self.roles) = (url, inviterName, roles)
    }

    package var variables: JSONObject {
        ["url": .string(url), "inviter": ["name": .string(inviterName)], "roles": JSONValue(roles)]
    }
}
