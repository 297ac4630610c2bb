import Foundation
import HTTPTypes
import HummingbirdTesting
import JWTKit
import OAuth
import Storage
import TestSupport
import Testing

/// What a plan asks of every one of its modules: the response type and the way in which the answer comes.
struct ConformanceProfile: Sendable, CustomTestStringConvertible {
    let responseType: String
    /// `form_post`, or nil for the type's own.
    var responseMode: String?

    var testDescription: String { responseType + (responseMode.map { ", \($0)" } ?? "") }
    var words: Set<String> { Set(responseType.split(separator: " ").map(String.init)) }
    var hasCode: Bool { words.contains("code") }
    var hasToken: Bool { words.contains("token") }
    var hasIDToken: Bool { words.contains("id_token") }

    /// A plan with these response types, and the same plan with form_post.
    private static func plan(_ types: String...) -> [ConformanceProfile] {
        types.map { ConformanceProfile(responseType: $0) }
            + types.map { ConformanceProfile(responseType: $0, responseMode: "form_post") }
    }
}

/// The profiles of the plans that a module stands in.
extension ConformanceProfile {
    static let basic = plan("code")
    static let implicit = plan("id_token", "id_token token")
    static let hybrid = plan("code id_token", "code token", "code id_token token")
    static let all = basic + implicit + hybrid
    /// The plan Dynamic leaves the response type to whoever runs it.
    static let dynamic = ["code", "code id_token", "code id_token token"].map {
        ConformanceProfile(responseType: $0)
    }
    static let withCode = all.filter(\.hasCode)
    static let withAccessToken = all.filter { $0.hasCode || $0.hasToken }
    static let withIDToken = all.filter(\.hasIDToken)
    static let withoutIDToken = all.filter { !$0.hasIDToken }
}

/// A client that checks of each answer what the conformance suite checks in every module.
struct ConformanceClient: Sendable {
    let server: TestServer
    let profile: ConformanceProfile
    var clientID = "regular-web-app"
    var proof = Proof.basic(Client.regularWebAppSecret)
    var callback = Client.callback
    /// The code verifier that is sent along with a code.
    var verifier: String?

    /// How the client proves itself at the token endpoint.
    enum Proof: Sendable {
        case basic(_ secret: String)
        case post(_ secret: String)
        /// `private_key_jwt`; the audience is the token endpoint's address, as the suite's is.
        case key(ForeignKey, audience: String = TestServer.issuer + "oauth/token")
    }

    /// Runs a module against a tenant whose user has every standard claim.
    static func run(
        _ profile: ConformanceProfile, _ change: (inout Fixtures) -> Void = { _ in },
        _ body: @Sendable (ConformanceClient) async throws -> Void
    ) async throws {
        var fixtures = Fixtures()
        fixtures.change("regular-web-app") {
            $0.grantTypes.insert(.implicit)
            $0.tokenEndpointAuthMethod = .clientSecretBasic
        }
        fixtures.users[0].0.profile = userClaims
        change(&fixtures)
        try await TestServer.run(fixtures) { try await body(ConformanceClient(server: $0, profile: profile)) }
    }

    static let userClaims: JSONObject = [
        "name": "Ada Lovelace", "given_name": "Ada", "family_name": "Lovelace", "middle_name": "King",
        "nickname": "ada", "preferred_username": "ada", "profile": "https://ada.example/",
        "picture": "https://ada.example/picture.png", "website": "https://ada.example/", "gender": "female",
        "birthdate": "1815-12-10", "zoneinfo": "Europe/London", "locale": "en-GB",
        "phone_number": "+44 20 7946 0000", "phone_number_verified": true,
        "address": ["formatted": "12 St James's Square, London", "country": "United Kingdom"],
    ]

    /// The standard claims that each scope asks for (OpenID Connect Core §5.4).
    static let scopeClaims: [String: Set<String>] = [
        "openid": ["sub"],
        "profile": [
            "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture",
            "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at",
        ],
        "email": ["email", "email_verified"], "address": ["address"],
        "phone": ["phone_number", "phone_number_verified"],
    ]

    // MARK: The authorization request

    /// A request with a new state and a new nonce.
    func request(_ changes: [String: String?] = [:]) -> [String: String] {
        var parameters: [String: String?] = [
            "client_id": clientID, "redirect_uri": callback, "scope": "openid",
            "state": Secret.random().text, "nonce": Secret.random().text, "response_type": profile.responseType,
            "response_mode": profile.responseMode,
        ]
        parameters.merge(changes) { $1 }
        return parameters.compactMapValues(\.self)
    }

