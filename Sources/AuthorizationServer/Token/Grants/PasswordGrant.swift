import Foundation
import Logging
import OAuth
import Storage

/// The password grant, [RFC 6749 §4.3](https://www.rfc-editor.org/rfc/rfc6749#section-4.3), for the users of the tenant's
/// `default_directory`. [RFC 9700 §2.4](https://www.rfc-editor.org/rfc/rfc9700#section-2.4) advises against it, and no
/// client has it unless its `grant_types` say so.
package struct PasswordGrant: Grant {
    package static let type = GrantType.password
    let services: Services

    package init(services: Services) { self.services = services }

    package func redeem(_ request: TokenRequest) async throws -> Authorization {
        guard let name = try await services.configuration.settings().defaultDirectory,
            let connection = try await services.configuration.connections().first(where: { $0.name == name })
        else {
            throw OAuthError(
                .serverError, "Authorization server not configured with default connection.",
                hint: "Set the tenant's default_directory to the name of a database connection, or use the grant "
                    + "\(GrantType.passwordRealm.rawValue) with a realm.")
        }
        return try await PasswordAuthorization(services: services, request: request, grant: Self.type).make(
            in: connection)
    }
}

/// Auth0's password grant for the users of the connection that `realm` names: by its name, or by one of its `realms`.
package struct PasswordRealmGrant: Grant {
    package static let type = GrantType.passwordRealm
    let services: Services

    package init(services: Services) { self.services = services }

    package func redeem(_ request: TokenRequest) async throws -> Authorization {
        let realm = try request.parameters.require("realm")
        let connections = try await services.configuration.connections()
        let found = connections.first { $0.name == realm } ?? connections.first { $0.realms.contains(realm) }
        guard let found else {
            throw OAuthError.invalidRequest(
                "the connection was not found",
                hint: "realm is the name of a connection, or one of its realms: \(realm.forDisplay) is neither.")
        }
        return try await PasswordAuthorization(services: services, request: request, grant: Self.type).make(in: found)
    }
}

/// What a user's password authorizes, whichever of the two grants brought it. Nobody is asked for consent: the
/// application has the password.
struct PasswordAuthorization: Sendable {
    let services: Services
    let request: TokenRequest
    let grant: GrantType

    /// - Throws: ``OAuthError`` in the same words whether the user is unknown or the password wrong.
    func make(in connection: Connection) async throws -> Authorization {
        let resumed = DirectLogin.resumed(request)
        let credentials = resumed == nil ? try credentials() : nil
        try request.client.requireNoOrganization()
        guard request.parameters["organization"] == nil else {
            throw OAuthError.invalidRequest(
                "parameter organization is not supported with this grant",
                hint: "Users sign in to an organization at the authorization endpoint.")
        }
        let requested = try request.parameters["scope"].map { try Scope(parsing: $0) }
        guard connection.isDatabase, connection.serves(request.client) else {
            try await LoginConnections.checkAny(for: request.client, organization: nil, services)
            throw OAuthError.invalidRequest(
                "the connection is not enabled",
                hint: "Add the application to the enabled_clients of the database connection '\(connection.name)'.")
        }
        let api = try await resourceServer()
        if let problem = request.proofProblem(audience: api?.resourceServer.identifier) { throw problem }
        let proof = if let resumed { resumed } else { try await prove(credentials, connection) }
        return try await DirectLogin(
            services: services, request: request, grant: grant, flow: .password, grantName: "password",
            scope: try await scope(requested, api?.resourceServer), api: api, connection: connection
        ).finish(proof)
    }

    private func credentials() throws -> (username: String, password: String) {
        (try request.parameters.require("username"), try request.parameters.require("password"))
    }

    private func prove(
        _ credentials: (username: String, password: String)?, _ connection: Connection
    ) async throws -> DirectLogin.Proof {
        let (username, password) = try credentials ?? self.credentials()
        let proof = try await check(username, password, connection)
        let now = request.now
        return DirectLogin.Proof(user: proof.user) { user, transaction in
            var proof = proof
            if proof.user.id != user.id { proof.user = user }
            do {
                try proof.write(in: transaction)
            } catch let refusal as PasswordLogin.Refusal {
                throw Self.error(refusal)
            }
        } keep: { transaction in
            try FirstFactor(of: proof.accountID(in: transaction), at: now, in: transaction)
        }
    }

    private func check(
        _ username: String, _ password: String, _ connection: Connection
    ) async throws -> PasswordCheck.Proof {
        do {
            return try await PasswordCheck(services: services).check(
                username, password: password, connection: connection, address: request.address, trail: request.trail)
        } catch let refusal as PasswordLogin.Refusal {
            services.logger.info(
                "password grant refused", metadata: ["why": "\(refusal)", "address": "\(request.address)"])
            request.trail.note { facts in
                // The grant has a type of its own; what went wrong with the password is a detail of it.
                facts.details["reason"] = facts.failure.map { .string($0.rawValue) }
                if facts.failure?.isBlock != true { facts.failure = nil }
            }
            throw Self.error(refusal)
        } catch let busy as PasswordHasher.Busy {
            throw OAuthError(
                .temporarilyUnavailable,
                "Too many people are signing in right now; try again in \(busy.retryAfter) seconds.")
        }
    }

    private static func error(_ refusal: PasswordLogin.Refusal) -> OAuthError {
        switch refusal {
        case .wrongCredentials, .noConnection: .invalidGrant("Wrong email or password.")
        case .userIsBlocked: OAuthError(.invalidGrant, "user is blocked", reason: .userIsBlocked)
        case .cannotVerify, .directoryFails:
            OAuthError(
                .temporarilyUnavailable, "The password cannot be verified right now; try again later.",
                hint: "Another tenant, a directory or the script of a custom database did not verify it; "
                    + "the server's log has the reason.")
        case .tooManyLogins:
            OAuthError(
                .tooManyLogins, "Too many login attempts for this user. Please wait, and try again later.")
        case .breachedPassword:
            OAuthError(
                .passwordLeaked,
                "This login has been blocked because your password has been leaked in another website. "
                    + "Choose another one to sign in.")
        case .suspiciousAddress:
            OAuthError(.tooManyAttempts, "Too many failed logins from this address.", reason: .bruteForce)
        case .blocked:
            OAuthError(
                .tooManyAttempts,
                "Your account has been blocked after multiple consecutive login attempts.", reason: .bruteForce)
        }
    }

    private func resourceServer() async throws -> RegisteredResourceServer? {
        do {
            return try await RequestedAccess.resourceServer(
                request.parameters["audience"], resource: request.resource, services: services)
        } catch let error as OAuthError where error.reason == .audience {
            throw OAuthError(
                .invalidRequest, "invalid audience specified for password grant exchange", hint: error.hint,
                reason: .passwordAudience)
        }
    }

    /// Where nothing is asked for, all of the API's scopes or, without an API, all of OpenID Connect's.
    private func scope(_ requested: Scope?, _ api: ResourceServer?) async throws -> Scope {
        let dialect = try await services.configuration.settings().wireDialect
        let profile = Scope([Scope.openID, "profile", "email", "address", "phone"])
        guard let requested else { return api?.scope ?? profile }
        return requested == Scope([Scope.openID]) && dialect.widensOpenIDForPasswords ? profile : requested
    }
}
