import Foundation
import OAuth
import Storage

/// The tenant's scripts as a step of a login in a browser. They run once in a transaction, however many pages follow.
struct ScriptStep: Sendable {
    let request: VerifiedAuthorizationRequest
    let session: Session
    let services: Services
    let trail: LogTrail
    /// The transaction that waits, where there is one, and what the user has brought back from where a script had sent them.
    let visit: LoginSteps.Visit

    /// What the scripts have come to.
    enum Outcome: Sendable {
        /// All have run; nil where there are none.
        case done(ScriptChanges?)
        /// The user goes somewhere else first.
        case leave(url: String)
    }

    /// - Parameter progress: how far the scripts were; it learns how far they are.
    /// - Throws: ``OAuthError``.
    func run(_ progress: inout LoginTransaction.Progress) async throws -> Outcome {
        let organizationID = request.organization?.organization.id
        let known = progress.scripts.flatMap { scripts in
            scripts.sessionDigest == session.digest && scripts.organizationID == organizationID ? scripts : nil
        }
        if let known {
            guard let pause = known.pause else { return .done(known.changes) }
            guard visit.returned != nil else { return .leave(url: pause.url) }
        }
        let scripts = PostLoginScripts(services: services, trail: trail)
        let isDue = try await scripts.areDue()
        guard known != nil || isDue else {
            progress.scripts = nil
            return .done(nil)
        }
        guard let user = try await services.stores.users.find(session.userID), !user.isBlocked else {
            throw OAuthError(.loginRequired, "Login required")
        }
        let result = try await scripts.run(login(of: user, isReturning: known != nil), since: known)
        progress.scripts = result
        if let pause = result?.pause { return .leave(url: pause.url) }
        return .done(result?.changes)
    }

    private func login(of user: User, isReturning: Bool) -> ScriptedLogin {
        let type = request.request.responseType
        var login = ScriptedLogin(
            user, of: request.client, request.isForDevice ? .device : ScriptedLogin.Flow(type),
            scope: request.request.scope, authenticatedAt: session.authenticatedAt,
            resourceServer: request.resourceServer?.resourceServer)
        login.session = session
        login.organization = request.organization?.organization
        login.request = request.request
        login.target = request.isForDevice ? nil : request.target
        login.mayLeave = !request.request.prompt.contains(.none)
        login.returned = isReturning ? visit.returned : nil
        login.state = visit.state
        return login
    }
}

extension Services {
    /// The organization with an id; nil for nil, and where it has gone.
    func organization(_ id: String?) async throws -> Organization? {
        guard let id else { return nil }
        return try await stores.database.readOnce { try OrganizationStore.find(id, in: $0) }
    }
}

extension TokenRequest {
    /// A login by this request, as scripts are told of it.
    func scripted(
        _ user: User, _ flow: ScriptedLogin.Flow, scope: Scope, for api: RegisteredResourceServer?,
        authenticatedAt: Date? = nil
    ) -> ScriptedLogin {
        var login = ScriptedLogin(
            user, of: client, flow, scope: scope, authenticatedAt: authenticatedAt ?? now,
            resourceServer: api?.resourceServer)
        login.body = parameters
        return login
    }
}
