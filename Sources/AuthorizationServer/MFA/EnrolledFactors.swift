import Foundation
import OAuth
import Storage

extension SecondFactors {
    /// What a user has.
    struct Enrolled: Sendable, Equatable {
        var authenticator: Authenticator?
        var phone: PhoneAuthenticator?
        /// The user's e-mail address where it is verified: it needs no enrolment.
        var email: String?
        var recoveryCodeCreatedAt: Date?

        /// Whether the user has set up a factor, be it turned on or not.
        var hasOwn: Bool { authenticator != nil || phone != nil }

        /// The factors that the user can pass, those first that are safer: of those that the tenant has turned on, by the names
        /// that scripts know.
        /// - Parameter firstFactor: how the user has signed in; nil where that does not matter.
        func factors(_ settings: MultiFactorSettings, after firstFactor: FirstFactorChannel = .other) -> [String] {
            let has: [(MultiFactorSettings.Factor, Bool)] = [
                (.otp, authenticator != nil), (.sms, phone != nil && firstFactor != .sms),
                (.email, email != nil && firstFactor != .email),
                (.recoveryCode, hasOwn && recoveryCodeCreatedAt != nil),
            ]
            return has.filter { $1 && settings.isEnabled($0) }.map(\.0.methodType)
        }

        /// What the user can do.
        func possible(_ settings: MultiFactorSettings, after firstFactor: FirstFactorChannel) -> FactorDemand.Possible {
            let missing: [(MultiFactorSettings.Factor, Bool)] = [
                (.otp, authenticator == nil), (.sms, phone == nil && firstFactor != .sms),
            ]
            return FactorDemand.Possible(
                enrolled: factors(settings, after: firstFactor),
                enrollable: missing.filter { $1 && settings.isEnabled($0) }.map(\.0.methodType))
        }
    }

    /// What the first factor was read on, where it was a code or a link that was sent: the same again would be no second factor.
    enum FirstFactorChannel: Sendable {
        case email
        case sms
        /// A password, another provider.
        case other

        init(_ connection: Connection?) {
            switch connection?.strategy {
            case "email": self = .email
            case "sms": self = .sms
            default: self = .other
            }
        }
    }

    /// What a user has enrolled.
    static func enrolled(_ userID: String, in transaction: any SQLTransaction) throws -> Enrolled {
        let user = try UserStore.find(userID, in: transaction)
        return Enrolled(
            authenticator: try AuthenticatorStore.find(of: userID, in: transaction),
            phone: try PhoneAuthenticatorStore.find(of: userID, in: transaction),
            email: user.flatMap { $0.isEmailVerified ? $0.email : nil },
            recoveryCodeCreatedAt: try RecoveryCodeStore.createdAt(of: userID, in: transaction))
    }

    /// What a user has enrolled.
    func enrolled(_ userID: String) async throws -> Enrolled {
        try await services.stores.database.read { try Self.enrolled(userID, in: $0) }
    }

    /// Whether a user has a second factor, without which nobody manages the user's factors.
    /// - Parameter connection: the name of that which the user has signed in with.
    func mustBePassed(by userID: String, _ connection: String) async throws -> Bool {
        let enrolled = try await enrolled(userID)
        let settings = try await services.configuration.sections().multiFactor
        guard !enrolled.hasOwn else { return true }
        return try await !enrolled.factors(settings, after: firstFactor(connection)).isEmpty
    }

    /// What a user can do.
    /// - Parameter connection: the name of that which the user has signed in with.
    func possible(_ userID: String, _ connection: String) async throws -> FactorDemand.Possible {
        let settings = try await services.configuration.sections().multiFactor
        return try await enrolled(userID).possible(settings, after: firstFactor(connection))
    }

    /// What the user of a connection has read the first factor on.
    /// - Parameter connection: its name.
    func firstFactor(_ connection: String) async throws -> FirstFactorChannel {
        FirstFactorChannel(try await services.configuration.connections().first { $0.name == connection })
    }
}

/// What a demand for a second factor comes to for one user.
enum FactorChoice: Sendable, Equatable {
    /// Nothing is left to do.
    case met
    /// The user passes one of these, by the names that scripts know; the first is the one to offer.
    case challenge([String])
    /// The user enrols one of these.
    case enroll([String])

    /// - Parameters:
    ///   - passed: what the user has passed for this.
    ///   - firstFactor: how the user has signed in.
    /// - Throws: ``OAuthError`` `access_denied` where the user can neither pass nor enrol what is wanted.
    init(
        _ demand: FactorDemand, of enrolled: SecondFactors.Enrolled, _ settings: MultiFactorSettings,
        passed: [String], after firstFactor: SecondFactors.FirstFactorChannel
    ) throws(OAuthError) {
        let possible = enrolled.possible(settings, after: firstFactor)
        let usable = possible.enrolled
        if demand.isMet(by: passed, of: possible) {
            self = .met
            return
        }
        let wanted = { (name: String) in demand.factors?.contains(name) ?? true }
        // Whoever has a factor proves one before another one is added.
        let mayEnroll = demand.kind != .challenge && (usable.isEmpty && !enrolled.hasOwn || !passed.isEmpty)
        guard mayEnroll else {
            // Where one is to be enrolled, any of those that there are proves that it is the user.
            let offered = demand.kind == .enrollment ? usable : usable.filter(wanted)
            guard !offered.isEmpty else { throw Self.nothing(demand, enrolled) }
            self = .challenge(offered)
            return
        }
        let offered = possible.enrollable.filter(wanted)
        guard !offered.isEmpty else {
            throw Self.unavailable(
                "none of the factors \(Self.listed(demand.factors)) can be enrolled here (guardian factors: otp, sms)")
        }
        self = .enroll(offered)
    }

    private static func nothing(_ demand: FactorDemand, _ enrolled: SecondFactors.Enrolled) -> OAuthError {
        guard demand.kind == .challenge, !enrolled.hasOwn else {
            return unavailable("the user has none of the factors \(listed(demand.factors)) that is turned on")
        }
        return unavailable(
            "the user has not enrolled any factor, and a script asks for one that is enrolled "
                + "(use api.authentication.enrollWith for users without any)")
    }

    private static func listed(_ factors: [String]?) -> String {
        factors.map { $0.map(\.forDisplay).joined(separator: ", ") } ?? "of the tenant"
    }

    /// Nobody gets in where a factor is wanted and none can be given.
    private static func unavailable(_ cause: String) -> OAuthError {
        OAuthError(
            .accessDenied, "Multifactor authentication is required, and the user cannot do it here.",
            hint: "Multi-factor authentication: \(cause).")
    }
}
