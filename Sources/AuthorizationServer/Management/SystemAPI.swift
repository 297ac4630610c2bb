import OAuth
import Storage

/// The tenant's own API, which Auth0 calls the Management API: every tenant has it, and nobody configures it.
package enum SystemAPI {
    /// What an application may be granted, the verbs for each kind of thing: Auth0's scopes.
    private static let verbs: [(resources: [String], verbs: [String])] = [
        (
            [
                "clients", "client_keys", "client_credentials", "client_grants", "resource_servers", "connections",
                "connections_keys", "users", "users_app_metadata", "user_custom_blocks", "roles", "organizations",
                "organization_connections", "organization_members", "organization_member_roles",
                "organization_invitations", "organization_client_grants", "organization_clients", "rules",
                "rules_configs", "hooks", "actions", "email_provider", "email_templates", "log_streams",
                "custom_domains", "branding", "prompts", "signing_keys", "triggers", "authentication_methods",
                "self_service_profiles", "scim_config", "device_credentials", "guardian_enrollments",
            ], ["create", "read", "update", "delete"]
        ),
        (["role_members"], ["create", "read", "delete"]),
        (["user_tickets", "guardian_enrollment_tickets"], ["create"]),
        (
            [
                "client_summary", "organizations_summary", "user_idp_tokens", "logs", "logs_users", "stats", "insights",
                "entitlements", "anomaly_blocks",
            ], ["read"]
        ),
        (["anomaly_blocks"], ["delete"]),
        (["tenant_settings", "guardian_factors", "mfa_policies", "attack_protection", "limits"], ["read", "update"]),
        (["grants", "sessions", "refresh_tokens"], ["read", "update", "delete"]),
        (["shields"], ["create", "read", "update", "delete"]),
    ]

    /// What every user may do with their own account, without a permission for it.
    package static let ownScope = Scope([
        "read:current_user", "update:current_user_identities", "create:current_user_metadata",
        "update:current_user_metadata", "delete:current_user_metadata", "create:current_user_device_credentials",
        "delete:current_user_device_credentials",
    ])

    /// Every scope of the API.
    package static let scopes: [ResourceServer.Permission] =
        verbs.flatMap { resources, verbs in
            resources.flatMap { resource in
                verbs.map { verb in permission("\(verb):\(resource)", verb, resource) }
            }
        }
        + (ownScope.values + ["delete:current_user", "blacklist:tokens"]).map { value in
            let parts = value.split(separator: ":")
            return permission(value, String(parts[0]), String(parts[1]).replacing("current_user", with: "own user"))
        }

    private static func permission(_ value: String, _ verb: String, _ resource: String) -> ResourceServer.Permission {
        let thing = resource.replacing("_", with: " ").replacing(":", with: " ")
        return ResourceServer.Permission(
            value: value, description: verb.prefix(1).uppercased() + "\(verb.dropFirst()) \(thing)")
    }

    /// Makes the API, and gives it the scopes of this version. Of several processes that start at once one does.
    /// - Parameter moves: whether an API that was made for another address of the tenant becomes that of `issuer`, with
    ///   what is granted for it: the server does that, whose address `issuer` is for certain.
    package static func prepare(_ stores: Stores, issuer: Issuer, moves: Bool) async throws {
        let newID = RandomBytes.hexadecimal(24)
        let present = try await stores.database.readOnce { try system(in: $0) }
        guard present?.scopes != scopes || moves && present?.identifier != issuer.managementAudience else { return }
        try await stores.database.write { transaction in
            try TenantStore.lockConfiguration(in: transaction)
            var api = try system(in: transaction) ?? made(id: newID, issuer: issuer)
            api.scopes = scopes
            guard moves, api.identifier != issuer.managementAudience else {
                return try ResourceServerStore.save(api, sealedSigningSecret: nil, in: transaction)
            }
            let (id, former) = (api.id, api.identifier)
            (api.id, api.identifier) = (newID, issuer.managementAudience)
            try ResourceServerStore.save(api, sealedSigningSecret: nil, in: transaction)
            try ResourceServerStore.replace(former, with: api.identifier, in: transaction)
            // What refers to it by its id goes on doing so.
            api.id = id
            try ResourceServerStore.save(api, sealedSigningSecret: nil, in: transaction)
        }
    }

    private static func system(in transaction: any SQLTransaction) throws -> ResourceServer? {
        try ResourceServerStore.list(in: transaction).map(\.resourceServer).first(where: \.isSystem)
    }

    private static func made(id: String, issuer: Issuer) -> ResourceServer {
        var api = ResourceServer(id: id, name: "Management API", identifier: issuer.managementAudience)
        api.isSystem = true
        api.enforcesPolicies = true
        api.skipsConsentForVerifiableFirstPartyClients = true
        return api
    }
}
