import OAuth

/// Which second factors the tenant has, and whether every login needs one: Auth0's `guardian`.
package struct MultiFactorSettings: TenantSection {
    package static let name = "guardian"

    /// A factor that the server has, by Auth0's name.
    package enum Factor: String, Sendable, CaseIterable {
        /// One-time codes of an app.
        case otp
        /// A code for users who have lost their app.
        case recoveryCode = "recovery-code"
    }

    /// Auth0's other factors, which are always off.
    package static let foreignFactors = [
        "duo", "email", "push-notification", "sms", "webauthn-platform", "webauthn-roaming",
    ]
    private static let everywhere = "all-applications"

    private var disabled: Set<String> = []
    /// Whether every login needs a second factor.
    package var isAlwaysRequired = false

    package init() {}

    package init(document: Document) throws(Document.Problem) {
        var document = document
        let factors = try document.object("factors") ?? [:]
        for (name, value) in factors.sorted(by: { $0.key < $1.key }) {
            let path = document.path(of: "factors.\(name)")
            guard let isEnabled = value.bool else {
                throw Document.Problem(path: path, message: "must be true or false")
            }
            try set(name, isEnabled, path: path)
        }
        let path = document.path(of: "policies")
        for policy in try document.strings("policies") ?? [] {
            switch policy {
            case Self.everywhere: isAlwaysRequired = true
            case "confidence-score":
                throw Document.Problem(path: path, message: "this version does not have confidence-score")
            default: throw Document.Problem(path: path, message: "must be [] or [\"\(Self.everywhere)\"]")
            }
        }
        _ = try document.remaining(known: [])
    }

    package var document: JSONObject {
        [
            "factors": .object(
                Dictionary(uniqueKeysWithValues: Factor.allCases.map { ($0.rawValue, .bool(isEnabled($0))) })),
            "policies": JSONValue(policies),
        ]
    }

    /// Auth0's `policies`.
    package var policies: [String] { isAlwaysRequired ? [Self.everywhere] : [] }

    /// Whether users may enrol the factor and pass it.
    package func isEnabled(_ factor: Factor) -> Bool { !disabled.contains(factor.rawValue) }

    /// Turns a factor on or off.
    /// - Parameter path: where that stands.
    /// - Throws: ``Document/Problem`` for a factor that the server does not have and that is to be on, or for none at all.
    package mutating func set(_ name: String, _ isEnabled: Bool, path: String) throws(Document.Problem) {
        if Factor(rawValue: name) != nil {
            if isEnabled { disabled.remove(name) } else { disabled.insert(name) }
        } else if Self.foreignFactors.contains(name) {
            guard !isEnabled else {
                throw Document.Problem(path: path, message: "this version does not have the factor \(name)")
            }
        } else {
            throw Document.Problem(path: path, message: "there is no factor \(name.forDisplay)")
        }
    }
}
