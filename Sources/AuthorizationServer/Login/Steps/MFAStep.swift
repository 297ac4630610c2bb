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
        // Whoever sits at a browser in which a factor was passed some time ago does not take factors away with that.
        if try await managesFactors() { return try await page(for: FactorDemand(.any), &progress) }
        if session.multiFactorAt != nil { return nil }
        if request.demandsMultiFactor { return try await page(for: FactorDemand(.any), &progress) }
        guard try await services.configuration.sections().multiFactor.isAlwaysRequired else { return nil }
        return try await page(for: FactorDemand(.any, allowsRememberedBrowser: true), &progress)
    }

    /// Whether the tokens manage the second factors of a user who has some: whoever has the password alone gets none.
    private func managesFactors() async throws -> Bool {
        guard request.resourceServer?.resourceServer.identifier == services.issuer.mfaAudience else { return false }
        return try await SecondFactors(services: services).mustBePassed(by: session.userID, session.connection)
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
        let settings = try await services.configuration.sections().multiFactor
        let factors = SecondFactors(services: services)
        let enrolled = try await factors.enrolled(session.userID)
        let firstFactor = try await factors.firstFactor(session.connection)
        let isMet = demand.isMet(by: factor.passed, of: enrolled.possible(settings, after: firstFactor))
        if isMet { return nil }
        if try await isRemembered(for: demand, enrolled, settings) { return nil }
        let choice = try FactorChoice(demand, of: enrolled, settings, passed: factor.passed, after: firstFactor)
        let page: AuthorizationOutcome.LoginPage
        switch choice {
        case .met: return nil
        case .challenge(let names):
            page = Self.page(names.first)
            (factor.sealedSecret, factor.pendingNumber) = (nil, nil)
        case .enroll(let names):
            page = names.first == MultiFactorSettings.Factor.otp.methodType ? .mfaOTPEnrollment : .mfaSMSEnrollment
            if factor.sealedSecret == nil { factor.sealedSecret = try factors.newSealedSecret() }
        }
        factor.demand = demand
        progress.factor = factor
        return page
    }

    private static func page(_ name: String?) -> AuthorizationOutcome.LoginPage {
        switch name.flatMap(MultiFactorSettings.Factor.init(methodType:)) {
        case .otp, nil: .mfaOTPChallenge
        case .sms: .mfaSMSChallenge
        case .email: .mfaEmailChallenge
        case .recoveryCode: .mfaRecoveryCodeChallenge
        }
    }

    /// How far the user of this session is; nobody else's progress counts.
    private func present(_ progress: LoginTransaction.Progress) -> FactorProgress? {
        progress.factor.flatMap { $0.belongs(to: session) ? $0 : nil }
    }

    private func isNewCodeUnread(_ progress: LoginTransaction.Progress) -> Bool {
        present(progress)?.sealedRecoveryCode != nil
    }

    private func isRemembered(
        for demand: FactorDemand, _ enrolled: SecondFactors.Enrolled, _ settings: MultiFactorSettings
    ) async throws -> Bool {
        guard demand.allowsRememberedBrowser, !demand.ignoresRememberedBrowser, let remembered,
            // What was passed there has to be something that the user has and the tenant takes.
            enrolled.factors(settings).contains(where: { $0 != MultiFactorSettings.Factor.recoveryCode.methodType })
        else { return false }
        let (userID, now) = (session.userID, services.now())
        return try await services.stores.database.readOnce {
            try RememberedBrowserStore.isRemembered(digest: remembered.digest, of: userID, at: now, in: $0)
        }
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
