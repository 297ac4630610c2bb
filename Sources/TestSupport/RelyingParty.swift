import HTTPTypes
import HummingbirdTesting
import OAuth
import Storage

/// An application of the tenant's, as its developer wrote it.
package struct RelyingParty: Sendable {
    package let server: TestServer
    package let clientID: String
    package let secret: String?

    package init(server: TestServer, clientID: String, secret: String?) {
        (self.server, self.clientID, self.secret) = (server, clientID, secret)
    }

    /// The first-party application with a secret.
    package static func regularWebApp(_ server: TestServer) -> RelyingParty {
        RelyingParty(server: server, clientID: "regular-web-app", secret: Client.regularWebAppSecret)
    }
    /// Another owner's application, which needs consent.
    package static func thirdParty(_ server: TestServer) -> RelyingParty {
        RelyingParty(server: server, clientID: "third-party-app", secret: Client.thirdPartySecret)
    }
    /// The public client.
    package static func singlePageApp(_ server: TestServer) -> RelyingParty {
        RelyingParty(server: server, clientID: "single-page-app", secret: nil)
    }

    /// The client without users.
    package static func machine(_ server: TestServer) -> RelyingParty {
        RelyingParty(server: server, clientID: "machine", secret: Client.machineSecret)
    }

    /// The API's own client, of ``Fixtures/withAPIClient()``.
    package static func appointmentsAPI(_ server: TestServer) -> RelyingParty {
        RelyingParty(server: server, clientID: "appointments-api", secret: Client.appointmentsAPISecret)
    }

    /// The device without a browser, of ``Fixtures/withTelevision()``.
    package static func television(_ server: TestServer) -> RelyingParty {
        RelyingParty(server: server, clientID: "television", secret: nil)
    }

    /// What the introspection endpoint says of a token.
    package func introspect(_ token: String, hint: String? = nil) async throws -> JSONObject {
        try await post("/oauth/introspect", ["token": token, "token_type_hint": hint]).json()
    }

    /// Revokes a token.
    package func revoke(_ token: String, hint: String? = nil) async throws -> TestResponse {
        try await post("/oauth/revoke", ["token": token, "token_type_hint": hint])
    }

    /// The authorization URL with `changes` to its usual parameters; nil removes one.
    package func authorizationURL(_ changes: [String: String?] = [:]) -> String {
        var parameters: [String: String?] = [
            "response_type": "code", "client_id": clientID, "redirect_uri": Client.callback,
            "scope": "openid profile email", "state": "xyzABC123",
        ]
        parameters.merge(changes) { $1 }
        return "/authorize?"
            + parameters.compactMap { name, value in value.map { "\(name)=\($0.formEncoded)" } }.sorted()
            .joined(separator: "&")
    }

    /// Signs Ada in and returns the answer that goes to the application.
    package func authorize(
        _ browser: TestBrowser, _ changes: [String: String?] = [:], password: String = User.adaPassword
    ) async throws -> TestResponse {
        let response = try await browser.get(authorizationURL(changes))
        let page = response.location ?? ""
        guard page.hasPrefix("/u/"), !page.hasPrefix("/u/consent") else { return response }
        return try await browser.logIn(response, password: password)
    }

    /// A code for Ada.
    package func code(_ browser: TestBrowser? = nil, _ changes: [String: String?] = [:]) async throws -> String {
        try await authorize(browser ?? TestBrowser(server), changes).query("code") ?? ""
    }

    /// Redeems a code; `changes` replace or remove usual parameters.
    package func redeem(
        _ code: String, _ changes: [String: String?] = [:], headers: HTTPFields = [:]
    ) async throws -> TestResponse {
        try await token(
            ["grant_type": "authorization_code", "code": code, "redirect_uri": Client.callback].merging(changes) { $1 },
            headers: headers)
    }

    /// Exchanges a refresh token; `changes` replace or remove usual parameters.
    package func refresh(
        _ token: String, _ changes: [String: String?] = [:], headers: HTTPFields = [:]
    ) async throws -> TestResponse {
        try await self.token(
            ["grant_type": "refresh_token", "refresh_token": token].merging(changes) { $1 }, headers: headers)
    }

    /// A token request with the client's credentials in the body.
    package func token(
        _ parameters: [String: String?], headers: HTTPFields = [:]
    ) async throws -> TestResponse {
        try await post("/oauth/token", parameters, headers: headers)
    }

    /// A form with the client's credentials in it; nil removes a parameter.
    package func post(
        _ path: String, _ parameters: [String: String?], headers: HTTPFields = [:]
    ) async throws -> TestResponse {
        var all: [String: String?] = ["client_id": clientID, "client_secret": secret]
        all.merge(parameters) { $1 }
        return try await server.post(
            path, form: all.compactMap { name, value in value.map { (name, $0) } }, headers: headers)
    }

    /// The answer of the token endpoint to a whole code flow.
    package func tokens(_ changes: [String: String?] = [:]) async throws -> JSONObject {
        try await redeem(code(nil, changes)).json()
    }
}
