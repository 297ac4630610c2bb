import Foundation
import OAuth

/// The filter `date`: times in UTC, as `strftime` writes them in English.
enum LiquidDate {
    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    private static let days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

    /// The years 1 to 9999, which calendars can count.
    private static let known = -62_135_596_800.0..<253_402_300_800.0

    /// - Parameter value: `now`, `today`, a time as ISO 8601 writes it, or seconds since 1970.
    /// - Returns: nil for a value that is no time.
    static func text(of value: JSONValue, format: String, now: Date) -> String? {
        guard let date = date(value, now: now), known.contains(date.timeIntervalSince1970),
            let utc = TimeZone(identifier: "UTC")
        else { return nil }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = utc
        let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second, .weekday], from: date)
        var (text, rest) = ("", Substring(format))
        while let first = rest.popFirst() {
            guard first == "%", let letter = rest.popFirst() else {
                text.append(first)
                continue
            }
            text += component(letter, parts) ?? "%\(letter)"
        }
        return text
    }

    private static func date(_ value: JSONValue, now: Date) -> Date? {
        if let seconds = value.double { return Date(timeIntervalSince1970: seconds) }
        guard let text = value.string else { return nil }
        if ["now", "today"].contains(text) { return now }
        return (try? Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(text))
            ?? (try? Date.ISO8601FormatStyle().parse(text))
            ?? (try? Date.ISO8601FormatStyle().year().month().day().parse(text))
    }

    private static func component(_ letter: Character, _ parts: DateComponents) -> String? {
        func digits(_ number: Int?) -> String { (number ?? 0) < 10 ? "0\(number ?? 0)" : "\(number ?? 0)" }
        let month = months[((parts.month ?? 1) - 1) % 12]
        let day = days[((parts.weekday ?? 1) - 1) % 7]
        let hour = parts.hour ?? 0
        return switch letter {
        case "Y": "\(parts.year ?? 0)"
        case "y": digits((parts.year ?? 0) % 100)
        case "m": digits(parts.month)
        case "d": digits(parts.day)
        case "e": "\(parts.day ?? 0)"
        case "H": digits(hour)
        case "I": digits(hour % 12 == 0 ? 12 : hour % 12)
        case "M": digits(parts.minute)
        case "S": digits(parts.second)
        case "p": hour < 12 ? "AM" : "PM"
        case "B": month
        case "b": String(month.prefix(3))
        case "A": day
        case "a": String(day.prefix(3))
        case "F": "\(parts.year ?? 0)-\(digits(parts.month))-\(digits(parts.day))"
        case "%": "%"
        default: nil
        }
    }
}
