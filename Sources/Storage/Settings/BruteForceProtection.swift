import OAuth

/// What happens after many failed logins of one identifier, with the names and defaults of Auth0's
/// `/api/v2/attack-protection/brute-force-protection`.
package struct BruteForceProtection: TenantSection {
    package static let name = "brute-force-protection"

    /// What is done about it.
    package enum Shield: String, Sendable, CaseIterable {
        case block
        case userNotification = "user_notification"
    }

    /// What is counted.
    package enum Mode: String, Sendable, CaseIterable {
        /// An identifier from one address: somebody else's guesses do not lock its owner out.
        case identifierAndIP = "count_per_identifier_and_ip"
        /// An identifier, wherever the attempts come from: locks the account.
        case identifier = "count_per_identifier"
    }

    package var isEnabled = true
    package var shields: [Shield] = [.block, .userNotification]
    package var mode = Mode.identifierAndIP
    /// Addresses whose attempts are not counted.
    package var allowlist: [AddressRange] = []
    /// Failures in a row until the block; nil leaves it to the tenant's `brute_force_max_attempts`.
    package var mostAttempts: Int?
    /// Logins of one identifier from one address, right or wrong. Auth0 lets nobody set it; here it is
    /// `portico_same_user`, and not shown where it is as there.
    package var sameUser = Self.standardSameUser
    private static let standardSameUser = SuspiciousIPThrottling.Allowance(most: 20, rate: 6000)
    /// Auth0's other settings, kept and given back.
    package var other: JSONObject = [:]

    package init() {}

    package init(document: Document) throws(Document.Problem) {
        var document = document
        isEnabled = try document.bool("enabled", default: true)
        shields = try document.choices("shields", Shield.self) ?? shields
        mode = try document.oneOf("mode", Mode.self) ?? .identifierAndIP
        allowlist = try document.addresses("allowlist")
        mostAttempts = try document.integer("max_attempts", in: 1...100)
        if var allowance = try document.document("portico_same_user") {
            sameUser = try SuspiciousIPThrottling.Allowance(from: &allowance, standard: sameUser)
        }
        other = try document.remaining(known: ["form_submission_mode"])
    }

    package var document: JSONObject {
        var members = other
        members["enabled"] = .bool(isEnabled)
        members["shields"] = JSONValue(shields.map(\.rawValue))
        members["mode"] = .string(mode.rawValue)
        members["allowlist"] = JSONValue(allowlist.map(\.text))
        members["max_attempts"] = mostAttempts.map { .integer(Int64($0)) }
        if sameUser != Self.standardSameUser { members["portico_same_user"] = sameUser.json }
        return members
    }

    /// Whether an attempt from the address is counted, and refused after too many.
    package func blocks(_ address: String?) -> Bool {
        isEnabled && shields.contains(.block) && !allowlist.contains(address)
    }
}

extension Document {
    /// A list of an enumeration's values, each once.
    mutating func choices<T: RawRepresentable & CaseIterable & Hashable>(
        _ name: String, _ type: T.Type
    ) throws(Problem) -> [T]? where T.RawValue == String {
        guard let texts = try strings(name) else { return nil }
        var choices: [T] = []
        for (index, text) in texts.enumerated() {
            guard let choice = T(rawValue: text) else {
                let values = T.allCases.map(\.rawValue).joined(separator: ", ")
                throw problem("\(name)[\(index)]", "'\(text.forDisplay)' is none of \(values)")
            }
            if !choices.contains(choice) { choices.append(choice) }
        }
        return choices
    }

    /// A list of IP addresses and CIDR ranges; 100 at most, as at Auth0.
    mutating func addresses(_ name: String) throws(Problem) -> [AddressRange] {
        let texts = try strings(name) ?? []
        guard texts.count <= 100 else { throw problem(name, "must be 100 addresses at most") }
        var ranges: [AddressRange] = []
        for (index, text) in texts.enumerated() {
            guard let range = AddressRange(text) else {
                throw problem("\(name)[\(index)]", "must be an IP address or a CIDR range such as 192.0.2.0/24")
            }
            ranges.append(range)
        }
        return ranges
    }
}

extension [AddressRange] {
    /// Whether an address is in one of the ranges; one that nobody knows is in none.
    func contains(_ address: String?) -> Bool {
        guard let bytes = address.flatMap(IPAddress.bytes) else { return false }
        return contains { $0.contains(bytes) }
    }
}
