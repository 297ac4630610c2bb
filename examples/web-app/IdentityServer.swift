import AsyncHTTPClient
import Foundation
import Hummingbird
import NIOHTTP1

/// The identity server: the addresses that the browser is sent to, and the requests that the application makes itself.
actor IdentityServer {
    private let settings: Settings
    private var known: Metadata?

    init(settings: Settings) {
        self.settings = settings
    }

    /// What the server says of itself (OpenID Connect Discovery §4); asked once.
    func metadata() async throws -> Metadata {
        if let known { return known }
        let url = settings.issuer + ".well-known/openid-configuration"
        let metadata: Metadata = try await Self.json(HTTPClientRequest(url: url))
        guard metadata.issuer == settings.issuer else {
            throw Problem(
                .badGateway, "The identity server has another name",
                "It calls itself \(metadata.issuer). Set ISSUER to that, or start the server with \(settings.issuer).")
        }
        known = metadata
        return metadata
    }

    /// Step 1 of the tutorial: where the *Sign in* button leads.
    func authorizationURL(for signIn: SignIn) async throws -> String {
        let parameters = [
            ("client_id", settings.clientID),
            ("redirect_uri", settings.redirectURI),
            ("scope", "openid profile email offline_access appointments contacts"),
            ("audience", settings.audience),
            ("state", signIn.state),
            ("nonce", signIn.nonce),
            ("code_challenge", signIn.codeChallenge),
            ("code_challenge_method", "S256"),
        ]
        return try await metadata().authorizationEndpoint + "?" + Self.encoded(signIn.flow.parameters + parameters)
    }

    /// Step 2: the code for tokens.
    func tokens(code: String, of signIn: SignIn) async throws -> TokenResponse {
        try await tokens([
            ("grant_type", "authorization_code"),
            ("client_id", settings.clientID),
            ("client_secret", settings.clientSecret),
            ("code", code),
            ("redirect_uri", settings.redirectURI),
            ("code_verifier", signIn.codeVerifier),
        ])
    }

    /// Step 4: a new access token without the user.
    func tokens(refreshToken: String) async throws -> TokenResponse {
        try await tokens([
            ("grant_type", "refresh_token"),
            ("client_id", settings.clientID),
            ("client_secret", settings.clientSecret),
            ("refresh_token", refreshToken),
        ])
    }

    /// Ends the session at the identity server too, and comes back here.
    nonisolated func logoutURL() -> String {
        settings.issuer + "v2/logout?"
            + Self.encoded([("client_id", settings.clientID), ("returnTo", settings.baseURL)])
    }

    /// The public keys that ID tokens are signed with, as they are now.
    func keys() async throws -> KeySet {
        try await Self.json(HTTPClientRequest(url: metadata().jwksURI))
    }

    private func tokens(_ parameters: [(String, String)]) async throws -> TokenResponse {
        var request = HTTPClientRequest(url: try await metadata().tokenEndpoint)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        request.body = .bytes(ByteBuffer(string: Self.encoded(parameters)))
        return try await Self.json(request)
    }

    /// - Throws: ``TokenError`` when the answer is an OAuth error, ``Problem`` when there is none that can be read.
    private static func json<Value: Decodable>(_ request: HTTPClientRequest) async throws -> Value {
        let (status, body): (HTTPResponseStatus, Data)
        do {
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
            status = response.status
            body = Data(try await response.body.collect(upTo: 1024 * 1024).readableBytesView)
        } catch {
            throw Problem(
                .badGateway, "The identity server does not answer",
                "\(request.url): \(error). Is it running, and is ISSUER its address?")
        }
        let decoder = JSONDecoder()
        if status == .ok, let value = try? decoder.decode(Value.self, from: body) { return value }
        if let error = try? decoder.decode(TokenError.self, from: body) { throw error }
        throw Problem(
            .badGateway, "The identity server gave a strange answer",
            "\(request.url) answered \(status.code) with a body that is not what the specification says.")
    }

    /// What stays as it is ([RFC 3986 §2.3](https://www.rfc-editor.org/rfc/rfc3986#section-2.3)).
    private static let unreserved = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

    private static func encoded(_ parameters: [(String, String)]) -> String {
        parameters.map { name, value in
            name + "=" + (value.addingPercentEncoding(withAllowedCharacters: unreserved) ?? "")
        }.joined(separator: "&")
    }
}
