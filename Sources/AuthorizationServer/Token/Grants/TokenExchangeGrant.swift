import Foundation
import OAuth
import Storage

/// Token exchange, [RFC 8693](https://www.rfc-editor.org/rfc/rfc8693), as Auth0 has it on behalf of users: an API that was
/// sent a user's access token gets one for the next API, in which the user stays the subject and `act` names who acts.
///
/// Who may exchange what is decided four times over. The client is the API's own (`app_type` `resource_server`) and is
/// allowed to (`token_exchange`); the token was issued for that very API, so that nobody exchanges what they were not
/// sent; the next API has a client grant for the client; and the user has the permissions where the API enforces them.
/// The new token never lives longer than the old one.
package struct TokenExchangeGrant: Grant {
    package static let type = GrantType.tokenExchange
    let services: Services

    package init(services: Services) { self.services = services }

    /// [RFC 8693 §3](https://www.rfc-editor.org/rfc/rfc8693#section-3).
    package static let accessTokenType = "urn:ietf:params:oauth:token-type:access_token"

    /// Levels of `act` in a token at most (Auth0's limit).
    private static let deepest = 5

    /// One address may fail so often, as the tenant's suspicious IP throttling says.
    package func redeem(_ request: TokenRequest) async throws -> Authorization {
        let throttle = try await AddressThrottle(.tokenExchange, address: request.address, services)
        let now = services.now()
        let isExhausted = try await services.stores.database.read { transaction in
            try throttle?.isExhausted(at: now, in: transaction) ?? false
        }
        guard !isExhausted else {
            request.trail.note { $0.failure = .addressBlocked }
            throw OAuthError(
                .tooManyAttempts, "Too many failed token exchanges from this address.", reason: .bruteForce)
        }
        do {
            return try await exchange(request)
        } catch let error as OAuthError where error.code == .invalidGrant {
            try await throttle?.countFailure(services)
            throw error
        }
    }

    private func exchange(_ request: TokenRequest) async throws -> Authorization {
        let ownAPI = try Self.ownAPI(of: request.client)
        try Self.checkTypes(request.parameters)
        let (subject, user) = try await subject(request, ownAPI)
        let organizationID = subject.claims["org_id"]?.string
        if let problem = try await services.stores.database.readOnce({
            try LoginOrganization.ending(of: user.id, in: organizationID, for: subject.client, $0)
        }) {
            throw problem
        }
        if organizationID == nil { try request.client.requireNoOrganization() }
        let api = try await target(request)
        let allowed = try await allowedScope(for: request.client, ownAPI, subject, api.resourceServer)
        let requested = try request.parameters["scope"].map { try Scope(parsing: $0) } ?? allowed
        var login = request.scripted(user, .exchange, scope: requested, for: api)
        login.organization = try await services.organization(organizationID)
        let changes = try await PostLoginScripts(services: services, trail: request.trail).run(&login)
        let access = try await RequestedAccess.resolve(
            (changes?.target(of: requested) ?? requested).intersection(allowed), client: request.client,
            resourceServer: api, userID: user.id,
            organizationID: organizationID, stores: services.stores
        ).changed(by: changes)
        guard !access.scope.isEmpty || requested.isEmpty else {
            throw OAuthError(
                .invalidScope, "None of the scopes asked for can be given: \(requested.text.forDisplay)",
                hint: "A scope must be the API's, in the client grant, and among the user's permissions where the API "
                    + "enforces them.")
        }
        var authorization = Authorization(
            client: request.client, subject: .user(user), scope: access.scope, resourceServer: api)
        authorization.permissions = access.permissions
        authorization.changes = changes
        // What takes back the authorization behind the old token takes back the new one.
        authorization.authorizationID = TokenID.authorizationID(in: subject.claims)
        authorization.organization = try await OrganizationClaims.find(organizationID, services)
        authorization.actor = try Self.actor(request.client, subject)
        authorization.latestExpiry = subject.claims["exp"]?.integer.map {
            Date(timeIntervalSince1970: Double($0))
        }
        authorization.issuedTokenType = Self.accessTokenType
        // An exchange must not make a token that anybody can use of one that nobody else could.
        authorization.mustBeBound = !subject.confirmation.isEmpty
        return authorization
    }

    /// The identifier of the API that the client is the own client of.
    private static func ownAPI(of client: Client) throws(OAuthError) -> String {
        guard client.isConfidential, let api = client.resourceServerIdentifier, client.tokenExchange.allowsOnBehalfOf
        else {
            throw OAuthError(
                .unauthorizedClient, "The client may not act on behalf of users.",
                hint: "Only an API's own client may, one with a secret: set its app_type to resource_server, "
                    + "resource_server_identifier to the API, and add on_behalf_of_token_exchange to "
                    + "token_exchange.allow_any_profile_of_type.")
        }
        return api
    }

    private static func checkTypes(_ parameters: Parameters) throws(OAuthError) {
        let sent = try parameters.require("subject_token_type")
        for (name, type) in [
            ("subject_token_type", sent),
            ("requested_token_type", parameters["requested_token_type"] ?? accessTokenType),
        ] where type != accessTokenType {
            throw OAuthError.invalidRequest(
                "Unsupported \(name): \(type.forDisplay)", hint: "Access tokens alone are exchanged: \(accessTokenType)"
            )
        }
        guard parameters["actor_token"] == nil, parameters["actor_token_type"] == nil else {
            throw OAuthError.invalidRequest(
                "actor_token is not supported", hint: "The client itself is who acts; leave actor_token out.")
        }
    }

    /// RFC 8693 §2.2.2: a subject token that is no good is an `invalid_request`.
    private func subject(
        _ request: TokenRequest, _ ownAPI: String
    ) async throws -> (ActiveAccessToken, User) {
        let token = try request.parameters.require("subject_token")
        guard let found = try await ActiveAccessTokens(services: services).find(token),
            found.audiences.contains(ownAPI)
        else {
            throw OAuthError.invalidRequest(
                "The subject_token is not an active access token for \(ownAPI)",
                hint: "It has expired, was taken back, or was issued for another API.")
        }
        guard found.isOursAlone else {
            throw OAuthError.invalidRequest(
                "The subject_token proves nothing: the API can sign such tokens itself",
                hint:
                    "The API's tokens have HS256, whose secret it knows. Set its signing_alg to RS256, PS256, ES256 or "
                    + "EdDSA.")
        }
        // RFC 9449 §7: a token that is bound to a key is good for nobody without it, and an exchange is a use of it.
        let key = found.confirmation.keyThumbprint
        guard key == nil || key == request.possession.keyThumbprint else {
            throw OAuthError.invalidRequest(
                "The subject_token is bound to a key, and the request does not prove it",
                hint:
                    "Send a DPoP proof by the key that the token's cnf names. Whoever was sent the token cannot; let the "
                    + "client ask for one without DPoP where it shall be exchanged.")
        }
        guard let user = found.user else {
            throw OAuthError.invalidRequest(
                "The subject_token stands for no user",
                hint: "Use the client credentials grant where an application acts for itself.")
        }
        return (found, user)
    }

    /// The API that `audience` or `resource` names; there is no standard one.
    private func target(_ request: TokenRequest) async throws -> RegisteredResourceServer {
        let audience = try request.resource == nil ? request.parameters.require("audience") : nil
        let api = try await RequestedAccess.resourceServer(
            audience ?? request.parameters["audience"], resource: request.resource, services: services)
        guard let api else {
            throw OAuthError.accessDenied("Service not found: \(audience?.forDisplay ?? "")", reason: .audience)
        }
        return api
    }

    /// For the client's own API what the subject token has, which may be narrowed; for another one what the client grant
    /// gives.
    private func allowedScope(
        for client: Client, _ ownAPI: String, _ subject: ActiveAccessToken, _ api: ResourceServer
    ) async throws -> Scope {
        guard api.identifier != ownAPI else { return subject.scope.intersection(api.scope) }
        return try await services.configuration.scope(grantedTo: client, for: api)
    }

    /// Who acts now, around who acted before: at first the client that the user gave the access to (RFC 8693 §4.1).
    private static func actor(_ client: Client, _ subject: ActiveAccessToken) throws(OAuthError) -> JSONObject {
        let before = subject.claims["act"]?.object ?? ["sub": .string(subject.client.clientID)]
        let actor: JSONObject = ["sub": .string(client.clientID), "act": .object(before)]
        guard depth(of: actor) <= deepest else {
            throw OAuthError.invalidRequest(
                "The subject_token has been exchanged too often",
                hint: "At most \(deepest) may stand in a row in its act claim.")
        }
        return actor
    }

    private static func depth(of actor: JSONObject) -> Int {
        var (depth, next) = (1, actor["act"]?.object)
        while let actor = next { (depth, next) = (depth + 1, actor["act"]?.object) }
        return depth
    }
}
