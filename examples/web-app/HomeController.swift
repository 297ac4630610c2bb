import AsyncHTTPClient
import Foundation
import Hummingbird
import NIOHTTP1

/// The page, and what its buttons do.
struct HomeController: Sendable {
    let settings: Settings
    let server: IdentityServer
    let browsers: BrowserSessions<Session>

    var endpoints: RouteCollection<BasicRequestContext> {
        RouteCollection()
            .get("/", use: home)
            .post("call-api", use: callAPI)
            .post("refresh", use: refresh)
            .get("style.css") { _, _ in Stylesheet() }
    }

    @Sendable private func home(_ request: Request, context: BasicRequestContext) async throws -> HTML {
        guard let session = await browsers.session(of: request) else { return Pages.signedOut(settings) }
        _ = await browsers.change(request) { $0.notice = nil }
        return Pages.signedIn(session.user, notice: session.notice, answer: session.answer)
    }

    /// Step 3: calls the API with the access token.
    @Sendable private func callAPI(_ request: Request, context: BasicRequestContext) async throws -> Response {
        guard let user = await browsers.session(of: request)?.user else { return .redirect(to: "/") }
        let answer = try await answer(of: settings.apiURL + "/api/appointments", accessToken: user.accessToken)
        _ = await browsers.change(request) { $0.answer = answer }
        return .redirect(to: "/#answer")
    }

    private func answer(of url: String, accessToken: String) async throws -> APIAnswer {
        var call = HTTPClientRequest(url: url)
        call.headers.add(name: "Authorization", value: "Bearer \(accessToken)")
        do {
            let response = try await HTTPClient.shared.execute(call, timeout: .seconds(10))
            let body = try await response.body.collect(upTo: 1024 * 1024)
            return APIAnswer(
                request: "GET \(url)", status: "\(response.status.code) \(response.status.reasonPhrase)",
                challenge: response.headers.first(name: "WWW-Authenticate"),
                body: Data(body.readableBytesView).prettyJSON)
        } catch {
            throw Problem(
                .badGateway, "The API does not answer", "\(url): \(error). Is it running, and is API_URL its address?")
        }
    }

    /// Step 4: gets a new access token with the refresh token.
    @Sendable private func refresh(_ request: Request, context: BasicRequestContext) async throws -> Response {
        // Taken out while it is used: if refresh tokens rotate, a second use would end the whole grant.
        let taken = await browsers.change(request) { session in
            defer { session.user.refreshToken = nil }
            return session.user
        }
        guard let user = taken, let refreshToken = user.refreshToken else { return .redirect(to: "/") }
        do {
            let (renewed, notice) = try await renewed(user, refreshToken)
            _ = await browsers.change(request) { ($0.user, $0.notice, $0.answer) = (renewed, notice, nil) }
        } catch let error as TokenError {
            let notice =
                "The refresh token was refused (\(error.code): \(error.description ?? "no description")). "
                + "Sign in again to get a new one."
            _ = await browsers.change(request) { $0.notice = notice }
        } catch {
            _ = await browsers.change(request) { $0.user.refreshToken = refreshToken }
            throw error
        }
        return .redirect(to: "/")
    }

    /// The user with what the refresh brought; what it did not bring stays.
    private func renewed(_ user: User, _ refreshToken: String) async throws -> (User, notice: String) {
        let tokens = try await server.tokens(refreshToken: refreshToken)
        var user = user
        if let idToken = tokens.idToken {
            let claims = try await IDToken(
                verifying: idToken, keys: server.keys(), settings: settings, nonce: nil)
            guard claims.sub == user.id else {
                throw Problem(.badGateway, "The ID token was refused", "The refresh brought that of another user.")
            }
            user.idToken = idToken
        }
        user.accessToken = tokens.accessToken
        user.accessTokenExpires = tokens.expiresIn.map { Date() + $0 }
        user.refreshToken = tokens.refreshToken ?? refreshToken
        let rotation = tokens.refreshToken == nil ? "The refresh token stays." : "The refresh token is a new one too."
        return (user, "You have a new access token. \(rotation)")
    }
}
