/// The addresses of Auth0's Management API: what the server has not yet it says so of, instead of pretending that there is
/// nothing.
enum KnownRoutes {
    /// The path that Auth0 has for a request, such as `rules/{id}`; nil where it has none.
    static func find(_ method: String, _ path: [String]) -> RoutePath? {
        table.lazy.filter { $0.methods.contains(method[...]) && $0.path.match(path) != nil }.map(\.path)
            .max { $0.precision < $1.precision }
    }

    private static let table: [(path: RoutePath, methods: [Substring])] = text.split(separator: "\n").map { line in
        let parts = line.split(separator: " ")
        return (RoutePath(String(parts[0])), Array(parts.dropFirst()))
    }

    private static let text = """
        actions/actions GET POST
        actions/actions/:id GET PATCH DELETE
        actions/actions/:id/deploy POST
        actions/actions/:id/test POST
        actions/actions/:id/versions GET
        actions/actions/:id/versions/:version GET
        actions/actions/:id/versions/:version/deploy POST
        actions/executions/:id GET
        actions/modules GET POST
        actions/modules/:id GET PATCH DELETE
        actions/modules/:id/actions GET
        actions/modules/:id/rollback POST
        actions/modules/:id/versions GET POST
        actions/modules/:id/versions/:part GET
        actions/service/status GET
        actions/triggers GET
        actions/triggers/:trigger/bindings GET PATCH
        agents GET POST
        agents/:id GET PATCH DELETE
        anomaly/blocks/ips/:ip GET DELETE
        attack-protection/bot-detection GET PATCH
        attack-protection/breached-password-detection GET PATCH
        attack-protection/brute-force-protection GET PATCH
        attack-protection/captcha GET PATCH
        attack-protection/captcha/policies GET POST
        attack-protection/captcha/policies/:id GET PATCH DELETE
        attack-protection/phone-provider-protection GET PATCH
        attack-protection/suspicious-ip-throttling GET PATCH
        blacklists/tokens GET POST
        branding GET PATCH
        branding/phone/providers GET POST
        branding/phone/providers/:id GET PATCH DELETE
        branding/phone/providers/:id/try POST
        branding/phone/templates GET POST
        branding/phone/templates/:id GET PATCH DELETE
        branding/phone/templates/:id/reset PATCH
        branding/phone/templates/:id/try POST
        branding/templates/universal-login GET PUT DELETE
        branding/themes POST
        branding/themes/:id GET PATCH DELETE
        branding/themes/default GET
        client-grants GET POST
        client-grants/:id GET PATCH DELETE
        client-grants/:id/organizations GET
        client-grants/search GET
        client-profiles GET POST
        client-profiles/:id GET PATCH DELETE
        clients GET POST
        clients/:id GET PATCH DELETE
        clients/:id/connections GET
        clients/:id/credentials GET POST
        clients/:id/credentials/:credential GET PATCH DELETE
        clients/:id/rotate-secret POST
        clients/cimd/preview POST
        clients/cimd/register POST
        clients/search GET
        connection-profiles GET POST
        connection-profiles/:id GET PATCH DELETE
        connection-profiles/templates GET
        connection-profiles/templates/:id GET
        connections GET POST
        connections-directory-provisionings GET
        connections-scim-configurations GET
        connections/:id GET PATCH DELETE
        connections/:id/clients GET PATCH
        connections/:id/directory-provisioning GET POST PATCH DELETE
        connections/:id/directory-provisioning/default-mapping GET
        connections/:id/directory-provisioning/synchronizations POST
        connections/:id/directory-provisioning/synchronized-groups GET POST PUT DELETE
        connections/:id/keys GET POST
        connections/:id/keys/rotate POST
        connections/:id/scim-configuration GET POST PATCH DELETE
        connections/:id/scim-configuration/default-mapping GET
        connections/:id/scim-configuration/tokens GET POST
        connections/:id/scim-configuration/tokens/:part DELETE
        connections/:id/status GET
        connections/:id/users DELETE
        custom-domains GET POST
        custom-domains/:id GET PATCH DELETE
        custom-domains/:id/test POST
        custom-domains/:id/verify POST
        custom-domains/default GET PATCH
        device-credentials GET POST
        device-credentials/:id DELETE
        email-templates POST
        email-templates/:name GET PUT PATCH
        emails/provider GET POST PATCH DELETE
        event-streams GET POST
        event-streams/:id GET PATCH DELETE
        event-streams/:id/deliveries GET
        event-streams/:id/deliveries/:part GET
        event-streams/:id/redeliver POST
        event-streams/:id/redeliver/:part POST
        event-streams/:id/test POST
        events GET
        experimentation/experiments GET POST
        experimentation/experiments/:id GET PATCH DELETE
        experimentation/experiments/:id/advance-ramp POST
        experimentation/experiments/:id/validate POST
        experimentation/feature-flags GET POST
        experimentation/feature-flags/:id GET PATCH DELETE
        experimentation/feature-flags/:id/variations GET POST
        experimentation/feature-flags/:id/variations/:part GET PATCH DELETE
        experimentation/segments GET POST
        experimentation/segments/:id GET PATCH DELETE
        flows GET POST
        flows/:id GET PATCH DELETE
        flows/:id/executions GET
        flows/:id/executions/:part GET DELETE
        flows/vault/connections GET POST
        flows/vault/connections/:id GET PATCH DELETE
        forms GET POST
        forms/:id GET PATCH DELETE
        grants GET DELETE
        grants/:id DELETE
        groups GET
        groups/:id GET DELETE
        groups/:id/members GET
        groups/:id/roles GET POST DELETE
        guardian/enrollments/:id GET DELETE
        guardian/enrollments/ticket POST
        guardian/factors GET
        guardian/factors/:name PUT
        guardian/factors/:name/providers/:provider GET PUT PATCH
        guardian/factors/:name/selected-provider GET PUT
        guardian/factors/:name/settings GET PUT PATCH
        guardian/factors/:name/templates GET PUT
        guardian/factors/phone/message-types GET PUT
        guardian/policies GET PUT
        guardian/settings GET PUT
        hooks GET POST
        hooks/:id GET PATCH DELETE
        hooks/:id/secrets GET POST PATCH DELETE
        jobs/:id GET
        jobs/:id/errors GET
        jobs/users-exports POST
        jobs/users-imports POST
        jobs/verification-email POST
        keys/custom-signing GET PUT DELETE
        keys/encryption GET POST
        keys/encryption/:id/wrapping-key POST
        keys/encryption/:kid GET POST DELETE
        keys/encryption/rekey POST
        keys/network-acls GET POST
        keys/network-acls/:id GET DELETE
        keys/signing GET
        keys/signing/:kid GET
        keys/signing/:kid/revoke PUT
        keys/signing/rotate POST
        log-streams GET POST
        log-streams/:id GET PATCH DELETE
        logs GET
        logs/:id GET
        network-acls GET POST
        network-acls/:id GET PUT PATCH DELETE
        organizations GET POST
        organizations/:id GET PATCH DELETE
        organizations/:id/client-grants GET POST
        organizations/:id/client-grants/:grant DELETE
        organizations/:id/clients GET POST DELETE
        organizations/:id/clients/:part GET PATCH
        organizations/:id/connections GET POST
        organizations/:id/connections/:connection GET PATCH DELETE
        organizations/:id/discovery-domains GET POST
        organizations/:id/discovery-domains/:domain GET PATCH DELETE
        organizations/:id/discovery-domains/name/:part GET
        organizations/:id/enabled_connections GET POST
        organizations/:id/enabled_connections/:connection GET PATCH DELETE
        organizations/:id/groups GET
        organizations/:id/groups/:part/roles GET POST DELETE
        organizations/:id/invitations GET POST
        organizations/:id/invitations/:invitation GET DELETE
        organizations/:id/members GET POST DELETE
        organizations/:id/members/:part/effective-roles GET
        organizations/:id/members/:part/effective-roles/sources/groups GET
        organizations/:id/members/:user/roles GET POST DELETE
        organizations/:id/roles/:part/groups GET
        organizations/:id/roles/:role/members GET
        organizations/name/:name GET
        organizations/search GET
        prompts GET PATCH
        prompts/:prompt/custom-text/:language GET PUT
        prompts/:prompt/partials GET PUT
        prompts/:prompt/screen/:screen/rendering GET PATCH
        prompts/rendering GET PATCH
        rate-limit-policies GET POST
        rate-limit-policies/:id GET PATCH DELETE
        refresh-tokens GET
        refresh-tokens/:id GET PATCH DELETE
        refresh-tokens/revoke POST
        resource-servers GET POST
        resource-servers/:id GET PATCH DELETE
        resource-servers/search GET
        risk-assessments/settings GET PATCH
        risk-assessments/settings/new-device GET PATCH
        roles GET POST
        roles/:id GET PATCH DELETE
        roles/:id/groups GET POST DELETE
        roles/:id/permissions GET POST DELETE
        roles/:id/users GET POST
        rules GET POST
        rules-configs GET
        rules-configs/:key PUT DELETE
        rules/:id GET PATCH DELETE
        self-service-profiles GET POST
        self-service-profiles/:id GET PATCH DELETE
        self-service-profiles/:id/custom-text/:language/:page GET PUT
        self-service-profiles/:id/sso-ticket POST
        self-service-profiles/:id/sso-ticket/:part/revoke POST
        sessions/:id GET PATCH DELETE
        sessions/:id/revoke POST
        stats/active-users GET
        stats/daily GET
        supplemental-signals GET PATCH
        tenants/settings GET PATCH
        tickets/email-verification POST
        tickets/password-change POST
        token-exchange-profiles GET POST
        token-exchange-profiles/:id GET PATCH DELETE
        user-attribute-profiles GET POST
        user-attribute-profiles/:id GET PATCH DELETE
        user-attribute-profiles/templates GET
        user-attribute-profiles/templates/:id GET
        user-blocks GET DELETE
        user-blocks/:id GET DELETE
        users GET POST
        users-by-email GET
        users/:id GET PATCH DELETE
        users/:id/authentication-methods GET POST PUT DELETE
        users/:id/authentication-methods/:method GET PATCH DELETE
        users/:id/authenticators DELETE
        users/:id/connected-accounts GET
        users/:id/effective-permissions GET
        users/:id/effective-permissions/sources/effective-roles GET
        users/:id/effective-roles GET
        users/:id/effective-roles/sources/groups GET
        users/:id/enrollments GET
        users/:id/federated-connections-tokensets GET
        users/:id/groups GET
        users/:id/identities POST
        users/:id/identities/:provider/:user DELETE
        users/:id/logs GET
        users/:id/multifactor/:provider DELETE
        users/:id/multifactor/actions/invalidate-remember-browser POST
        users/:id/organizations GET
        users/:id/permissions GET POST DELETE
        users/:id/recovery-code-regeneration POST
        users/:id/refresh-tokens GET DELETE
        users/:id/revoke-access POST
        users/:id/risk-assessments/clear POST
        users/:id/roles GET POST DELETE
        users/:id/sessions GET DELETE
        verifiable-credentials/verification/templates GET POST
        verifiable-credentials/verification/templates/:id GET PATCH DELETE
        """
}
