import Foundation
import OAuth
import Storage

/// Auth0's MFA API, `/mfa/…`: applications with pages of their own have users pass and enrol second factors. Whoever calls it shows
/// the `mfa_token` of a login that waits, or an access token for the API.
package struct MFAAPI: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// Seconds for which access tokens for the API are valid.
    static let tokenLifetime = 600

    /// What an access token may allow.
    enum Permission: String, CaseIterable {
        case enroll
        case readAuthenticators = "read:authenticators"
        case removeAuthenticators = "remove:authenticators"
    }

    /// The API as applications ask for it. Nobody configures it, and no refresh token is for it.
    static func resourceServer(_ issuer: Issuer) -> RegisteredResourceServer {
        var api = ResourceServer(id: id, name: "MFA API", identifier: issuer.mfaAudience)
        api.scopes = [
            .init(value: Permission.enroll.rawValue, description: "Set up second factors"),
            .init(value: Permission.readAuthenticators.rawValue, description: "See your second factors"),
            .init(value: Permission.removeAuthenticators.rawValue, description: "Remove second factors"),
        ]
        (api.tokenLifetime, api.tokenLifetimeForWeb) = (tokenLifetime, tokenLifetime)
        api.skipsConsentForVerifiableFirstPartyClients = true
        api.isSystem = true
        return RegisteredResourceServer(resourceServer: api, sealedSigningSecret: nil)
    }

    static func isItself(_ api: ResourceServer) -> Bool { api.isSystem && api.id == id }

    /// What other people's applications may be allowed: none of them adds or removes what keeps strangers out.
    static let foreignScope = Scope([Permission.readAuthenticators.rawValue])

    private static let id = "mfa"

    /// Who calls.
    struct Caller: Sendable {
        let user: User
        /// What they show, as it is stored.
        let digest: String
        /// The login that waits; nil for an access token.
        let opened: MFATokens.Opened?
        /// The access token; nil for a login that waits.
        let token: ActiveAccessToken?
        /// The connection that the user has signed in with.
        let connection: String

        /// Whether a second factor was passed before.
        var hasPassed: Bool { token?.claims["amr"] == ["mfa"] || opened?.login.passed.isEmpty == false }
    }

    /// - Throws: ``OAuthError`` `invalid_token` or what ``MFATokens/open(_:of:)`` throws, `insufficient_scope`.
    func caller(
        _ presented: PresentedAccessToken?, _ permission: Permission, at path: String
    ) async throws -> Caller {
        guard let presented else {
            throw OAuthError(
                .invalidToken, "Missing mfa_token",
                hint: "Send the header 'Authorization: Bearer …' with an mfa_token, or with an access token for "
                    + "\(services.issuer.mfaAudience).")
        }
        // No mfa_token has a dot, and every access token for the API has.
        guard presented.text.contains(".") else { return try await waiting(presented, permission) }
        guard let token = try await ActiveAccessTokens(services: services).find(presented.text), token.isOursAlone,
            token.audiences.contains(services.issuer.mfaAudience), let user = token.user
        else {
            throw OAuthError(.invalidToken, "The access token is not good, or not for \(services.issuer.mfaAudience)")
        }
        try await presented.requirePossession(of: token.confirmation, at: path, services: services)
        guard token.scope.contains(permission.rawValue) else {
            throw OAuthError(
                .insufficientScope, "Insufficient scope, expected: \(permission.rawValue)",
                hint: "Ask for the scope '\(permission.rawValue)' with audience=\(services.issuer.mfaAudience).")
        }
        return Caller(
            user: user, digest: Secret(presented.text).digest, opened: nil, token: token, connection: user.connection)
    }

    private func waiting(_ presented: PresentedAccessToken, _ permission: Permission) async throws -> Caller {
        let opened = try await MFATokens(services: services).open(Secret(presented.text), of: nil)
        guard permission != .removeAuthenticators else {
            throw OAuthError(
                .insufficientScope, "Insufficient scope, expected: \(permission.rawValue)",
                hint: "An mfa_token removes nothing: send an access token for \(services.issuer.mfaAudience).")
        }
        guard let user = try await services.stores.users.find(opened.token.userID), !user.isBlocked else {
            throw OAuthError(.invalidGrant, "user is blocked", reason: .userIsBlocked)
        }
        return Caller(
            user: user, digest: opened.token.digest, opened: opened, token: nil, connection: opened.login.connection)
    }

    // MARK: What there is

    /// `GET /mfa/authenticators`.
    /// - Throws: ``OAuthError``.
    package func authenticators(_ presented: PresentedAccessToken?) async throws -> [JSONObject] {
        let caller = try await caller(presented, .readAuthenticators, at: "mfa/authenticators")
        let factors = SecondFactors(services: services)
        let enrolled = try await factors.enrolled(caller.user.id)
        let usable = enrolled.factors(
            try await services.configuration.sections().multiFactor,
            after: try await factors.firstFactor(caller.connection))
        return usable.compactMap { shown($0, enrolled, caller.user) }
    }

    private func shown(_ name: String, _ enrolled: SecondFactors.Enrolled, _ user: User) -> JSONObject? {
        guard let factor = MultiFactorSettings.Factor(methodType: name) else { return nil }
        var members: JSONObject = ["active": true, "type": .string(name)]
        members["id"] = .string(id(of: factor, enrolled, user))
        switch factor {
        case .otp: members["authenticator_type"] = "otp"
        case .recoveryCode: members["authenticator_type"] = "recovery-code"
        case .sms:
            (members["authenticator_type"], members["oob_channel"]) = ("oob", "sms")
            members["name"] = enrolled.phone.map { .string($0.maskedNumber) }
        case .email:
            (members["authenticator_type"], members["oob_channel"]) = ("oob", "email")
            members["name"] = enrolled.email.map { .string(EmailAddress.masked($0)) }
        }
        return members
    }

    /// What applications name a factor by. What has no row of its own has a name that follows from its user.
    func id(of factor: MultiFactorSettings.Factor, _ enrolled: SecondFactors.Enrolled, _ user: User) -> String {
        func derived() -> String {
            let code = services.secret.authenticate("\(factor.rawValue) of \(user.id)", for: .factorCodes)
            return "\(factor.rawValue)|dev_" + code.filter { $0.isLetter || $0.isNumber }.prefix(16)
        }
        switch factor {
        case .otp: return enrolled.authenticator?.id ?? ""
        case .sms: return enrolled.phone?.id ?? ""
        case .email, .recoveryCode: return derived()
        }
    }

    /// `DELETE /mfa/authenticators/{id}`.
    /// - Throws: ``OAuthError``.
    package func remove(_ id: String, _ presented: PresentedAccessToken?) async throws {
        let caller = try await caller(presented, .removeAuthenticators, at: "mfa/authenticators/\(id)")
        guard caller.hasPassed else {
            throw OAuthError.accessDenied(
                "A second factor has to be passed first.",
                hint: "Ask for another access token: who has a second factor is asked for it.")
        }
        let userID = caller.user.id
        let factor = try await factors(of: userID)[id]
        let isRemoved = try await services.stores.database.write { transaction in
            try UserStore.lock(userID, in: transaction)
            return try AuthenticatorStore.remove(id: id, of: userID, in: transaction)
        }
        guard isRemoved else {
            throw OAuthError.invalidRequest(
                "The user has no such authenticator",
                hint:
                    "GET /mfa/authenticators lists them. An e-mail address or a recovery code alone cannot be removed.")
        }
        let trail = LogTrail()
        trail.note { facts in
            (facts.clientID, facts.userID) = (caller.token?.client.clientID, userID)
            facts.details["factor"] = factor.map { .string($0.rawValue) }
        }
        services.log(.factorRemoved, trail)
    }

    /// The factors that can be removed, by their ids.
    private func factors(of userID: String) async throws -> [String: MultiFactorSettings.Factor] {
        let enrolled = try await SecondFactors(services: services).enrolled(userID)
        var factors: [String: MultiFactorSettings.Factor] = [:]
        if let app = enrolled.authenticator { factors[app.id] = .otp }
        if let phone = enrolled.phone { factors[phone.id] = .sms }
        return factors
    }

    // MARK: Tokens for the API

    /// What confirms an enrolment that nothing else waits for: another token for the API, now that a factor is passed. It ends when
    /// the one ends that the factor was enrolled with, or it would be good for ever.
    static func authorization(
        of user: User, _ token: WaitingLogin.APIToken, for request: TokenRequest, _ services: Services
    ) throws -> Authorization {
        var authorization = Authorization(
            client: request.client, subject: .user(user), scope: try Scope(parsing: token.scope),
            resourceServer: resourceServer(services.issuer))
        authorization.latestExpiry = token.end
        authorization.mustBeBound = !token.possession.isEmpty
        authorization.authentication = Authorization.Authentication(
            sid: nil, authenticatedAt: request.now, multiFactorAt: request.now, showsTime: false, nonce: nil)
        return authorization
    }
}
