import Foundation
import OAuth
import Storage

/// The JWT bearer grant, [RFC 7523 §2.1](https://www.rfc-editor.org/rfc/rfc7523#section-2.1): a client asks with an
/// assertion that its registered key has signed, for itself or in the name of a user.
///
/// Nobody asks the user, so this is for the tenant's own applications alone, with the scopes of a client grant and none of
/// OpenID Connect's; and for users only where the client's `jwt_bearer` settings say so.
package struct JWTBearerGrant: Grant {
    package static let type = GrantType.jwtBearer
    let services: Services

    package init(services: Services) { self.services = services }

    package func redeem(_ request: TokenRequest) async throws -> Authorization {
        let client = request.client
        guard client.isConfidential, client.isFirstParty else {
            throw OAuthError(
                .unauthorizedClient, "Grant type '\(Self.type.rawValue)' not allowed for the client.",
                hint: "Only the tenant's own applications that prove themselves may use it.")
        }
        let claims = try await claims(of: request.parameters.require("assertion"), client, at: request.now)
        let user = try await user(claims, client)
        let api = try await resourceServer(request)
        let allowed = try await services.configuration.scope(grantedTo: client, for: api.resourceServer)
        let requested = try request.parameters["scope"].map { try Scope(parsing: $0) } ?? allowed
        let missing = requested.subtracting(allowed)
        guard missing.isEmpty else {
            throw OAuthError(
                .invalidScope, "Client has not been granted scopes: \(missing.values.joined(separator: ", "))",
                hint: "Add them to the client grant, or ask for: \(allowed.text)", reason: .clientGrantScope)
        }
        guard let user else {
            var authorization = Authorization(
                client: client, subject: .client, scope: requested, resourceServer: api)
            authorization.permissions = requested.values
            let grant = try await services.configuration.clientGrant(
                clientID: client.clientID, audience: api.resourceServer.identifier)
            authorization.organization = try await grant?.organization(request.parameters["organization"], services)
            return try await CredentialsExchangeScripts(services: services).run(
                authorization, request, allowed: allowed)
        }
        try client.requireNoOrganization()
        guard request.parameters["organization"] == nil else {
            throw OAuthError.invalidRequest(
                "parameter organization is not supported with this grant",
                hint: "Users sign in to an organization at the authorization endpoint.")
        }
        var login = request.scripted(user, .assertion, scope: requested, for: api)
        let changes = try await PostLoginScripts(services: services, trail: request.trail).run(&login)
        let access = try await RequestedAccess.resolve(
            changes?.target(of: requested).intersection(allowed) ?? requested, client: client, resourceServer: api,
            userID: login.user.id, stores: services.stores
        ).changed(by: changes)
        var authorization = Authorization(
            client: client, subject: .user(login.user), scope: access.scope, resourceServer: api)
        authorization.permissions = access.permissions
        authorization.changes = changes
        return authorization
    }

    // MARK: The assertion

    /// The claims of an assertion of the client's own, which is used up with that (RFC 7523 §3).
    private func claims(of text: String, _ client: Client, at now: Date) async throws -> JSONObject {
        let token: SignedToken
        do throws(SignedToken.Problem) {
            token = try SignedToken(parsing: text, most: ClientAssertion.mostBytes)
        } catch {
            throw Self.refused(error.description)
        }
        guard token.type.map({ $0 == "jwt" || $0 == "authorization-grant+jwt" }) ?? true else {
            throw Self.refused("its 'typ' is that of another kind of token")
        }
        let claims: JSONObject
        do {
            claims = try await ClientKeyring(
                services: services, keys: client.keys, credentials: client.keys.credentials
            ).verify(token, algorithms: JWSAlgorithm.asymmetric)
        } catch let problem as ClientKeyring.Problem {
            throw Self.refused(problem.description)
        }
        guard claims["iss"]?.string == client.clientID else { throw Self.refused("its 'iss' is not the client_id") }
        guard let audience = claims["aud"]?.string,
            [services.issuer.text, services.issuer.url("oauth/token")].contains(audience)
        else { throw Self.refused("its 'aud' must be the issuer, \(services.issuer.text), as a text and no list") }
        let expiry = try AssertionTimes.expiry(of: claims, at: now, refused: Self.refused)
        try await use(claims, client, expiresAt: expiry)
        return claims
    }

    private func use(_ claims: JSONObject, _ client: Client, expiresAt: Date) async throws {
        guard let id = claims["jti"]?.string, (1...255).contains(id.utf8.count) else {
            throw Self.refused("its 'jti' must be a text of 1 to 255 bytes")
        }
        // One about the client itself reads like a client assertion: whoever sees it must not sign in as the client with it.
        let kinds: [UsedAssertionStore.Kind] =
            claims["sub"]?.string == client.clientID ? [.grant, .clientAssertion] : [.grant]
        let end = expiresAt.addingTimeInterval(AssertionTimes.skew)
        let isFirst = try await services.stores.database.write { transaction in
            try kinds.allSatisfy { kind in
                try UsedAssertionStore.use(kind, issuer: client.clientID, id: id, expiresAt: end, in: transaction)
            }
        }
        guard isFirst else { throw Self.refused("its 'jti' was used before; make a new assertion for each request") }
    }

    private static func refused(_ problem: String) -> OAuthError {
        .invalidGrant("Assertion refused: \(problem)", hint: "RFC 7523 §3 says what an assertion must have.")
    }

    // MARK: Whom and what it is for

    /// The user whom `sub` names; nil for the client itself.
    private func user(_ claims: JSONObject, _ client: Client) async throws -> User? {
        guard let subject = claims["sub"]?.string else { throw Self.refused("it has no 'sub'") }
        guard subject != client.clientID else { return nil }
        // The same words for users that there are not: a client that may not ask for users learns nothing of them.
        guard client.jwtBearer.allowsAnyUser, let id = services.secret.subjects.userID(of: subject, for: client),
            let user = try await services.stores.users.find(id), !user.isBlocked
        else {
            throw OAuthError.invalidGrant(
                "Assertion refused: its 'sub' is nobody whom the client may act for",
                hint: "sub is the client_id or, where the client's jwt_bearer.allow_any_user is set, the id of a user "
                    + "who is not blocked.")
        }
        return user
    }

    private func resourceServer(_ request: TokenRequest) async throws -> RegisteredResourceServer {
        let found = try await RequestedAccess.resourceServer(
            request.parameters["audience"], resource: request.resource, services: services)
        guard let found else { throw OAuthError.missingParameter("audience") }
        return found
    }
}
