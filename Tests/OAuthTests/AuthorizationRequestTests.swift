import OAuth
import Testing

@Suite("Authorization requests")
struct AuthorizationRequestTests {
    private static func request(_ changes: [String: String] = [:]) throws -> AuthorizationRequest {
        try AuthorizationRequest(Parameters(trusted: ["response_type": "code"].merging(changes) { $1 }))
    }

    @Test("RFC 6749 §4.1.1: the least that a request needs")
    func least() throws {
        let request = try Self.request()
        #expect(request.responseType == .code)
        #expect(request.responseMode == .query)
        #expect(request.scope.isEmpty)
        #expect(request.audience == nil && request.nonce == nil && request.loginHint == nil)
        #expect(request.prompt.isEmpty && request.maxAge == nil && request.proofKey == nil)
        #expect(!request.prefersSignup && request.uiLocales.isEmpty)
    }

    @Test("OIDC Core §3.1.2.1: every parameter")
    func most() throws {
        let request = try Self.request([
            "response_mode": "form_post", "scope": "openid email", "audience": "appointments:api", "nonce": "n",
            "prompt": "login consent", "max_age": "0", "login_hint": "ada@example.com", "screen_hint": "signup",
            "ui_locales": "de-CH  fr", "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "code_challenge_method": "S256", "ext-anything": "ignored", "unknown": "ignored",
        ])
        #expect(request.responseMode == .formPost)
        #expect(request.scope == Scope(["email", "openid"]))
        #expect(request.audience == "appointments:api")
        #expect(request.nonce == "n")
        #expect(request.prompt == [.login, .consent])
        #expect(request.maxAge == 0)
        #expect(request.loginHint == "ada@example.com")
        #expect(request.prefersSignup)
        #expect(request.uiLocales == ["de-CH", "fr"])
        #expect(request.proofKey?.method == .s256)
    }

    @Test(
        "The first parameter that is wrong decides the code",
        arguments: [
            (["response_type": ""], .invalidRequest), (["response_type": "bogus"], .unsupportedResponseType),
            (["response_mode": "bogus"], .invalidRequest), (["scope": "a\"b"], .invalidScope),
            (["prompt": "none login"], .invalidRequest), (["code_challenge_method": "S256"], .invalidRequest),
            (["request": "x.y.z"], OAuthError.Code(rawValue: "request_not_supported")),
            (["request_uri": "https://app.example.com/r"], OAuthError.Code(rawValue: "request_uri_not_supported")),
            (["response_type": "bogus", "scope": "a\"b"], .unsupportedResponseType),
        ] as [([String: String], OAuthError.Code)]
    )
    func refused(changes: [String: String], code: OAuthError.Code) {
        #expect(refusal { _ = try Self.request(changes) }?.code == code)
    }

    @Test(
        "OIDC Core §3.1.2.1: max_age is a whole number of seconds",
        arguments: [
            ("0", 0), ("3600", 3600), ("00", 0), ("-1", nil), ("+1", nil), ("1.5", nil), ("1e3", nil), (" 1", nil),
            ("abc", nil), ("١", nil), ("99999999999999999999", nil), ("0x10", nil),
        ] as [(String, Int?)]
    )
    func maxAge(text: String, seconds: Int?) {
        #expect((try? Self.request(["max_age": text]))?.maxAge == seconds)
        if seconds == nil { #expect(refusal { _ = try Self.request(["max_age": text]) }?.code == .invalidRequest) }
    }

    @Test("No more than ten locales are looked at")
    func locales() throws {
        let request = try Self.request(["ui_locales": Array(repeating: "de", count: 1_000).joined(separator: " ")])
        #expect(request.uiLocales.count == 10)
    }

    @Test("OAuth 2.0 Multiple Response Types §2.1: a token never travels in a query")
    func modes() throws {
        let query = Parameters(trusted: ["response_mode": "query"])
        #expect(try AuthorizationRequest.responseMode(query, for: .code) == .query)
        for type in [ResponseType.token, .idToken, [.code, .idToken], [.code, .token]] {
            #expect(refusal { _ = try AuthorizationRequest.responseMode(query, for: type) }?.code == .invalidRequest)
            #expect(try AuthorizationRequest.responseMode(Parameters(trusted: [:]), for: type) == .fragment)
        }
    }
}
