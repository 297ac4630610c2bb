import Foundation

/// Points in time as SAML writes them (Core §1.3.3): UTC, with a `Z`.
enum Instant {
    static func text(_ date: Date) -> String {
        Date(timeIntervalSince1970: date.timeIntervalSince1970.rounded(.down)).formatted(.iso8601)
    }

    /// - Returns: nil for what is none. Fractions of seconds, of whatever length, are left out.
    static func date(_ text: String) -> Date? {
        guard
            let match = text.wholeMatch(
                of: /(\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d)(?:\.\d{1,12})?(?:Z|\+00:00)/)
        else {
            return nil
        }
        return try? Date("\(match.1)Z", strategy: .iso8601)
    }
}
