import Foundation
import Logging
import OAuth
import Storage

/// Auth0's passwordless grant: a code that `/passwordless/start` has had sent to an address.
package struct PasswordlessGrant: Grant {
    package static let type = GrantType.passwordlessOTP
    let services: Services

    package init(services: Services) { self.services = services }

    package func redeem(_ request: TokenRequest) async throws -> Authorization {
        let resumed = DirectLogin.resumed(request)
        let typed = resumed == nil ? try Self.typed(request) : nil
        let realm = try request.parameters.require("realm")
        try request.client.requireNoOrganization()
        let requested = try request.parameters["scope"].map { try Scope(parsing: $0) }
        let found = try await services.configuration.connections().first { $0.name == realm }
        guard let connection = found, connection.serves(request.client),
            services.strategies[connection.strategy]?.manner == .code
        else {
            throw OAuthError.invalidRequest(
                "the connection is not enabled",
                hint: "realm is the name of a passwordless connection (email, sms) that is enabled for the application."
            )
        }
        let api = try await RequestedAccess.resourceServer(
            request.parameters["audience"], resource: request.resource, services: services)
        // Before the code is spent, so that it can be sent again with a proof.
        if let problem = request.proofProblem(audience: api?.resourceServer.identifier) { throw problem }
        let login = DirectLogin(
            services: services, request: request, grant: Self.type, flow: .passwordless,
            scope: requested ?? api?.resourceServer.scope ?? Scope([Scope.openID, "profile", "email"]), api: api,
            connection: connection)
        if let resumed { return try await login.finish(resumed) }
        let (username, code) = try typed ?? Self.typed(request)
        return try await check(code, username, connection, request) { proof in
            try await login.finish(
                DirectLogin.Proof(user: proof.user) { user, transaction in
                    var proof = proof
                    if proof.user.id != user.id { proof.user = user }
                    try proof.write(in: transaction)
                } keep: { transaction in
                    try proof.kept(at: request.now, in: transaction)
                })
        }
    }

    private static func typed(_ request: TokenRequest) throws -> (username: String, code: String) {
        (try request.parameters.require("username"), try request.parameters.require("otp"))
    }

    private func check(
        _ code: String, _ username: String, _ connection: Connection, _ request: TokenRequest,
        signIn: @Sendable (PasswordlessProof) async throws -> Authorization
    ) async throws -> Authorization {
        do {
            let codes = PasswordlessCodes(
                services: services, connection: connection, settings: try await services.passwordless(connection),
                place: .client(request.client))
            let proof = try await PasswordlessCheck(codes: codes).check(
                .code(code), address: username, visitor: request.address, trail: request.trail)
            return try await proof.use(signIn).1
        } catch let failure as UpstreamFailure {
            throw failure.told(connection.title)
        } catch let refusal as PasswordlessLogin.Refusal {
            request.trail.note { facts in
                // The grant has a type of its own; what went wrong is a detail of it.
                facts.details["reason"] = facts.failure.map { .string($0.rawValue) }
                if facts.failure != .accountBlocked { facts.failure = nil }
            }
            switch refusal {
            case .userIsBlocked: throw OAuthError(.invalidGrant, "user is blocked", reason: .userIsBlocked)
            case .blocked, .tooManyRequests:
                throw OAuthError(
                    .tooManyAttempts,
                    "Your account has been blocked after multiple consecutive login attempts.", reason: .bruteForce)
            case .noAddress, .notSent, .wrongCode:
                throw OAuthError.invalidGrant(
                    "Wrong \(username.contains("@") ? "email" : "phone number") or verification code.")
            }
        }
    }
}
