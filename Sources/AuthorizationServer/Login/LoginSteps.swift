import OAuth
import Storage

/// What an authorization request needs before it is answered, in the order in which it is asked. Steps never lead to one
/// another: the first with something to ask wins, and every answer comes back here.
enum LoginSteps {
    enum Next: Sendable {
        case ask(AuthorizationOutcome.LoginPage)
        case done(RequestedAccess, Session)
    }

    static func next(
        for request: VerifiedAuthorizationRequest, _ session: Session?,
        _ progress: LoginTransaction.Progress, _ services: Services, _ trail: LogTrail
    ) async throws -> Next {
        let authentication = AuthenticationStep(request: request, progress: progress, now: services.now())
        guard let session else { return .ask(authentication.login) }
        if let page = try await authentication.page(for: session, services.configuration) { return .ask(page) }
        try await request.organization?.admit(session, services)
        // They may change what is granted, so they come before the user is asked for it.
        try await ScriptRunning(services: services).run(at: .postLogin, trail: trail)
        let access = try await RequestedAccess.resolve(
            request.request.scope, client: request.client, resourceServer: request.resourceServer,
            userID: session.userID, organizationID: request.organization?.organization.id, stores: services.stores)
        let consent = ConsentStep(request: request, progress: progress, access: access)
        if try await consent.mustAsk(session.userID, services.stores) { return .ask(.consent) }
        return .done(access, session)
    }
}
