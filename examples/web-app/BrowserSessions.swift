import Foundation
import Hummingbird

/// The sessions of all browsers, each under a random id that the browser has in a cookie.
///
/// They are in memory: fine for an example, and gone when it stops. An application that runs on several machines keeps
/// them in a store that all of them share.
actor BrowserSessions {
    /// Cookies do not know ports: the name must differ from those of other programs on the same host.
    private static let cookieName = "web_app_session"
    private static let lifetime: TimeInterval = 12 * 3600

    private let isSecure: Bool
    private var sessions: [String: (session: Session, expires: Date)] = [:]

    init(isSecure: Bool) {
        self.isSecure = isSecure
    }

    /// The session of the browser that sent `request`.
    func session(of request: Request) -> Session? {
        guard let id = id(in: request), let found = sessions[id], found.expires > Date() else { return nil }
        return found.session
    }

    /// Changes the session of the browser, in one step that no other request can come into.
    /// - Returns: what `change` returns; nil when there is no session.
    func change<Value: Sendable>(_ request: Request, _ change: @Sendable (inout Session) -> Value) -> Value? {
        guard let id = id(in: request), var session = session(of: request) else { return nil }
        let value = change(&session)
        sessions[id]?.session = session
        return value
    }

    /// Gives the browser a session under a new id, which makes an id that somebody planted in it worthless.
    func replace(_ request: Request, with session: Session, in response: inout Response) {
        end(request)
        sessions = sessions.filter { $0.value.expires > Date() }
        let id = Random.text()
        sessions[id] = (session, Date() + Self.lifetime)
        response.setCookie(cookie(id, maxAge: nil))
    }

    func end(_ request: Request, in response: inout Response) {
        end(request)
        response.setCookie(cookie("", maxAge: 0))
    }

    private func end(_ request: Request) {
        if let id = id(in: request) { sessions[id] = nil }
    }

    private func id(in request: Request) -> String? {
        request.cookies[Self.cookieName]?.value
    }

    /// `Lax` lets the cookie come along when the identity server sends the browser back, but not with a form that
    /// another site posts.
    private func cookie(_ value: String, maxAge: Int?) -> Cookie {
        Cookie(
            name: Self.cookieName, value: value, maxAge: maxAge, path: "/", secure: isSecure, httpOnly: true,
            sameSite: .lax)
    }
}
