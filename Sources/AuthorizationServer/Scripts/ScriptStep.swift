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
        /// The user passes a second factor first.
        case ask(AuthorizationOutcome.LoginPage)
        /// The login is another user's from here on, in this session.
        case became(Session)
    }

    /// - Parameters:
    ///   - progress: how far the scripts were; it learns how far they are.
    ///   - factors: what asks for the second factors that they want.
    /// - Throws: ``OAuthError``.
    func run(_ progress: inout LoginTransaction.Progress, _ factors: MFAStep) async throws -> Outcome {
        let organizationID = request.organization?.organization.id
        let known = progress.scripts.flatMap { scripts in
            scripts.sessionDigest == session.digest && scripts.sid == session.sid
                && scripts.organizationID == organizationID ? scripts : nil
        }
        let isNew = progress.sessionDigest == session.digest
        guard var course = try await begun(known, isNew: isNew) else {
            progress.scripts = nil
            return .done(nil)
        }
        if let other = try await successor(course, &progress) { return .became(other) }
        while let pause = course.pause {
            progress.scripts = course
            if let demand = pause.factor {
                if let page = try await factors.page(for: demand, &progress) { return .ask(page) }
                course.pause?.factor = nil
                if pause.url != nil { continue }
            } else if let url = pause.url, visit.returned == nil || course != known {
                return .leave(url: url)
            }
            // Nobody gets past scripts that have asked for something and are not there to be asked any more.
            guard let next = try await further(course, isReturning: pause.url != nil, isNew: isNew) else {
                throw OAuthError.serverError
            }
            course = next
            if let other = try await successor(course, &progress) { return .became(other) }
        }
        progress.scripts = course
        if let demand = course.factor, let page = try await factors.page(for: demand, &progress) { return .ask(page) }
        return .done(course.changes)
    }

    /// How far the scripts are that have begun, or have just been begun; nil where there are none.
    private func begun(_ known: ScriptProgress?, isNew: Bool) async throws -> ScriptProgress? {
        if let known { return known }
        guard try await PostLoginScripts(services: services, trail: trail).areDue() else { return nil }
        return try await further(nil, isReturning: false, isNew: isNew)
    }

    /// The session of the user whose login the scripts have made it; nil where it is still the one's who has signed in. What was
    /// passed as a second factor counts no more, unless it went to that user with the account.
    private func successor(
        _ course: ScriptProgress, _ progress: inout LoginTransaction.Progress
    ) async throws -> Session? {
        guard let id = course.primaryUserID, id != session.userID else { return nil }
        guard let other = try await services.stores.sessions.find(digest: session.digest, at: services.now()),
            other.userID == id
        else { throw OAuthError(.loginRequired, "Login required") }
        progress.scripts = course
        progress.factor = other.multiFactorAt.flatMap { _ in progress.factor?.moved(to: other) }
        return other
    }

    /// Runs those that have not run yet.
    private func further(_ course: ScriptProgress?, isReturning: Bool, isNew: Bool) async throws -> ScriptProgress? {
        guard let user = try await services.stores.users.find(session.userID), !user.isBlocked else {
            throw OAuthError(.loginRequired, "Login required")
        }
        return try await PostLoginScripts(services: services, trail: trail).run(
            login(of: user, isReturning: isReturning, isNew: isNew), since: course)
    }

    private func login(of user: User, isReturning: Bool, isNew: Bool) -> ScriptedLogin {
        let type = request.request.responseType
        var login = ScriptedLogin(
            user, of: request.client, request.isForDevice ? .device : ScriptedLogin.Flow(type),
            scope: request.request.scope, authenticatedAt: session.authenticatedAt,
            resourceServer: request.resourceServer?.resourceServer)
        (login.session, login.isNew) = (session, isNew)
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
