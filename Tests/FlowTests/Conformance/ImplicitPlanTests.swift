import Testing

/// The plans `oidcc-implicit-certification-test-plan` and `oidcc-formpost-implicit-certification-test-plan`.
@Suite("Conformance: Implicit OP, and Form Post OP with it")
struct ImplicitPlanTests {
    static let profiles = ConformanceProfile.plan("id_token", "id_token token")
    static let withToken = profiles.filter(\.hasToken)

    @Test("oidcc-server (OIDC Core §3.2)", arguments: profiles)
    func server(_ profile: ConformanceProfile) async throws { try await ConformanceModules.server(profile) }

    @Test("oidcc-response-type-missing (RFC 6749 §3.1.1)", arguments: profiles)
    func responseTypeMissing(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.responseTypeMissing(profile)
    }

    @Test("oidcc-idtoken-signature (OIDC Core §3.1.3.7, §10.1)", arguments: profiles)
    func idTokenSignature(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.idTokenSignature(profile)
    }

    @Test("oidcc-userinfo-get (OIDC Core §5.3.1)", arguments: withToken)
    func userInfoGet(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.userInfo(profile, .get)
    }

    @Test("oidcc-userinfo-post-header (OIDC Core §5.3.1)", arguments: withToken)
    func userInfoPostHeader(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.userInfo(profile, .postHeader)
    }

    @Test("oidcc-userinfo-post-body (RFC 6750 §2.2)", arguments: withToken)
    func userInfoPostBody(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.userInfo(profile, .postBody)
    }

    @Test("oidcc-ensure-request-without-nonce-fails (OIDC Core §3.2.2.1, §3.3.2.11)", arguments: profiles)
    func withoutNonceFails(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.withoutNonceFails(profile)
    }

    @Test("oidcc-scope-profile (OIDC Core §5.4)", arguments: profiles)
    func scopeProfile(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.scope(profile, "profile")
    }

    @Test("oidcc-scope-email (OIDC Core §5.4)", arguments: profiles)
    func scopeEmail(_ profile: ConformanceProfile) async throws { try await ConformanceModules.scope(profile, "email") }

    @Test("oidcc-scope-address (OIDC Core §5.4)", arguments: profiles)
    func scopeAddress(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.scope(profile, "address")
    }

    @Test("oidcc-scope-phone (OIDC Core §5.4)", arguments: profiles)
    func scopePhone(_ profile: ConformanceProfile) async throws { try await ConformanceModules.scope(profile, "phone") }

    @Test("oidcc-scope-all (OIDC Core §5.4)", arguments: profiles)
    func scopeAll(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.scope(profile, "address", "email", "phone", "profile")
    }

    @Test("oidcc-alternate-happy-flow (RFC 6749 §3.3)", arguments: profiles)
    func alternateHappyFlow(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.scope(profile, "email", reversed: true)
    }

    @Test("oidcc-display-page (OIDC Core §3.1.2.1, §15.1)", arguments: profiles)
    func displayPage(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.succeeds(profile, with: ["display": "page"])
    }

    @Test("oidcc-display-popup (OIDC Core §3.1.2.1, §15.1)", arguments: profiles)
    func displayPopup(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.succeeds(profile, with: ["display": "popup"])
    }

    @Test("oidcc-prompt-login (OIDC Core §3.1.2.1, §15.1)", arguments: profiles)
    func promptLogin(_ profile: ConformanceProfile) async throws { try await ConformanceModules.promptLogin(profile) }

    @Test("oidcc-prompt-none-not-logged-in (OIDC Core §3.1.2.6, §15.1)", arguments: profiles)
    func promptNoneNotLoggedIn(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.promptNoneNotLoggedIn(profile)
    }

    @Test("oidcc-prompt-none-logged-in (OIDC Core §3.1.2.1, §15.1)", arguments: profiles)
    func promptNoneLoggedIn(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.promptNoneLoggedIn(profile)
    }

    @Test("oidcc-max-age-1 (OIDC Core §2, §3.1.2.1, §15.1)", arguments: profiles)
    func maxAge1(_ profile: ConformanceProfile) async throws { try await ConformanceModules.maxAge1(profile) }

    @Test("oidcc-max-age-10000 (OIDC Core §2, §3.1.2.1, §15.1)", arguments: profiles)
    func maxAge10000(_ profile: ConformanceProfile) async throws { try await ConformanceModules.maxAge10000(profile) }

    @Test("oidcc-ensure-request-with-unknown-parameter-succeeds (RFC 6749 §3.1)", arguments: profiles)
    func unknownParameter(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.succeeds(profile, with: ["extra": "foobar"])
    }

    @Test("oidcc-id-token-hint (OIDC Core §3.1.2.1, §3.1.2.2)", arguments: profiles)
    func idTokenHint(_ profile: ConformanceProfile) async throws { try await ConformanceModules.idTokenHint(profile) }

    @Test("oidcc-login-hint (OIDC Core §3.1.2.1)", arguments: profiles)
    func loginHint(_ profile: ConformanceProfile) async throws { try await ConformanceModules.loginHint(profile) }

    @Test("oidcc-ui-locales (OIDC Core §3.1.2.1, §15.1)", arguments: profiles)
    func uiLocales(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.succeeds(profile, with: ["ui_locales": "se"])
    }

    @Test("oidcc-claims-locales (OIDC Core §5.2, §15.1)", arguments: profiles)
    func claimsLocales(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.succeeds(profile, with: ["claims_locales": "se"])
    }

    @Test("oidcc-ensure-request-with-acr-values-succeeds (OIDC Core §3.1.2.1, §15.1)", arguments: profiles)
    func acrValues(_ profile: ConformanceProfile) async throws { try await ConformanceModules.acrValues(profile) }

    @Test("oidcc-ensure-registered-redirect-uri (OIDC Core §3.1.2.1)", arguments: profiles)
    func registeredRedirectURI(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.registeredRedirectURI(profile)
    }

    @Test(
        "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported (OIDC Core §6.2)",
        arguments: profiles)
    func requestURIUnsigned(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.unsignedRequestURI(profile)
    }

    @Test(
        "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported (OIDC Core §6.1)",
        arguments: profiles)
    func requestObjectUnsigned(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.unsignedRequestObject(profile)
    }

    @Test("oidcc-claims-essential (OIDC Core §5.5, §5.5.1)", arguments: profiles)
    func claimsEssential(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.claimsEssential(profile)
    }

    @Test("oidcc-ensure-request-object-with-redirect-uri (OIDC Core §6.1)", arguments: profiles)
    func requestObjectRedirectURI(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.requestObjectWithRedirectURI(profile)
    }
}
