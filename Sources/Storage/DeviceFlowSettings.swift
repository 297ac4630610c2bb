import OAuth

/// The tenant's `device_flow`: how the codes look that users type on another device.
package struct DeviceFlowSettings: Sendable, Hashable {
    package var charset = Charset.base20
    /// `*` stands for a character of the charset; hyphens and spaces make the code easier to read.
    package var mask = "****-****"

    /// The characters of a user code.
    package enum Charset: String, Sendable, CaseIterable {
        /// Consonants: no two look alike, and they spell no words (RFC 8628 §6.1).
        case base20
        case digits

        package var characters: [Character] {
            switch self {
            case .base20: Array("BCDFGHJKLMNPQRSTVWXZ")
            case .digits: Array("0123456789")
            }
        }

        /// The characters that a code has at least, so that guessing leads nowhere within its lifetime (§5.1).
        fileprivate var fewest: Int { self == .base20 ? 8 : 9 }
        fileprivate var standardMask: String { self == .base20 ? "****-****" : "***-***-***" }
    }

    package init() {}

    /// The number of characters without hyphens and spaces.
    package var length: Int { mask.count { $0 == "*" } }

    /// - Throws: ``Document/Problem`` for the first member that is unknown or has a wrong value.
    package init(document: Document) throws(Document.Problem) {
        var document = document
        charset = try document.oneOf("charset", Charset.self) ?? .base20
        mask = try document.string("mask") ?? charset.standardMask
        _ = try document.remaining(known: [])
        guard mask.allSatisfy({ "*- ".contains($0) }), mask.count <= 20, length >= charset.fewest else {
            throw document.problem(
                "mask",
                "must have \(charset.fewest) or more '*', and at most 20 characters, which are '*', '-' or a space")
        }
    }

    package var document: JSONObject { ["charset": .string(charset.rawValue), "mask": .string(mask)] }
}
