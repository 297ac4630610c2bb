import Foundation
import OAuth
import Storage

/// `POST /dbconnections/signup`: making a user of a database connection for an application that has asked for the address
/// and the password itself. Nobody is signed in.
package struct DatabaseSignup: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// Why nothing is done, in Auth0's words.
    package enum Refusal: Error, Sendable, Equatable {
        case missing(String)
        case invalid(String, String)
        case unknownClient
        case unknownConnection
        case disabled
        /// Whatever else it is: it is not said whether there is such a user.
        case failed
        case userExists
        case weakPassword([PasswordRules.Rule])
        case breachedPassword
        /// An action of the tenant's says no, with these words for the user.
        case denied(String?)
        case tooMany(retryAfter: Int)

        package var status: Int {
            switch self {
            case .tooMany: 429
            case .unknownClient: 401
            default: 400
            }
        }

        package var code: String {
            switch self {
            case .missing, .invalid: "invalid_body"
            case .unknownClient: "invalid_client"
            case .unknownConnection: "invalid_connection"
            case .disabled: "public_signup_disabled"
            case .failed, .denied: "invalid_signup"
            case .userExists: "user_exists"
            case .weakPassword: "invalid_password"
            case .breachedPassword: "password_leaked"
            case .tooMany: "too_many_requests"
            }
        }

        private var description: String {
            switch self {
            case .missing(let name): "missing \(name) parameter"
            case .invalid(let name, let message): "\(name): \(message)"
            case .unknownClient: "There is no application with this client_id"
            case .unknownConnection: "connection is not enabled for this client"
            case .disabled: "public signup is disabled"
            case .failed: "Invalid sign up"
            case .denied(let message): message ?? "Invalid sign up"
            case .userExists: "The user already exists."
            case .weakPassword: "Password is too weak"
            case .breachedPassword: "The password is known from a data breach"
            case .tooMany: "Too many requests"
            }
        }

        /// The answer's body.
        package var document: JSONObject {
            switch self {
            case .weakPassword(let rules):
                [
                    "name": "PasswordStrengthError", "message": .string(description), "code": .string(code),
                    "description": [
                        "rules": .array(
                            rules.map { ["message": .string($0.text), "verified": .bool($0.isSatisfied)] }),
                        "verified": false,
                    ],
                    "policy": .string(rules.map { "* \($0.text)" }.joined(separator: "\n")), "statusCode": 400,
                ]
            case .tooMany: ["error": .string(code), "error_description": .string(description)]
            default:
                [
                    "name": "BadRequestError", "code": .string(code), "description": .string(description),
                    "statusCode": .integer(Int64(status)),
                ]
            }
        }
    }

    /// The application and the connection that a request names.
    /// - Throws: ``Refusal``.
    package func connection(_ sent: JSONObject) async throws -> (client: Client, connection: Connection) {
        guard let id = sent["client_id"]?.string else { throw Refusal.missing("client_id") }
        guard let name = sent["connection"]?.string else { throw Refusal.missing("connection") }
        guard let client = try await services.configuration.client(id)?.client else { throw Refusal.unknownClient }
        let found = try await services.configuration.connections().first { $0.name == name }
        guard let connection = found, connection.isDatabase, connection.serves(client) else {
            throw Refusal.unknownConnection
        }
        return (client, connection)
    }

    /// - Parameter sent: the body, with Auth0's names.
    /// - Returns: the answer: the user as Auth0 shows a new one.
    /// - Throws: ``Refusal``, ``PasswordHasher/Busy``, ``OAuthError`` where a script has to run.
    package func signUp(_ sent: JSONObject, browser: Browser) async throws -> JSONObject {
        let (client, connection) = try await connection(sent)
        guard let email = sent["email"]?.string, !email.isEmpty else { throw Refusal.missing("email") }
        guard let password = sent["password"]?.string, !password.isEmpty else { throw Refusal.missing("password") }
        let profile = try Self.profile(sent)
        let metadata = try Self.metadata(sent)
        do {
            let user = try await Signup(services: services).register(
                email: email, password: password, client: client, connection: connection, browser: browser
            ) { user in
                user.profile.merge(profile) { $1 }
                user.userMetadata = metadata
            }
            var answer: JSONObject = [
                "_id": .string(String(user.id.drop { $0 != "|" }.dropFirst())), "email_verified": false,
                "email": .string(user.email ?? ""),
            ]
            for name in profile.keys { answer[name] = profile[name] }
            if !metadata.isEmpty { answer["user_metadata"] = .object(metadata) }
            return answer
        } catch let refusal as Signup.Refusal {
            throw try await Self.refusal(refusal, services)
        }
    }

    private static func refusal(_ refusal: Signup.Refusal, _ services: Services) async throws -> Refusal {
        switch refusal {
        case .invalidEmail: return .invalid("email", "must be an e-mail address")
        case .weakPassword(let rules): return .weakPassword(rules)
        case .disabled, .takesUsersOver, .noConnection: return .disabled
        case .breachedPassword: return .breachedPassword
        case .notInvited, .databaseFails: return .failed
        case .denied(_, let userMessage): return .denied(userMessage)
        case .suspiciousAddress: return .tooMany(retryAfter: 60)
        case .userExists:
            let flags = try await services.configuration.settings().other["flags"]?.object
            return flags?["enable_public_signup_user_exists_error"]?.bool == true ? .userExists : .failed
        }
    }

    /// What a user may say of themselves.
    private static func profile(_ sent: JSONObject) throws(Refusal) -> JSONObject {
        var profile: JSONObject = [:]
        for name in ["given_name", "family_name", "name", "nickname", "picture", "phone_number"] {
            guard let value = sent[name], value != .null else { continue }
            guard let text = value.string, text.count <= 300, !text.isEmpty else {
                throw .invalid(name, "must be a text of at most 300 characters")
            }
            profile[name] = .string(text)
        }
        return profile
    }

    private static func metadata(_ sent: JSONObject) throws(Refusal) -> JSONObject {
        guard let value = sent["user_metadata"], value != .null else { return [:] }
        guard let members = value.object, members.count <= 10,
            members.allSatisfy({ $0.key.count <= 100 && ($0.value.string?.count).map { $0 <= 500 } ?? false })
        else {
            throw .invalid("user_metadata", "must be an object of at most 10 texts of at most 500 characters")
        }
        return members
    }
}
