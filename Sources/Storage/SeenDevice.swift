import Foundation
import OAuth

/// From where somebody used a session or a refresh token: what a request tells of it.
package struct SeenDevice: Sendable, Hashable, Codable {
    package let ip: String?
    package let userAgent: String?
    /// The autonomous system of the address, as `AS64500`; nil where nobody knows.
    package let asn: String?

    /// Bytes of a browser's name that are kept at most.
    private static let longestName = 1024

    /// - Returns: nil where nothing is known.
    package init?(ip: String?, userAgent: String?, asn: String? = nil) {
        guard ip != nil || userAgent != nil else { return nil }
        (self.ip, self.asn) = (ip, asn)
        self.userAgent = userAgent.map { String(decoding: $0.utf8.prefix(Self.longestName), as: UTF8.self) }
    }
}

/// How the cookie of a session is kept, by Auth0's names.
package enum CookieMode: String, Sendable, Codable {
    /// Until the session ends.
    case persistent
    /// Until the browser is closed.
    case nonPersistent = "non-persistent"
}

/// A method of a tenant's own by which a user proved something, as an action has recorded it.
package struct RecordedMethod: Sendable, Hashable, Codable {
    /// An address that stands for it.
    package let name: String
    package let timestamp: Date

    package init(name: String, timestamp: Date) { (self.name, self.timestamp) = (name, timestamp.storable) }
}

extension SQLRow {
    /// The device in a column; nil for none.
    func device(_ name: String) throws -> SeenDevice? { optionalText(name) == nil ? nil : try json(name) }
}
