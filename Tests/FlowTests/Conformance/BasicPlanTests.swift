import Testing

/// The plans `oidcc-basic-certification-test-plan` and `oidcc-formpost-basic-certification-test-plan`.
@Suite("Conformance: Basic OP, and Form Post OP with it")
struct BasicPlanTests {
    static let profiles = ConformanceProfile.plan("code")

    @Test("oidcc-server (OIDC Core §3.1)", arguments: profiles)
    func server(_ profile: ConformanceProfile) async throws { try await ConformanceModules.server(profile) }

    @Test("oidcc-response-type-missing (RFC 6749 §3.1.1)", arguments: profiles)
    func responseTypeMissing(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.responseTypeMissing(profile)
    }

    @Test("oidcc-idtoken-signature (OIDC Core §3.1.3.7, §10.1)", arguments: profiles)
    func idTokenSignature(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.idTokenSignature(profile)
    }

    @Test("oidcc-idtoken-unsigned (OIDC Core §2)", arguments: profiles)
    func idTokenUnsigned(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.idTokenUnsigned(profile)
    }

    @Test("oidcc-userinfo-get (OIDC Core §5.3.1)", arguments: profiles)
    func userInfoGet(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.userInfo(profile, .get)
    }

    @Test("oidcc-userinfo-post-header (OIDC Core §5.3.1)", arguments: profiles)
    func userInfoPostHeader(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.userInfo(profile, .postHeader)
    }

    @Test("oidcc-userinfo-post-body (RFC 6750 §2.2)", arguments: profiles)
    func userInfoPostBody(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.userInfo(profile, .postBody)
    }

    @Test("oidcc-ensure-request-without-nonce-succeeds-for-code-flow (OIDC Core §3.1.2.1)", arguments: profiles)
    func withoutNonceSucceeds(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.withoutNonceSucceeds(profile)
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

    @Test("oidcc-codereuse (RFC 6749 §4.1.2)", arguments: profiles)
    func codeReuse(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.codeReuse(profile, after: 0)
    }

    @Test("oidcc-codereuse-30seconds (RFC 6749 §4.1.2)", arguments: profiles)
    func codeReuseLater(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.codeReuse(profile, after: 30)
    }

    @Test("oidcc-ensure-registered-redirect-uri (OIDC Core §3.1.2.1)", arguments: profiles)
    func registeredRedirectURI(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.registeredRedirectURI(profile)
    }

    @Test("oidcc-ensure-post-request-succeeds (OIDC Core §3.1.2.1)", arguments: profiles)
    func postRequest(_ profile: ConformanceProfile) async throws { try await ConformanceModules.postRequest(profile) }

    @Test("oidcc-server-client-secret-post (OIDC Core §9)", arguments: profiles)
    func clientSecretPost(_ profile: ConformanceProfile) async throws {
        try await ConformanceModules.server(profile, usesBasic: false)
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

    @Test("oidcc-refresh-token (OIDC Core §12)", arguments: profiles)
    func refreshToken(_ profile: ConformanceProfile) async throws { try await ConformanceModules.refreshToken(profile) }

    @Test("oidcc-ensure-request-with-valid-pkce-succeeds (RFC 7636)", arguments: profiles)
    func pkce(_ profile: ConformanceProfile) async throws { try await ConformanceModules.pkce(profile) }
}
