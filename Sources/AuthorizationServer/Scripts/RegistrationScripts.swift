import Foundation
import Logging
import OAuth
import Storage

/// Runs the actions around a new user of a database or passwordless connection: those that may refuse one, before, and
/// those that hear of one, afterwards and in the background.
struct RegistrationScripts: Sendable {
    let services: Services
    let connection: Connection
    /// The application that the user signs up for; nil where there is none.
    let client: Client?
    /// The authorization request behind the sign-up; nil where there is none.
    var request: AuthorizationRequest?
    let trail: LogTrail

    /// An action refuses the user.
    struct Denied: Error {
        /// For the log.
        let reason: String
        /// For the user; nil where the action has nothing to tell them.
        let userMessage: String?
    }

    /// Lets the actions at `pre-user-registration` have their say.
    /// - Returns: the user with what they have noted.
    /// - Throws: ``Denied``, or ``OAuthError`` where one fails or cannot run.
    func admit(_ user: User) async throws -> User {
        let due = try await services.configuration.dueScripts().at([.preUserRegistration])
        guard !due.isEmpty else { return user }
        var (runs, admitted) = (ScriptRuns(services: services, share: .network), user)
        do {
            for case .action(let action) in due {
                let ending = try await runs.run(action, event: event(admitted, isKnown: false))
                var notes = UserNotes()
                for operation in ending.operations {
                    switch operation {
                    case .appMetadata(let name, let value): notes.noteApp(name, value)
                    case .userMetadata(let name, let value): notes.noteUser(name, value)
                    default: break
                    }
                }
                notes.apply(to: &admitted)
                for case .deny(_, let reason, let userMessage) in ending.operations {
                    runs.log(trail)
                    throw Denied(reason: reason, userMessage: userMessage)
                }
            }
        } catch let failed as FailedScript {
            runs.log(trail, failure: failed)
            throw failed.error
        }
        runs.log(trail)
        return admitted
    }

    /// As ``admit(_:)``, where the application is told of a refusal.
    /// - Throws: ``OAuthError``.
    func admitted(_ user: User) async throws -> User {
        do {
            return try await admit(user)
        } catch let denied as Denied {
            throw OAuthError.accessDenied(denied.userMessage ?? denied.reason)
        }
    }

    /// Tells the actions at `post-user-registration`. Nobody waits for them, and nothing depends on them.
    func tell(_ user: User) async throws {
        try await tell(user, .postUserRegistration)
    }

    /// Tells the actions at a trigger that can change nothing any more.
    func tell(_ user: User, _ trigger: ActionTrigger) async throws {
        let due = try await services.configuration.dueScripts().at([trigger])
        guard !due.isEmpty else { return }
        let event = event(user, isKnown: true)
        // The request is answered meanwhile; what the log says of it goes with the task.
        Task {
            var runs = ScriptRuns(services: services, share: .user(user.id))
            do {
                for case .action(let action) in due { _ = try await runs.run(action, event: event) }
                runs.log(trail)
            } catch {
                runs.log(trail, failure: error)
                if !(error is FailedScript) {
                    services.logger.error(
                        "actions did not run",
                        metadata: ["trigger": "\(trigger.rawValue)", "cause": "\(error)"])
                }
            }
        }
    }

    private func event(_ user: User, isKnown: Bool) -> JSONObject {
        var members = ScriptUser.action(user, identities: [])
        if !isKnown {
            // Nobody has these yet.
            for name in ["user_id", "identities", "created_at", "updated_at", "multifactor", "enrolledFactors"] {
                members[name] = nil
            }
        }
        var event: JSONObject = [
            "user": .object(members), "connection": PostLoginEvent.connection(connection, name: connection.name),
            "tenant": ["id": .string(services.issuer.scriptTenant)],
            "request": PostLoginEvent.request(
                method: "POST", query: ScriptedLogin.shown(request?.parameters), body: [:],
                hostname: services.issuer.domain, place: services.place),
        ]
        event["client"] = client.map(PostLoginEvent.client)
        event["transaction"] = request.map { request -> JSONValue in
            var members: JSONObject = [
                "requested_scopes": JSONValue(request.scope.values),
                "ui_locales": JSONValue(request.uiLocales), "acr_values": [],
            ]
            members["login_hint"] = request.loginHint.map(JSONValue.string)
            return .object(members)
        }
        return event
    }
}
