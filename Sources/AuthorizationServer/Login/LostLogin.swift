import Foundation
import OAuth
import Storage

/// A user on a page whose login is no longer under way, and the application that could begin another one: OpenID Connect
/// Core §4, and Auth0's `initiate_login_uri`.
package struct LostLogin: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// A new `state` of pages. It names the application, so that the user can be sent back there when nothing else is known
    /// of the login any more.
    static func state(for clientID: String) -> Secret {
        Secret("\(Secret.random().text).\(Base64URL.encode(clientID.utf8))")
    }

    /// Where the user can begin again: the application's `initiate_login_uri`, or the tenant's `default_redirection_uri`.
    /// Only the tenant's own applications count: anybody can make a `state` that names another, and where clients register
    /// themselves that would be a redirect to anywhere ([RFC 9700 §4.11.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.11.2)).
    /// - Parameter state: the page's, where it has one.
    /// - Returns: nil where there is no such place, or where the login is under way in another browser. That may be this
    ///   one without its cookies, and then beginning again would never end.
    package func destination(state: String?) async throws -> RedirectURI? {
        let now = services.now()
        if let state, try await services.stores.loginTransactions.isUnderWay(digest: Secret(state).digest, at: now) {
            return nil
        }
        let clientID = state.flatMap(Self.clientID)
        let client = if let clientID { try await services.configuration.client(clientID)?.client } else { Client?.none }
        let settings = try await services.configuration.settings()
        for text in [client?.isFirstParty == true ? client?.initiateLoginURI : nil, settings.defaultRedirectionURI] {
            if let uri = text.flatMap(RedirectURI.init), uri.scheme == "https" { return uri }
        }
        return nil
    }

    private static func clientID(in state: String) -> String? {
        guard let point = state.firstIndex(of: "."), let bytes = Base64URL.decode(state[state.index(after: point)...])
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
