import Logging
import OAuth
import Storage

/// A user whom the Management API makes, before the actions around new users: `pre-user-registration` may refuse them and note
/// metadata, `post-user-registration` hears of them.
package struct ManagedRegistration: Sendable {
    private let scripts: RegistrationScripts
    private let services: Services

    /// - Parameter connection: the new user's.
    package init(_ connection: Connection, services: Services) {
        self.services = services
        let trail = LogTrail()
        trail.note { $0.connection = connection.name }
        scripts = RegistrationScripts(services: services, connection: connection, client: nil, trail: trail)
    }

    /// Why there is no user.
    package struct Refusal: Error {
        /// What an action has to say, or that one does not work.
        package let message: String
        /// Whether scripts cannot run at all.
        package let isServers: Bool
    }

    /// Lets the actions have their say; each runs by itself, outside of any transaction.
    /// - Returns: the user with what they have noted.
    /// - Throws: ``Refusal``.
    package func admitted(_ user: User) async throws -> User {
        do {
            return try await scripts.admit(user)
        } catch let denied as RegistrationScripts.Denied {
            throw Refusal(message: denied.userMessage ?? denied.reason, isServers: false)
        } catch let error as OAuthError {
            throw Refusal(message: error.description, isServers: error.code != .accessDenied)
        }
    }

    /// Tells the actions of the user, who is there now. Nobody waits for them.
    package func tell(_ user: User) async {
        do {
            try await scripts.tell(user)
        } catch {
            // The user is there, whatever keeps the actions from being told.
            services.logger.error(
                "actions did not run",
                metadata: ["trigger": "\(ActionTrigger.postUserRegistration.rawValue)", "cause": "\(error)"])
        }
    }
}
