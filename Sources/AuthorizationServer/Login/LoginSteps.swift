import OAuth
import Storage

/// What an authorization request needs before it is answered, in the order in which it is asked. Steps never lead to one
/// another: the first with something to ask wins, and every answer comes back here.
enum LoginSteps {
    enum Next: Sendable {
        case ask(AuthorizationOutcome.LoginPage)
        /// The user goes somewhere else, and comes back to `/continue`.
        case leave(url: String)
        case done(VerifiedAuthorizationRequest, RequestedAccess, Session)
    }

    /// How the user comes to the steps.
    struct Visit: Sendable {
        /// The `state` of the transaction that waits; nil where none does yet.
        var state: Secret?
        /// What the user brings back from where a script had sent them; nil where they come from elsewhere.
        var returned: Parameters?
        /// What the browser shows for having been remembered; nil for nothing.
        var remembered: Secret?
    }

    /// - Parameter progress: what the user has answered so far; it learns what follows without a question.
    static func next(
        for sent: VerifiedAuthorizationRequest, _ session: Session?,
        _ progress: inout LoginTransaction.Progress, _ services: Services, _ trail: LogTrail, visit: Visit = Visit()
    ) async throws -> Next {
        var request = sent
        if request.organizations.question == .beforeLogin { return .ask(.organization) }
        let authentication = AuthenticationStep(request: request, progress: progress, now: services.now())
        guard let session else { return .ask(authentication.login) }
        if let page = try await authentication.page(for: session, services.configuration) { return .ask(page) }
        // Whoever has yet to pass a second factor learns nothing of the user, such as where they belong.
        let factors = MFAStep(request: request, session: session, services: services, remembered: visit.remembered)
        if let page = try await factors.page(&progress) { return .ask(page) }
        if request.organizations.question == .afterLogin {
            let step = OrganizationStep(client: request.client, services: services)
            guard let choice = try await step.onlyChoice(session) else {
                progress.pickerSessionDigest = session.digest
                return .ask(.organizationPicker)
            }
            progress.organizationChoice = choice
            request.organizations = try await RequestedOrganization(
                request.request, by: request.client, progress, services)
        }
        try await request.organization?.admit(session, services, trail)
        // They may change what is granted, so they come before the user is asked for it.
        let scripts = ScriptStep(request: request, session: session, services: services, trail: trail, visit: visit)
        let changes: ScriptChanges?
        switch try await scripts.run(&progress, factors) {
        case .ask(let page): return .ask(page)
        case .leave(let url): return .leave(url: url)
        case .became(let other):
            // Everything that was asked before was about somebody else: the list begins anew. What the scripts have come to stands,
            // and what the user has brought back was theirs to read.
            var visit = visit
            visit.returned = nil
            trail.note(other)
            return try await next(for: sent, other, &progress, services, trail, visit: visit)
        case .done(let result): changes = result
        }
        let access = try await RequestedAccess.resolve(
            request.scope(targeted: changes), client: request.client, resourceServer: request.resourceServer,
            userID: session.userID, organizationID: request.organization?.organization.id, stores: services.stores
        ).changed(by: changes)
        let consent = ConsentStep(request: request, progress: progress, access: access)
        if try await consent.mustAsk(session.userID, services.stores) {
            progress.consentSessionDigest = session.digest
            return .ask(.consent)
        }
        return .done(request, access, session)
    }
}
