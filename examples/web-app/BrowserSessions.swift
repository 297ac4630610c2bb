import Foundation
import Hummingbird

/// What is remembered of all browsers, each under a random id that the browser has in a cookie.
///
/// It is in memory: fine for an example, and gone when it stops. An application that runs on several machines keeps it
/// in a store that all of them share.
actor BrowserSessions<Session: Sendable> {
    private let cookieName: String
    private let lifetime: TimeInterval
    private let isSecure: Bool
    private let sameSite: Cookie.SameSite
    private var sessions: [String: (session: Session, expires: Date)] = [:]

    /// - Parameters:
    ///   - cookieName: cookies do not know ports, so it must differ from those of other programs on the same host.
    ///   - lifetime: how long something is remembered, in seconds.
    ///   - isFromElsewhere: whether the cookie must come along with a form that the identity server has the browser post.
    ///     `Lax`, else, lets it come along when a link or a redirect leads here, but not with another site's form.
    ///     Browsers take `None` over https only; on one host, as in development, `Lax` suffices.
    init(cookieName: String, lifetime: TimeInterval, isSecure: Bool, isFromElsewhere: Bool) {
        (self.cookieName, self.lifetime, self.isSecure) = (cookieName, lifetime, isSecure)
        sameSite = isSecure && isFromElsewhere ? .none : .lax
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
        sessions[id] = (session, Date() + lifetime)
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
        request.cookies[cookieName]?.value
    }

    private func cookie(_ value: String, maxAge: Int?) -> Cookie {
        Cookie(
            name: cookieName, value: value, maxAge: maxAge, path: "/", secure: isSecure, httpOnly: true,
            sameSite: sameSite)
    }
}
