/// A search filter (RFC 4515) with a place, `{0}`, for what somebody typed.
package struct DirectoryFilter: Sendable, Hashable {
    /// The filter as it was configured.
    package let template: String

    /// What stands for the text that is looked for, as in Auth0's connector.
    package static let place = "{0}"

    /// What is wrong with a filter.
    package struct Problem: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// - Throws: ``Problem`` where `template` has no place, or is not in one pair of parentheses.
    package init(_ template: String) throws(Problem) {
        guard template.contains(Self.place) else {
            throw Problem(description: "must have {0} where the user's name is put, such as (uid={0})")
        }
        var depth = 0
        for (offset, character) in template.enumerated() {
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
            guard depth > 0 || offset == template.count - 1 else { depth = -1; break }
        }
        guard depth == 0, template.utf8.allSatisfy({ $0 >= 0x20 }) else {
            throw Problem(description: "must be one filter in parentheses, such as (|(uid={0})(mail={0}))")
        }
        self.template = template
    }

    /// - Parameter template: one that is written in the program.
    package init(trusted template: String) { self.template = template }

    /// The filter that looks for `text`, which cannot change what the filter is.
    package func matching(_ text: String) -> String {
        template.split(separator: Self.place, omittingEmptySubsequences: false).joined(separator: Self.escaped(text))
    }

    /// `text` as an assertion value (RFC 4515 §3): every byte that is not plainly harmless as `\xx`.
    package static func escaped(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "@"), UInt8(ascii: "="), UInt8(ascii: ","), UInt8(ascii: " "):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16)
                result += "\\" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return result
    }
}
