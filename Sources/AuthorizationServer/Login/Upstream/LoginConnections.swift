import OAuth
import Storage

/// How somebody may sign in for a request: the connections that serve its application, its organization, and are named by
/// its `connection` where it names one.
package struct LoginConnections: Sendable {
    /// The database whose users sign in with the form, and where new ones sign up.
    package let database: Connection?
    /// The directories whose users sign in with the same form.
    package let directories: [Connection]
    /// The connections whose users are sent to a provider, in the order of their names.
    package let redirecting: [Connection]
    /// The connections that send a code to an address.
    package let codes: [Connection]
    /// Whether the request names one of them.
    let isNamed: Bool
    /// The organization that the login is for.
    let organization: LoginOrganization?

    /// Whether the page has the form with name and password.
    package var hasForm: Bool { database != nil || !directories.isEmpty }

    /// The connection that the browser is sent to without a page's being shown: the one that the request names, or the only
    /// one that there is.
    var straight: Connection? {
        guard !hasForm, codes.isEmpty, redirecting.count == 1 else { return nil }
        return redirecting.first
    }

    /// Those that the page has buttons for. A company's own is left out where it or the organization says so, as its users are known by
    /// their addresses.
    package var buttons: [Connection] {
        redirecting.filter { connection in
            isNamed
                || connection.other["show_as_button"]?.bool != false
                    && organization?.showsButton(for: connection) ?? true
        }
    }

    /// The connection that somebody's name and password are for: the directory of the domain that their address is of, else the
    /// database, else the only directory there is.
    func formConnection(for identifier: String) -> Connection? {
        directories.first { $0.hasDomain(of: identifier) } ?? database ?? directories.first
    }

    /// The connection whose provider has the users of an address's domain.
    package func redirecting(for identifier: String) -> Connection? {
        redirecting.first { $0.hasDomain(of: identifier) }
    }

    /// - Parameter named: the request's `connection`.
    static func offered(
        to client: Client, organization: LoginOrganization?, named: String?, _ services: Services
    ) async throws -> LoginConnections {
        let all = try await services.configuration.connections().filter { connection in
            connection.serves(client) && organization?.offers(connection) ?? true
                && named.map { $0 == connection.name } ?? true
        }
        func offered(_ manner: ConnectionManner) -> [Connection] {
            all.filter { services.strategies[$0.strategy]?.manner == manner }
        }
        let database = all.first(where: \.isDatabase)
        return LoginConnections(
            database: database.map { organization?.offered($0) ?? $0 }, directories: offered(.password),
            redirecting: offered(.redirect), codes: offered(.code), isNamed: named != nil,
            organization: organization)
    }

    /// The connections for a request.
    package static func offered(
        for request: VerifiedAuthorizationRequest, _ services: Services
    ) async throws -> LoginConnections {
        try await offered(
            to: request.client, organization: request.organization, named: request.request.connection, services)
    }

    // MARK: Naming one

    /// Checks that a request's `connection` is one that the application's users may sign in with.
    /// - Throws: ``OAuthError`` `invalid_request`, in Auth0's words.
    static func check(
        _ name: String, for client: Client, organization: LoginOrganization?, _ services: Services
    ) async throws {
        let connection = try await services.configuration.connections().first { $0.name == name }
        guard let connection else {
            throw OAuthError.invalidRequest(
                "the connection was not found", hint: "No connection is called '\(name.forDisplay)'.")
        }
        guard connection.serves(client), organization?.offers(connection) ?? true else { throw notEnabled }
        guard connection.isDatabase || services.strategies[connection.strategy] != nil else {
            throw OAuthError.invalidRequest(
                "the connection is not enabled",
                hint: "This version cannot sign in with the strategy \(connection.strategy.forDisplay).")
        }
    }

    static let notEnabled = OAuthError.invalidRequest(
        "the connection is not enabled",
        hint: "Enable it for the application, and for the organization where the request is for one.")
}

extension Connection {
    /// Whether an address is of one of the domains that the connection is for (`domain_aliases`).
    func hasDomain(of identifier: String) -> Bool {
        guard let at = identifier.lastIndex(of: "@") else { return false }
        let domain = identifier[identifier.index(after: at)...].trimmed.lowercased()
        return options["domain_aliases"]?.array?.contains { $0.string?.lowercased() == domain } ?? false
    }
}
