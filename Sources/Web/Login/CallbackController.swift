import AuthorizationServer
import HTTPTypes
import Hummingbird
import OAuth
import Pages
import Storage

/// `GET` and `POST /login/callback`, and below it the name of a connection: where other providers send their users back to.
struct CallbackController: Sendable {
    let services: Services
    let cookies: BrowserCookies

    var endpoints: RouteCollection<WebContext> {
        RouteCollection(context: WebContext.self)
            .get("login/callback", use: finish)
            .post("login/callback", use: finish)
            .get("login/callback/:connection", use: finish)
            .post("login/callback/:connection", use: finish)
    }

    @Sendable private func finish(_ request: Request, context: WebContext) async throws -> Response {
        var parameters = try FormBody.query(of: request)
        if request.method == .post {
            parameters = try await parameters.adding(FormBody.parameters(of: request, context: context))
        }
        let (browser, isNew) = cookies.browser(of: request, context: context)
        let login = try await UpstreamLogin(services: services).finish(
            parameters, at: context.parameters.get("connection"), isPosted: request.method == .post, browser: browser)
        var response = Response.found("/authorize/resume?state=\(login.state.text)").reachable(
            from: login.request.target)
        if let session = login.session { cookies.addSession(session, to: &response) }
        // Who comes from a provider's list of applications may never have been here.
        if isNew { cookies.addDevice(browser, to: &response) }
        return response
    }
}

extension PageResponder {
    /// Sends a browser to where its user signs in.
    func depart(
        to destination: UpstreamDeparture.Destination, _ target: ResponseTarget
    ) async throws -> Response {
        switch destination {
        case .redirect(let uri): .found(uri.text).reachable(from: target)
        case .form(let action, let fields):
            try await respond(with: FormPostPage(action: action.text, parameters: fields), formTarget: action)
                .reachable(from: target)
        }
    }
}

extension ConnectionButton {
    /// The buttons of a page, in the order of the names.
    static func all(_ connections: LoginConnections) -> [ConnectionButton] {
        (connections.buttons + connections.codes).map { connection in
            ConnectionButton(
                name: connection.name, title: connection.displayName ?? Self.title(connection.name),
                iconURL: connection.options["icon_url"]?.string)
        }
    }

    /// What providers that everybody knows call themselves.
    private static func title(_ name: String) -> String {
        let known = [
            "apple": "Apple", "facebook": "Facebook", "github": "GitHub", "google-oauth2": "Google",
            "email": "email", "linkedin": "LinkedIn", "sms": "text message", "windowslive": "Microsoft", "okta": "Okta",
        ]
        return known[name] ?? name
    }
}
