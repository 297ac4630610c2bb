import OAuth
import Storage

/// Tells that nobody gets in from an address any more after too many failed logins, with a link that takes the block away.
package struct BlockedAccountMessage: Message {
    package static let kind = MessageKind.blockedAccount
    package let url: String
    /// Where the logins came from.
    package let address: String

    package init(url: String, address: String) { (self.url, self.address) = (url, address) }

    package var variables: JSONObject { ["url": .string(url)] }
    package var userVariables: JSONObject { ["source_ip": .string(address)] }
}
