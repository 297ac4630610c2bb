import Foundation
import Hummingbird

/// `/login`, `/callback` and `/logout`: the user's way to the identity server and back.
struct SignInController: Sendable {
    let settings: Settings
    let server: IdentityServer
    let browsers: BrowserSessions<Session>
    let signIns: BrowserSessions<SignIns>

    var endpoints: RouteCollection<BasicRequestContext> {
        RouteCollection()
            .get("login") { request, _ in try await login(request, .code) }
            .get("login/hybrid") { request, _ in try await login(request, .hybrid) }
            .get("callback") { request, context in
                let answer = try request.uri.decodeQuery(as: AuthorizationResponse.self, context: context)
                return try await callback(request, answer, .code)
            }
            .post("callback") { request, context in
                let answer = try await URLEncodedFormDecoder().decode(
                    AuthorizationResponse.self, from: request, context: context)
                return try await callback(request, answer, .hybrid)
            }
            .post("logout", use: logout)
    }

    /// Step 1: sends the browser to the authorization URL, and remembers what must come back.
    private func login(_ request: Request, _ flow: Flow) async throws -> Response {
        let signIn = SignIn(flow: flow)
        var response = Response.redirect(to: try await server.authorizationURL(for: signIn), type: .found)
        if await signIns.change(request, { $0.begin(signIn) }) == nil {
            await signIns.replace(request, with: SignIns(signIn), in: &response)
        }
        return response
    }

    /// Step 2: verifies what the browser brought, redeems the code, and signs the user in.
    private func callback(
        _ request: Request, _ answer: AuthorizationResponse, _ flow: Flow
    ) async throws -> Response {
        let signIn = try await signIn(answeredBy: answer, flow, request)
        guard answer.error == nil else { throw Problem(answer) }
        guard let code = answer.code else {
            throw Problem(.badRequest, "There is no code", "The identity server came back without code and error.")
        }
        let keys = try await server.keys()
        var frontChannel: FrontChannel?
        if flow == .hybrid {
            frontChannel = try await FrontChannel(
                verifying: answer, code: code, keys: keys, settings: settings, nonce: signIn.nonce)
        }
        let tokens = try await tokens(code, signIn)
        guard let idToken = tokens.idToken else {
            throw Problem(.badGateway, "There is no ID token", "The server did not grant the scope openid.")
        }
        let claims = try await IDToken(verifying: idToken, keys: keys, settings: settings, nonce: signIn.nonce)
        guard frontChannel?.userID ?? claims.sub == claims.sub else {
            throw Problem(.badGateway, "The ID token was refused", "The code brought that of another user.")
        }
        let user = User(
            id: claims.sub, name: claims.name ?? claims.sub, email: claims.email, frontChannel: frontChannel,
            idToken: idToken, accessToken: tokens.accessToken,
            refreshToken: tokens.refreshToken, accessTokenExpires: tokens.expiresIn.map { Date() + $0 })
        var response = Response.redirect(to: "/")
        await browsers.replace(request, with: Session(user: user), in: &response)
        return response
    }

    /// The sign-in that `answer` is the answer to; it cannot be used again.
    private func signIn(
        answeredBy answer: AuthorizationResponse, _ flow: Flow, _ request: Request
    ) async throws -> SignIn {
        guard let state = answer.state, let signIn = await signIns.change(request, { $0.end(state) }) ?? nil,
            signIn.flow == flow
        else {
            throw Problem(
                .badRequest, "This sign-in did not begin here",
                "The state that came back is none that this browser was given. It may be finished already, or "
                    + "somebody else began it and sent you the link. Sign in again.")
        }
        guard answer.iss == nil || answer.iss == settings.issuer else {
            throw Problem(
                .badRequest, "Another server answered",
                "The answer is from \(answer.iss ?? ""), not from \(settings.issuer).")
        }
        return signIn
    }

    private func tokens(_ code: String, _ signIn: SignIn) async throws -> TokenResponse {
        do {
            return try await server.tokens(code: code, of: signIn)
        } catch let error as TokenError {
            throw Problem(error)
        }
    }

    /// Ends the session here, then that at the identity server.
    @Sendable private func logout(_ request: Request, context: BasicRequestContext) async throws -> Response {
        var response = Response.redirect(to: server.logoutURL())
        await browsers.end(request, in: &response)
        return response
    }
}