    /// The request as a request object without a signature.
    func unsignedObject(_ request: [String: String]) throws -> String {
        let header = Base64URL.encode(Array(#"{"alg":"none"}"#.utf8))
        return header + "." + Base64URL.encode(try JSON.bytes(request.mapValues(JSONValue.string))) + "."
    }

    static func url(_ request: [String: String], reversed: Bool = false) -> String {
        let pairs = request.map { "\($0)=\($1.formEncoded)" }.sorted()
        return "/authorize?" + (reversed ? pairs.reversed() : pairs).joined(separator: "&")
    }

    /// Sends a request, and signs Ada in where the server asks for it.
    func send(
        _ request: [String: String], _ browser: TestBrowser, reversed: Bool = false
    ) async throws -> (response: TestResponse, sawLogin: Bool) {
        let response = try await browser.get(Self.url(request, reversed: reversed))
        guard response.location?.hasPrefix("/u/login") == true else { return (response, false) }
        var next = try await browser.logIn(response, password: User.adaPassword)
        if next.location?.hasPrefix("/u/consent") == true {
            next = try await browser.follow(browser.submit(next, [("action", "accept")]))
        }
        return (next, true)
    }

    /// The parameters of an answer, which must have come in the way that was asked for and be this request's.
    func answer(_ response: TestResponse, to request: [String: String]) -> AuthorizationAnswer {
        let answer = AuthorizationAnswer(response)
        let location = response.location ?? ""
        if profile.responseMode == "form_post" {
            #expect(response.status == .ok && location.isEmpty)
            #expect(response.text.contains(#"method="post""#))
            #expect(response.text.contains(#"action="https://app.example.com/callback""#))
        } else {
            let isInFragment = profile.words != ["code"] && request["response_type"] != nil
            let hasQuery = callback.contains("?")
            #expect(location.hasPrefix(callback + (isInFragment ? "#" : hasQuery ? "&" : "?")))
            #expect(!isInFragment || hasQuery || !location.contains("?"))
        }
        #expect(answer["state"] == request["state"])
        #expect(answer["iss"] == TestServer.issuer)
        return answer
    }

    /// OpenID Connect Core §3.1.2.6: an error answer with nothing in it but what belongs there.
    func refusal(_ response: TestResponse, to request: [String: String]) -> String? {
        let answer = answer(response, to: request)
        #expect(
            Set(answer.parameters.keys).isSubset(of: ["error", "error_description", "error_uri", "state", "iss"]))
        let text = answer["error_description"] ?? ""
        #expect(text.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C })
        return answer["error"]
    }

    // MARK: A whole sign-in

    /// What one sign-in gave.
    struct SignIn: Sendable {
        let answer: AuthorizationAnswer
        let sawLogin: Bool
        /// The claims of the ID token of the front channel, and of the token endpoint.
        let frontClaims, backClaims: JSONObject?
        let tokens: JSONObject
        let code: String?

        /// The ID token that came last, as it is and its claims.
        var idToken: String { tokens["id_token"]?.string ?? answer["id_token"] ?? "" }
        var claims: JSONObject { backClaims ?? frontClaims ?? [:] }
        var accessToken: String? { tokens["access_token"]?.string ?? answer["access_token"] }
    }

    /// Signs Ada in, with every check that the suite makes in each of its modules.
    func signIn(
        _ changes: [String: String?] = [:], browser: TestBrowser? = nil, reversed: Bool = false
    ) async throws -> SignIn {
        let request = request(changes)
        let (response, sawLogin) = try await send(request, browser ?? TestBrowser(server), reversed: reversed)
        return try await finish(response, of: request, sawLogin: sawLogin)
    }

    /// Checks an answer, and redeems its code.
    func finish(_ response: TestResponse, of request: [String: String], sawLogin: Bool) async throws -> SignIn {
        let answer = answer(response, to: request)
        #expect(answer["error"] == nil)
        #expect((answer["code"] != nil) == profile.hasCode)
        #expect((answer["access_token"] != nil) == profile.hasToken)
        #expect((answer["id_token"] != nil) == profile.hasIDToken)
        if profile.hasToken {
            #expect(answer["token_type"]?.lowercased() == "bearer")
            #expect((Int(answer["expires_in"] ?? "") ?? 0) > 0)
        }
        var front: JSONObject?
        if let token = answer["id_token"] { front = try await verified(token, of: request) }
        var tokens: JSONObject = [:]
        var back: JSONObject?
        if let code = answer["code"] {
            let redeemed = try await redeem(code)
            tokens = try checkedTokens(redeemed)
            back = try await verified(tokens["id_token"]?.string ?? "", of: request)
            if let front { for name in ["iss", "sub"] { #expect(front[name] == back?[name]) } }
        }
        return SignIn(
            answer: answer, sawLogin: sawLogin, frontClaims: front, backClaims: back, tokens: tokens,
            code: answer["code"])
    }

    /// RFC 6749 §5.1: the answer of the token endpoint.
    func checkedTokens(_ response: TestResponse) throws -> JSONObject {
        #expect(response.status == .ok)
        #expect(response.headers[.contentType]?.hasPrefix("application/json") == true)
        #expect(response.headers[.cacheControl]?.contains("no-store") == true)
        let tokens = try response.json()
        #expect(tokens["access_token"]?.string?.isEmpty == false)
        #expect(tokens["token_type"]?.string?.lowercased() == "bearer")
        #expect((tokens["expires_in"]?.integer ?? 0) > 0)
        return tokens
    }

    func redeem(_ code: String) async throws -> TestResponse {
        var form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", callback)]
        if let verifier { form.append(("code_verifier", verifier)) }
        return try await token(form)
    }

    /// A token request with this client's authentication.
    func token(_ form: [(String, String)]) async throws -> TestResponse {
        switch proof {
        case .basic(let secret):
            let pair = Data("\(clientID):\(secret)".utf8).base64EncodedString()
            return try await server.post("/oauth/token", form: form, headers: [.authorization: "Basic \(pair)"])
        case .post(let secret):
            return try await server.post(
                "/oauth/token", form: form + [("client_id", clientID), ("client_secret", secret)])
        case .key(let key, let audience):
            return try await server.post("/oauth/token", form: form + assertion(by: key, audience: audience))
        }
    }

    /// RFC 7523 §2.2: an assertion that lives for a minute.
    private func assertion(by key: ForeignKey, audience: String) throws -> [(String, String)] {
        let now = Int64(server.clock.now.timeIntervalSince1970)
        let assertion = try key.token([
            "iss": .string(clientID), "sub": .string(clientID), "aud": .string(audience), "iat": .integer(now),
            "exp": .integer(now + 60), "jti": .string(Secret.random().text),
        ])
        return [
            ("client_assertion", assertion),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ]
    }

    // MARK: ID tokens and userinfo

    private struct Payload: JWTPayload {
        let iss: IssuerClaim
        func verify(using algorithm: some JWTAlgorithm) throws {}
    }

    /// OpenID Connect Core §2, §3.1.3.7: the claims of an ID token whose signature a library has verified.
    func verified(_ token: String, of request: [String: String]) async throws -> JSONObject {
        let keys = JWTKeyCollection()
        try await keys.add(jwksJSON: try await server.get("/.well-known/jwks.json").text)
        _ = try await keys.verify(token, as: Payload.self)
        let claims = token.claims
        #expect(token.tokenHeader["alg"] == "RS256" && token.tokenHeader["kid"]?.string?.isEmpty == false)
        let issuer = try await server.get("/.well-known/openid-configuration").json()["issuer"]
        #expect(claims["iss"] == issuer)
        #expect(claims["aud"] == .string(clientID) || claims["aud"] == [.string(clientID)])
        #expect(claims["azp"] == nil || claims["azp"] == .string(clientID))
        let now = Int(server.clock.now.timeIntervalSince1970)
        #expect((claims["exp"]?.integer ?? 0) > now)
        #expect(abs((claims["iat"]?.integer ?? 0) - now) <= 5)
        #expect((1...255).contains(claims["sub"]?.string?.utf8.count ?? 0))
        #expect(claims["nonce"]?.string == request["nonce"])
        expectStandardTypes(claims)
        return claims
    }

    /// OpenID Connect Core §5.1: standard claims are texts but for those that are not, and none is empty.
    func expectStandardTypes(_ claims: JSONObject) {
        for name in Self.scopeClaims.values.flatMap(\.self) {
            guard let value = claims[name] else { continue }
            switch name {
            case "email_verified", "phone_number_verified": #expect(value.bool != nil, "\(name)")
            case "updated_at": #expect(value.integer != nil, "\(name)")
            case "address": #expect(value.object != nil, "\(name)")
            default: #expect(value.string?.isEmpty == false, "\(name)")
            }
        }
    }

    /// How the access token reaches the userinfo endpoint.
    enum Bearer: Sendable { case get, postHeader, postBody }

    /// OpenID Connect Core §5.3: the claims, of the user of the ID tokens.
    func userInfo(_ signIn: SignIn, _ bearer: Bearer = .get) async throws -> JSONObject {
        let token = signIn.accessToken ?? ""
        let response =
            switch bearer {
            case .get: try await server.get("/userinfo", headers: [.authorization: "Bearer \(token)"])
            case .postHeader:
                try await server.client.execute(
                    uri: "/userinfo", method: .post, headers: [.authorization: "Bearer \(token)"])
            case .postBody: try await server.post("/userinfo", form: [("access_token", token)])
            }
        #expect(response.status == .ok)
        #expect(response.headers[.contentType]?.hasPrefix("application/json") == true)
        let claims = try response.json()
        expectStandardTypes(claims)
        #expect(claims["sub"]?.string?.isEmpty == false)
        for idToken in [signIn.frontClaims, signIn.backClaims].compactMap(\.self) {
            #expect(claims["sub"] == idToken["sub"])
        }
        return claims
    }
}
