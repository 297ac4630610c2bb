import Foundation
import OAuth

/// How much one address may fail at, whoever it tries to be, with the names and defaults of Auth0's
/// `/api/v2/attack-protection/suspicious-ip-throttling`.
package struct SuspiciousIPThrottling: TenantSection {
    package static let name = "suspicious-ip-throttling"

    /// What is done about it. Administrators are told by the log: `admin_notification` is kept and given back.
    package enum Shield: String, Sendable, CaseIterable {
        case adminNotification = "admin_notification"
        case block
    }

    /// What is counted.
    package enum Stage: String, Sendable, CaseIterable {
        /// Failed logins.
        case login = "pre-login"
        /// Sign-ups, failed or not.
        case signup = "pre-user-registration"
        /// Failed token exchanges.
        case tokenExchange = "pre-custom-token-exchange"

        /// The name under which an address is counted.
        package func subject(_ address: String) -> String { "\(rawValue) \(address)" }
    }

    /// How many at once, and how fast they come back.
    package struct Allowance: Sendable, Hashable {
        package var most: Int
        /// Milliseconds until one more is allowed.
        package var rate: Int

        package init(most: Int, rate: Int) { (self.most, self.rate) = (most, rate) }

        /// - Throws: ``Document/Problem`` for a member that is unknown or has a wrong value.
        init(from document: inout Document, standard: Allowance) throws(Document.Problem) {
            most = try document.integer("max_attempts", in: 1...1_000_000) ?? standard.most
            rate = try document.integer("rate", in: 1...86_400_000) ?? standard.rate
            _ = try document.remaining(known: [])
        }

        var json: JSONValue { ["max_attempts": .integer(Int64(most)), "rate": .integer(Int64(rate))] }

        /// Seconds until one more is allowed.
        package var interval: TimeInterval { Double(rate) / 1000 }
    }

    package var isEnabled = true
    package var shields: [Shield] = [.adminNotification, .block]
    package var allowlist: [AddressRange] = []
    private var stages: [Stage: Allowance] = [
        .login: Allowance(most: 100, rate: 864_000), .signup: Allowance(most: 50, rate: 1200),
        .tokenExchange: Allowance(most: 10, rate: 600_000),
    ]

    package init() {}

    package init(document: Document) throws(Document.Problem) {
        var document = document
        isEnabled = try document.bool("enabled", default: true)
        shields = try document.choices("shields", Shield.self) ?? shields
        allowlist = try document.addresses("allowlist")
        if var stage = try document.document("stage") {
            for (name, standard) in stages.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                guard var allowance = try stage.document(name.rawValue) else { continue }
                stages[name] = try Allowance(from: &allowance, standard: standard)
            }
            _ = try stage.remaining(known: [])
        }
        _ = try document.remaining(known: [])
    }

    package var document: JSONObject {
        let stage = stages.map { name, allowance in (name.rawValue, allowance.json) }
        return [
            "enabled": .bool(isEnabled), "shields": JSONValue(shields.map(\.rawValue)),
            "allowlist": JSONValue(allowlist.map(\.text)), "stage": .object(JSONObject(uniqueKeysWithValues: stage)),
        ]
    }

    /// What an address may do; nil where nothing is counted.
    package func allowance(_ stage: Stage, _ address: String?) -> Allowance? {
        guard isEnabled, shields.contains(.block), !allowlist.contains(address) else { return nil }
        return stages[stage]
    }
}
