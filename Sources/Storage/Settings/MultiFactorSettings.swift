import OAuth

/// Which second factors the tenant has, and whether every login needs one: Auth0's `guardian`.
package struct MultiFactorSettings: TenantSection {
    package static let name = "guardian"

    /// A factor that the server has, by Auth0's name.
    package enum Factor: String, Sendable, CaseIterable {
        /// One-time codes of an app.
        case otp
        /// Codes that are sent to an enrolled phone.
        case sms
        /// Codes that are sent to the user's verified e-mail address.
        case email
        /// A code for users who have lost what they have enrolled.
        case recoveryCode = "recovery-code"

        /// What scripts and the MFA API call it: a phone is one whichever way the codes take.
        package var methodType: String { self == .sms ? "phone" : rawValue }

        /// The factor that scripts and the MFA API call so; nil for one that the server does not have.
        package init?(methodType: String) {
            guard let found = Self.allCases.first(where: { $0.methodType == methodType }) else { return nil }
            self = found
        }
    }

    /// Auth0's other factors, which are always off.
    package static let foreignFactors = ["duo", "push-notification", "webauthn-platform", "webauthn-roaming"]
    private static let everywhere = "all-applications"

    private var enabled: Set<Factor> = [.otp, .recoveryCode]
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
    package func isEnabled(_ factor: Factor) -> Bool { enabled.contains(factor) }

    /// Why the factor sms is not turned on.
    package static let needsTextMessages =
        "needs a connection of the strategy sms, whose gateway (options.twilio_sid and twilio_token, or provider sms_gateway "
        + "and gateway_url) sends the codes: make one first"

    /// Turns a factor on or off.
    /// - Parameter path: where that stands.
    /// - Throws: ``Document/Problem`` for a factor that the server does not have and that is to be on, or for none at all.
    package mutating func set(_ name: String, _ isEnabled: Bool, path: String) throws(Document.Problem) {
        if let factor = Factor(rawValue: name) {
            if isEnabled { enabled.insert(factor) } else { enabled.remove(factor) }
        } else if Self.foreignFactors.contains(name) {
            guard !isEnabled else {
                throw Document.Problem(path: path, message: "this version does not have the factor \(name)")
            }
        } else {
            throw Document.Problem(path: path, message: "there is no factor \(name.forDisplay)")
        }
    }
}
