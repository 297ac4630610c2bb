import OAuth
import Storage

/// Asks for a second factor, where the tenant, the request or a script wants one that has not been passed.
struct MFAStep: Sendable {
    let request: VerifiedAuthorizationRequest
    let session: Session
    let services: Services
    /// What the browser shows for having been remembered; nil for nothing.
    let remembered: Secret?

    /// What has to be asked before any script runs: what the request wants, else what the tenant does. A factor that was passed in
    /// the session is enough for both, and a browser that was remembered for the tenant.
    /// - Parameter progress: how far the user is; it learns what is asked.
    /// - Throws: ``OAuthError`` `access_denied` where no factor can be given.
    func page(_ progress: inout LoginTransaction.Progress) async throws -> AuthorizationOutcome.LoginPage? {
        if isNewCodeUnread(progress) { return .mfaRecoveryCodeEnrollment }
        if session.multiFactorAt != nil { return nil }
        if request.demandsMultiFactor { return try await page(for: FactorDemand(.any), &progress) }
        guard try await services.configuration.sections().multiFactor.isAlwaysRequired else { return nil }
        return try await page(for: FactorDemand(.any, allowsRememberedBrowser: true), &progress)
    }

    /// What has to be asked for a demand to be met: in this transaction, whatever happened in the session before.
    /// - Parameter progress: how far the user is; it learns what is asked.
    /// - Returns: nil where the demand is met.
    /// - Throws: ``OAuthError`` `access_denied` where it cannot be.
    func page(
        for demand: FactorDemand, _ progress: inout LoginTransaction.Progress
    ) async throws -> AuthorizationOutcome.LoginPage? {
        if isNewCodeUnread(progress) { return .mfaRecoveryCodeEnrollment }
        var factor = present(progress) ?? FactorProgress(session)
        if demand.isMet(by: factor.passed) { return nil }
        let settings = try await services.configuration.sections().multiFactor
        if settings.isEnabled(.otp), try await isRemembered(for: demand) { return nil }
        let factors = SecondFactors(services: services)
        let enrolled = try await factors.enrolled(session.userID)
        let page: AuthorizationOutcome.LoginPage
        if enrolled.authenticator != nil {
            page = try Self.challenge(demand, enrolled.factors(settings))
            factor.sealedSecret = nil
        } else {
            try Self.checkEnrollment(demand, settings)
            page = .mfaOTPEnrollment
            if factor.sealedSecret == nil { factor.sealedSecret = try factors.newSealedSecret() }
        }
        factor.demand = demand
        progress.factor = factor
        return page
    }

    /// How far the user of this session is; nobody else's progress counts.
    private func present(_ progress: LoginTransaction.Progress) -> FactorProgress? {
        progress.factor.flatMap { $0.belongs(to: session) ? $0 : nil }
    }

    private func isNewCodeUnread(_ progress: LoginTransaction.Progress) -> Bool {
        present(progress)?.sealedRecoveryCode != nil
    }

    private func isRemembered(for demand: FactorDemand) async throws -> Bool {
        guard demand.allowsRememberedBrowser, !demand.ignoresRememberedBrowser, let remembered else { return false }
        let (userID, now) = (session.userID, services.now())
        return try await services.stores.database.readOnce {
            try RememberedBrowserStore.isRemembered(digest: remembered.digest, of: userID, at: now, in: $0)
        }
    }

    /// The page for a user who has a factor: the app's code where that will do, else the recovery code.
    private static func challenge(
        _ demand: FactorDemand, _ enrolled: [String]
    ) throws(OAuthError) -> AuthorizationOutcome.LoginPage {
        // Whoever has a factor proves it before another one would be added.
        let wanted = demand.kind == .enrollment ? nil : demand.factors
        let usable = enrolled.filter { wanted?.contains($0) ?? true }
        if usable.contains(MultiFactorSettings.Factor.otp.rawValue) { return .mfaOTPChallenge }
        if usable.contains(MultiFactorSettings.Factor.recoveryCode.rawValue) { return .mfaRecoveryCodeChallenge }
        throw unavailable("the user has none of the factors \(listed(wanted)) that is turned on")
    }

    private static func checkEnrollment(_ demand: FactorDemand, _ settings: MultiFactorSettings) throws(OAuthError) {
        guard demand.kind != .challenge else {
            throw unavailable(
                "the user has not enrolled any factor, and a script asks for one that is enrolled "
                    + "(use api.authentication.enrollWith for users without any)")
        }
        guard demand.factors?.contains(MultiFactorSettings.Factor.otp.rawValue) ?? true else {
            throw unavailable("this server enrols otp alone, and a script asks for \(listed(demand.factors))")
        }
        guard settings.isEnabled(.otp) else {
            throw unavailable("the tenant has turned the factor otp off (guardian factors)")
        }
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

extension VerifiedAuthorizationRequest {
    /// Whether the application wants a second factor: by `acr_values`, or by the claim `acr` (OpenID Connect Core §3.1.2.1, §5.5.1.1).
    /// A device asks for nothing itself, and its application's standing wish counts.
    var demandsMultiFactor: Bool {
        let values = (request.parameters["acr_values"] ?? "").split(separator: " ").map(String.init)
        let standing = isForDevice ? client.openID.defaultACRValues : []
        let claimed = request.claims?.idToken["acr"]?.values.compactMap(\.string) ?? []
        return (values + standing + claimed).contains(SecondFactors.context)
    }
}
