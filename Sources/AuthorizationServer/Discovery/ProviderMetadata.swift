import OAuth
import Storage

/// The document at `/.well-known/openid-configuration`, OpenID Connect Discovery §3 and
/// [RFC 8414](https://www.rfc-editor.org/rfc/rfc8414): only what the server really does.
package enum ProviderMetadata {
    /// The members of the document: what is always there, and what the tenant's settings turn on.
    /// - Parameter mutualTLS: what is known of clients' certificates.
    package static func document(
        _ issuer: Issuer, _ settings: TenantSettings, _ mutualTLS: MutualTLS? = nil
    ) -> JSONObject {
        var members = standard(issuer, settings).merging(authenticationMethods(mutualTLS)) { $1 }
        if settings.allowsRegistration { members["registration_endpoint"] = .string(issuer.url("oidc/register")) }
        if settings.acceptsPushedRequests {
            members["pushed_authorization_request_endpoint"] = .string(issuer.url("oauth/par"))
        }
        if settings.logout.isEndSessionEndpointPublished {
            members["end_session_endpoint"] = .string(issuer.url("oidc/logout"))
        }
        if settings.readsClientMetadataDocuments { members["client_id_metadata_document_supported"] = true }
        if let mutualTLS {
            members["tls_client_certificate_bound_access_tokens"] = true
            if let host = mutualTLS.host, settings.publishesMutualTLSAliases {
                members["mtls_endpoint_aliases"] = .object(aliases(of: members, from: issuer, at: host))
            }
        }
        return members
    }

    /// Where clients with certificates find what others find at the issuer,
    /// [RFC 8705 §5](https://www.rfc-editor.org/rfc/rfc8705#section-5).
    private static func aliases(of members: JSONObject, from issuer: Issuer, at host: Issuer) -> JSONObject {
        let names = [
            "token_endpoint", "revocation_endpoint", "introspection_endpoint", "device_authorization_endpoint",
            "userinfo_endpoint", "pushed_authorization_request_endpoint",
        ]
        return names.reduce(into: [:]) { aliases, name in
            guard let address = members[name]?.string else { return }
            aliases[name] = .string(host.url(String(address.dropFirst(issuer.text.count))))
        }
    }

    private static func authenticationMethods(_ mutualTLS: MutualTLS?) -> JSONObject {
        let methods = ClientAuthenticationMethod.supported(mutualTLS)
        return [
            "token_endpoint_auth_methods_supported": JSONValue(methods.map(\.rawValue)),
            "revocation_endpoint_auth_methods_supported": JSONValue(methods.map(\.rawValue)),
            "introspection_endpoint_auth_methods_supported": JSONValue(
                methods.filter { $0 != .none }.map(\.rawValue)),
        ]
    }

    private static func standard(_ issuer: Issuer, _ settings: TenantSettings) -> JSONObject {
        [
            "authorization_response_iss_parameter_supported": .bool(settings.sendsIssuerInResponses),
            "issuer": .string(issuer.text),
            "authorization_endpoint": .string(issuer.url("authorize")),
            "token_endpoint": .string(issuer.url("oauth/token")),
            "device_authorization_endpoint": .string(issuer.url("oauth/device/code")),
            "userinfo_endpoint": .string(issuer.url("userinfo")),
            "mfa_challenge_endpoint": .string(issuer.url("mfa/challenge")),
            "jwks_uri": .string(issuer.url(".well-known/jwks.json")),
            "revocation_endpoint": .string(issuer.url("oauth/revoke")),
            "introspection_endpoint": .string(issuer.url("oauth/introspect")),
            "scopes_supported": JSONValue(([Scope.openID, Scope.offlineAccess] + Scope.claims.keys).sorted()),
            "response_types_supported": JSONValue(ResponseType.supported.map(\.text)),
            "response_modes_supported": JSONValue(ResponseMode.allCases.map(\.rawValue)),
            "grant_types_supported": JSONValue(grantTypes.map(\.rawValue).sorted()),
            "code_challenge_methods_supported": JSONValue(ProofKey.Method.allCases.map(\.rawValue).sorted()),
            "subject_types_supported": JSONValue(SubjectType.allCases.map(\.rawValue)),
            "id_token_signing_alg_values_supported": JSONValue(
                SigningAlgorithm.allCases.filter(settings.signingAlgorithms.allow).map(\.rawValue)),
            "userinfo_signing_alg_values_supported": JSONValue(
                SigningAlgorithm.allCases.filter(settings.signingAlgorithms.allow).map(\.rawValue)),
            "token_endpoint_auth_signing_alg_values_supported": JSONValue(JWSAlgorithm.allCases.map(\.rawValue)),
            "dpop_signing_alg_values_supported": JSONValue(JWSAlgorithm.asymmetric.map(\.rawValue).sorted()),
            "prompt_values_supported": JSONValue(Prompt.allCases.map(\.rawValue)),
            "claims_supported": JSONValue(
                Set(Scope.claims.values.joined()).union(["aud", "auth_time", "exp", "iat", "iss", "sid", "sub"])
                    .sorted()),
            "claims_parameter_supported": true,
            "request_parameter_supported": true,
            "request_uri_parameter_supported": true,
            "require_request_uri_registration": true,
            "request_object_signing_alg_values_supported": JSONValue(
                RequestObjectSettings.algorithmNames),
            "backchannel_logout_supported": true,
            "backchannel_logout_session_supported": true,
            "frontchannel_logout_supported": true,
            "frontchannel_logout_session_supported": true,
        ]
    }

    /// What the token endpoint takes, and what the response types need: `implicit` is a grant without a request there.
    private static var grantTypes: Set<GrantType> {
        Set(Grants.all.map { $0.type }).union(ResponseType.supported.flatMap(\.grantTypes))
    }
}
