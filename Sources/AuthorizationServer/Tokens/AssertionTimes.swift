import Foundation
import OAuth

/// When an assertion of a client's may be used, [RFC 7523 §3](https://www.rfc-editor.org/rfc/rfc7523#section-3).
enum AssertionTimes {
    /// Seconds that an assertion is valid at most, and that two clocks may differ.
    private static let longestLifetime: TimeInterval = 300
    static let skew: TimeInterval = 10

    /// The end of an assertion that may be used now.
    /// - Parameter refused: makes the error from what is wrong.
    static func expiry(
        of claims: JSONObject, at now: Date, refused: (String) -> OAuthError
    ) throws(OAuthError) -> Date {
        guard let expiry = claims.date("exp") else { throw refused("it has no 'exp'") }
        guard expiry > now.addingTimeInterval(-skew) else { throw refused("it has expired") }
        guard expiry <= now.addingTimeInterval(longestLifetime + skew) else {
            throw refused("its 'exp' is more than \(Int(longestLifetime)) seconds ahead")
        }
        for name in ["iat", "nbf"] where claims[name] != nil {
            guard let date = claims.date(name), date <= now.addingTimeInterval(skew) else {
                throw refused("its '\(name)' is in the future")
            }
        }
        return expiry
    }
}
