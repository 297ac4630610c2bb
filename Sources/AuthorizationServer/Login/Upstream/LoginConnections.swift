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

    /// Whether some users are sent to their providers by the domains of their addresses.
    package var hasDomains: Bool { redirecting.contains { !$0.domains.isEmpty } }

    /// Whether there is no way to sign in.
    var isEmpty: Bool { !hasForm && redirecting.isEmpty && codes.isEmpty }

    /// The connection that the browser is sent to without a page's being shown: the one that the request names or the only
    /// one that there is, else the one whose domain the address is of.
    /// - Parameter address: who is expected to sign in; nil where nobody has said so.
    func straight(for address: String?) -> Connection? {
        if !hasForm, codes.isEmpty, redirecting.count == 1 { return redirecting.first }
        return address.flatMap(redirecting(for:))
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

    /// Checks that there is a way to sign in at all.
    /// - Throws: ``OAuthError`` `invalid_request`, in Auth0's words.
    static func checkAny(
        for client: Client, organization: LoginOrganization?, _ services: Services
    ) async throws {
        let connections = try await offered(to: client, organization: organization, named: nil, services)
        guard !connections.isEmpty else { throw noneEnabled }
    }

    static let noneEnabled = OAuthError.invalidRequest(
        "no connections enabled for the client",
        hint: "Add the application to a connection's enabled_clients. Applications that are not the tenant's own have "
            + "connections with is_domain_connection as well.")

    static let notEnabled = OAuthError.invalidRequest(
        "the connection is not enabled",
        hint: "Enable it for the application, and for the organization where the request is for one.")
}

extension Connection {
    /// The domains whose addresses are its users', in small letters: Auth0's `domain_aliases`, and the directory's own at
    /// Microsoft and Google (`tenant_domain`).
    package var domains: Set<String> {
        let aliases = options["domain_aliases"]?.array ?? []
        return Set((aliases + [options["tenant_domain"] ?? .null]).compactMap { $0.string?.trimmed.lowercased() })
            .subtracting([""])
    }

    /// Whether an address is of one of the connection's ``domains``; what is longer than any address is of none.
    func hasDomain(of identifier: String) -> Bool {
        guard identifier.utf8.count <= Self.longestAddress, let at = identifier.lastIndex(of: "@"),
            at > identifier.startIndex
        else { return false }
        return domains.contains(identifier[identifier.index(after: at)...].trimmed.lowercased())
    }

    /// RFC 5321 §4.5.3.1.
    private static let longestAddress = 320
}
