import OAuth
import Storage
import Synchronization

/// What has become known on the way to a request's outcome, for its log event: where a request fails, whoever tells of it has
/// only an error in hand.
///
/// What a transaction's body notes may be noted again when it runs twice; each note replaces the one before.
final class LogTrail: Sendable {
    /// What an event tells beside its type.
    struct Facts: Sendable {
        var clientID: String?
        var userID: String?
        /// The user's e-mail address or name, where it is no stored user's.
        var userName: String?
        /// The connection's name.
        var connection: String?
        var audience: String?
        var scope: String?
        /// What only this kind of event has.
        var details: JSONObject = [:]
        /// What kind of failure it is, where there are several.
        var failure: LogEventType?
    }

    private let state = Mutex(Facts())

    /// What is known so far.
    var facts: Facts { state.withLock { $0 } }

    func note(_ change: (inout Facts) -> Void) { state.withLock { change(&$0) } }

    func note(_ user: User) {
        note { ($0.userID, $0.connection) = (user.id, user.connection) }
    }

    func note(_ login: LoginTransaction) {
        note { $0.clientID = login.clientID }
        guard case .authorization(let sent) = login.purpose else { return }
        note { ($0.audience, $0.scope) = (sent["audience"], sent["scope"]) }
    }

    func note(_ request: VerifiedAuthorizationRequest) {
        note { facts in
            facts.clientID = request.client.clientID
            facts.audience = request.resourceServer?.resourceServer.identifier
            facts.scope = request.request.scope.text
        }
    }

    func note(_ session: Session) {
        note { facts in
            (facts.userID, facts.connection) = (session.userID, session.connection)
            facts.details["session_id"] = .string(session.sid)
        }
    }
}

extension Services {
    /// Tells that something happened. Costs a few microseconds and never waits.
    /// - Parameter description: in words; never a secret.
    func log(_ type: LogEventType, _ trail: LogTrail, description: String? = nil) {
        log(type, trail.facts, description: description)
    }

    /// Tells that something happened that no request's trail led to.
    func log(_ type: LogEventType, _ facts: LogTrail.Facts, description: String? = nil) {
        var event = LogEvent(type, at: now(), description: description)
        (event.clientID, event.userID, event.userName) = (facts.clientID, facts.userID, facts.userName)
        (event.connection, event.audience, event.scope) = (facts.connection, facts.audience, facts.scope)
        event.details = facts.details
        logs.record(event)
    }

    /// Tells that a request was refused, unless its failure is the server's own: what the database or a defect stops is in
    /// the server's log, and says nothing of who asked.
    func log(_ type: LogEventType, _ trail: LogTrail, failure error: any Error) {
        guard let refusal = error as? OAuthError ?? (error as? AuthorizationFailure)?.error else { return }
        trail.note { $0.details["error"] = .string(refusal.code.rawValue) }
        log(trail.facts.failure ?? type, trail, description: refusal.description)
    }
}

extension Services {
    /// Tells that a user has logged out. Where there was no session, nobody has.
    func logLogout(_ session: Session?, _ trail: LogTrail) {
        guard let session else { return }
        trail.note(session)
        log(.logout, trail, description: "User successfully logged out")
    }
}
