import OAuth
import Storage

/// The client credentials grant, [RFC 6749 §4.4](https://www.rfc-editor.org/rfc/rfc6749#section-4.4): an application acts
/// for itself, with the scopes that a client grant gives it.
package struct ClientCredentialsGrant: Grant {
    package static let type = GrantType.clientCredentials
    let services: Services

    package init(services: Services) { self.services = services }

    package func redeem(_ request: TokenRequest) async throws -> Authorization {
        guard request.client.isConfidential else {
            throw OAuthError(
                .unauthorizedClient, "Grant type 'client_credentials' not allowed for the client.",
                hint: "Only an application with a secret may act for itself (RFC 6749 §4.4).")
        }
        let api = try await resourceServer(request)
        let identifier = api.resourceServer.identifier
        guard
            let grant = try await services.configuration.clientGrant(
                clientID: request.client.clientID, audience: identifier)
        else {
            throw OAuthError.accessDenied(
                "Client is not authorized to access \"\(identifier)\". You need to create a \"client-grant\" "
                    + "associated to this API.",
                hint: "Add a client grant for this application and this API to the tenant (clientGrants).",
                reason: .audience)
        }
        let scope = try scope(request, grant, api.resourceServer)
        let standard = request.client.organizations.defaultOrganization?.organizationID
        let asked = request.parameters["organization"] ?? (grant.isForOrganizations ? standard : nil)
        let organization = try await grant.organization(asked, services)
        var authorization = Authorization(
            client: request.client, subject: .client, scope: scope, resourceServer: api)
        authorization.grantName = "client-credentials"
        authorization.permissions = scope.values
        authorization.organization = organization
        return try await CredentialsExchangeScripts(services: services).run(
            authorization, request, allowed: grant.scope.intersection(api.resourceServer.scope))
    }

    private func resourceServer(_ request: TokenRequest) async throws -> RegisteredResourceServer {
        let standard = try await services.configuration.settings().defaultAudience
        guard let audience = request.parameters["audience"] ?? request.resource ?? standard else {
            throw OAuthError.accessDenied(
                "Non-global clients are not allowed access to APIv1",
                hint: "Send 'audience' with the identifier of the API that the token is for.", reason: .audience)
        }
        guard let found = try await services.configuration.resourceServer(audience) else {
            throw OAuthError.accessDenied(
                "Service not enabled within domain: \(audience.forDisplay)",
                hint:
                    "No API has this identifier. 'audience' is compared exactly, its case and a slash at its end included.",
                reason: .audience)
        }
        return found
    }

    /// What was asked for, or all that the client grant gives.
    private func scope(_ request: TokenRequest, _ grant: ClientGrant, _ api: ResourceServer) throws -> Scope {
        let granted = grant.scope.intersection(api.scope)
        guard let text = request.parameters["scope"] else { return granted }
        let requested = try Scope(parsing: text)
        let missing = requested.subtracting(granted)
        guard missing.isEmpty else {
            throw OAuthError(
                .invalidScope, "Client has not been granted scopes: \(missing.values.joined(separator: ", "))",
                hint: "Add them to the client grant, or ask for: \(granted.text)", reason: .clientGrantScope)
        }
        return requested
    }
}

extension ClientGrant {
    /// Whether an application may act for an organization with it.
    var isForOrganizations: Bool { organizationUsage ?? .deny != .deny }

    /// The organization that an application acts for by itself, which the client grant must allow.
    /// - Parameter value: what the request names; nil for none.
    /// - Throws: ``OAuthError`` where that is not what `organization_usage` says, or the grant is not for it.
    func organization(_ value: String?, _ services: Services) async throws -> OrganizationClaims? {
        let usage = organizationUsage ?? .deny
        guard let value else {
            guard usage != .require else {
                throw OAuthError.invalidRequest(
                    "parameter organization is required for this client",
                    hint: "The client grant's organization_usage is require: send organization, or set it to allow.")
            }
            return nil
        }
        guard usage != .deny else {
            throw OAuthError.invalidRequest(
                "parameter organization is not allowed for this client",
                hint: "Set the client grant's organization_usage to allow or require.")
        }
        let organization = try await LoginOrganization.find(value, services).organization
        if allowsAnyOrganization != true {
            let allowed = try await services.stores.database.readOnce { transaction in
                try OrganizationStore.clientGrants(of: organization.id, in: transaction)
            }
            guard allowed.contains(where: { $0.id == id }) else {
                throw OAuthError.accessDenied(
                    "Client is not authorized to access the organization \(organization.id)",
                    hint: "Give the organization the client grant, or set the grant's allow_any_organization.")
            }
        }
        return OrganizationClaims(organization, try await services.configuration.settings())
    }
}
