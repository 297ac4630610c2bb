import Foundation
import Hummingbird

/// `/login`, `/callback` and `/logout`: the user's way to the identity server and back.
struct SignInController: Sendable {
    let settings: Settings
    let server: IdentityServer
    let browsers: BrowserSessions

    var endpoints: RouteCollection<BasicRequestContext> {
        RouteCollection()
            .get("login", use: login)
            .get("callback", use: callback)
            .post("logout", use: logout)
    }

    /// Step 1: sends the browser to the authorization URL, and remembers what must come back.
    @Sendable private func login(_ request: Request, context: BasicRequestContext) async throws -> Response {
        let signIn = SignIn()
        var response = Response.redirect(to: try await server.authorizationURL(for: signIn), type: .found)
        if await browsers.change(request, { $0.begin(signIn) }) == nil {
            await browsers.replace(request, with: Session(signIns: [signIn.state: signIn]), in: &response)
        }
        return response
    }

    /// Step 2: redeems the code, and signs the user in.
    @Sendable private func callback(_ request: Request, context: BasicRequestContext) async throws -> Response {
        let answer = try request.uri.decodeQuery(as: AuthorizationResponse.self, context: context)
        let signIn = try await signIn(answeredBy: answer, request)
        guard answer.error == nil else { throw Problem(answer) }
        guard let code = answer.code else {
            throw Problem(.badRequest, "There is no code", "The identity server came back without code and error.")
        }
        let tokens = try await tokens(code, signIn)
        guard let idToken = tokens.idToken else {
            throw Problem(.badGateway, "There is no ID token", "The server did not grant the scope openid.")
        }
        let claims = try await IDToken(
            verifying: idToken, keys: server.keys(), settings: settings, nonce: signIn.nonce)
        let user = User(
            id: claims.sub, name: claims.name ?? claims.sub, email: claims.email, idToken: idToken,
            accessToken: tokens.accessToken, refreshToken: tokens.refreshToken,
            accessTokenExpires: tokens.expiresIn.map { Date() + $0 })
        var response = Response.redirect(to: "/", type: .found)
        await browsers.replace(request, with: Session(user: user), in: &response)
        return response
    }

    /// The sign-in that `answer` is the answer to; it cannot be used again.
    private func signIn(answeredBy answer: AuthorizationResponse, _ request: Request) async throws -> SignIn {
        guard let state = answer.state,
            let signIn = await browsers.change(request, { $0.signIns.removeValue(forKey: state) }) ?? nil
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
