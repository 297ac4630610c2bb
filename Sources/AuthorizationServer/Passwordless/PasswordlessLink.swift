import Foundation
import OAuth
import Storage

/// What a link that was sent to an address stands for. It is kept here, sealed, and the link has a secret alone: nothing in its
/// address can be changed, and nothing in it tells anything to who reads it in a log.
package struct PasswordlessLink: Sendable, Codable {
    let connectionID: String
    /// As it is compared.
    let address: String
    let purpose: Purpose

    /// What goes on when it is opened.
    enum Purpose: Sendable, Codable {
        /// The login with this `state`, whose page asked for it.
        case login(state: String)
        /// An authorization request of `/passwordless/start`, with its parameters.
        case request([String: String])
    }

    /// Where links lead, as Auth0's do.
    package static let path = "passwordless/verify_redirect"
}

/// Signing in with a link that was sent to an address.
///
/// A link that a sign-in page has sent goes on where it was asked for: in that browser, and at once. Whoever has somebody else
/// open a link to their own account (login CSRF), and mail scanners, have another one, and use nothing up.
///
/// A link of `/passwordless/start` was asked for by an application, and no browser is known. Where the tenant allows such links
/// (``TenantSettings/allowsMagicLinksAnywhere``), a page tells whose account it is, and goes on when its button is pressed.
package struct PasswordlessLinks: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// A link that somebody has opened.
    package enum Opening: Sendable {
        /// The login goes on.
        case signedIn(Return)
        /// The user is asked first; nothing is used yet.
        case ask(VerifiedAuthorizationRequest, address: String)
        /// It is good in the browser where it was asked for, and in no other.
        case otherBrowser
        /// It was used, was replaced by a newer one, has expired, or is none.
        case gone
    }

    /// A login that goes on.
    package struct Return: Sendable {
        package let state: Secret
        package let session: PasswordLogin.NewSession
        package let request: VerifiedAuthorizationRequest
    }

    /// Opens a link.
    /// - Throws: ``AuthorizationFailure`` for the application.
    package func open(_ ticket: Secret, browser: Browser) async throws -> Opening {
        guard let link = try await find(ticket) else { return .gone }
        switch link.purpose {
        case .login(let state):
            let state = Secret(state)
            guard let login = try await browser.transaction(state, services) else { return .otherBrowser }
            let request = try await AuthorizationEndpoint(services: services).request(of: login)
            return try await signIn(ticket, link, login, state: state, request, browser)
        case .request(let parameters):
            guard try await services.configuration.settings().allowsMagicLinksAnywhere else { return .otherBrowser }
            let request = try await AuthorizationEndpoint(services: services).verify(Parameters(trusted: parameters))
            return .ask(request, address: link.address)
        }
    }

    /// Goes on with a link after its page's button.
    /// - Throws: ``AuthorizationFailure`` for the application.
    package func confirm(_ ticket: Secret, browser: Browser) async throws -> Opening {
        guard let link = try await find(ticket), case .request(let parameters) = link.purpose else {
            return try await open(ticket, browser: browser)
        }
        guard try await services.configuration.settings().allowsMagicLinksAnywhere else { return .otherBrowser }
        let endpoint = AuthorizationEndpoint(services: services)
        // As the request would be answered now: the application may have changed meanwhile.
        let request = try await endpoint.verify(Parameters(trusted: parameters))
        let (login, state) = try await endpoint.begin(Parameters(trusted: parameters), request, browser)
        return try await signIn(ticket, link, login, state: state, request, browser)
    }

    private func find(_ ticket: Secret) async throws -> PasswordlessLink? {
        let now = services.now()
        let sealed = try await services.stores.database.readOnce { transaction in
            try PasswordlessCodeStore.sealedLink(digest: ticket.digest, at: now, in: transaction)
        }
        return try sealed.map { try JSON.decode(PasswordlessLink.self, from: services.secret.box.open($0)) }
    }

    private func signIn(
        _ ticket: Secret, _ link: PasswordlessLink, _ login: LoginTransaction, state: Secret,
        _ request: VerifiedAuthorizationRequest, _ browser: Browser
    ) async throws -> Opening {
        do {
            let offered = try await LoginConnections.offered(for: request, services)
            guard let connection = offered.codes.first(where: { $0.id == link.connectionID }) else {
                throw LoginConnections.notEnabled
            }
            let session = try await PasswordlessLogin(services: services).logIn(
                .link(ticket), address: link.address, connection: connection, login: login, client: request.client,
                browser: browser)
            return .signedIn(Return(state: state, session: session, request: request))
        } catch let refusal as PasswordlessLogin.Refusal {
            switch refusal {
            // Somebody was faster, or it has just expired.
            case .wrongCode, .noAddress, .notSent: return .gone
            case .userIsBlocked:
                throw AuthorizationFailure.redirect(OAuthError(.unauthorized, "user is blocked"), request.target)
            case .blocked, .tooManyRequests:
                throw AuthorizationFailure.redirect(
                    .accessDenied("Your account has been blocked after multiple consecutive login attempts."),
                    request.target)
            }
        } catch let error as OAuthError {
            throw AuthorizationFailure.redirect(error, request.target)
        }
    }
}
