import AuthorizationServer
import Foundation
import HTTPTypes
import Hummingbird
import OAuth

/// The cookies of a browser, with Auth0's names.
struct BrowserCookies: Sendable {
    /// The single sign-on session.
    static let session = "auth0"
    /// Which browser it is.
    static let device = "did"
    /// That the browser is remembered, so that its user is not asked for a second factor.
    static let remembered = "auth0-mf"
    /// Where a logout goes on that is at a provider, sealed.
    static let logout = "portico_logout"
    /// A year, as Auth0's.
    static let deviceLifetime = 31_557_600

    let isSecure: Bool

    /// What the request's cookies prove; a browser without a device cookie gets a new secret, which
    /// ``answer(_:_:_:)`` sends.
    func browser(of request: Request, context: WebContext) -> (browser: Browser, isNew: Bool) {
        let device = secret(Self.device, in: request)
        if let device { RequestOrigin.current?.recognize(device) }
        let browser = Browser(
            secret: device ?? Secret.random(), session: secret(Self.session, in: request),
            address: context.clientAddress, remembered: secret(Self.remembered, in: request))
        return (browser, device == nil)
    }

    /// Only what we could have made is looked up at all.
    func secret(_ name: String, in request: Request) -> Secret? {
        guard let value = request.cookies[name]?.value, value.utf8.count == 43, Base64URL.decode(value) != nil else {
            return nil
        }
        return Secret(value)
    }

    /// Answers a browser, which keeps its secret where it has a new one.
    func answer(
        _ request: Request, _ context: WebContext, _ body: (Browser) async throws -> Response
    ) async throws -> Response {
        let (browser, isNew) = browser(of: request, context: context)
        var response = try await body(browser)
        if isNew { addDevice(browser, to: &response) }
        return response
    }

    func addDevice(_ browser: Browser, to response: inout Response) {
        response.setCookie(cookie(Self.device, browser.secret.text, lifetime: Self.deviceLifetime))
    }

    func addSession(_ session: PasswordLogin.NewSession, to response: inout Response) {
        response.setCookie(cookie(Self.session, session.secret.text, lifetime: session.cookieLifetime))
    }

    func addRemembered(_ secret: Secret, to response: inout Response) {
        response.setCookie(cookie(Self.remembered, secret.text, lifetime: MultiFactorLogin.rememberedLifetime))
    }

    func removeSession(from response: inout Response) {
        response.setCookie(cookie(Self.session, "", lifetime: 0))
    }

    func addLogout(_ memory: String, to response: inout Response) {
        response.setCookie(cookie(Self.logout, memory, lifetime: FederatedLogout.lifetime, path: "/v2/logout"))
    }

    func removeLogout(from response: inout Response) {
        response.setCookie(cookie(Self.logout, "", lifetime: 0, path: "/v2/logout"))
    }

    /// Over https the cookies also go along where an application posts a request from its own page or renews a token in a
    /// frame, as Auth0's do; every form that changes something has a token of its own against forgery. Without https a
    /// browser accepts only `Lax`.
    private func cookie(_ name: String, _ value: String, lifetime: Int?, path: String = "/") -> Cookie {
        Cookie(
            name: name, value: value, maxAge: lifetime, path: path, secure: isSecure, httpOnly: true,
            sameSite: isSecure ? Cookie.SameSite.none : .lax)
    }
}
