import OAuth
import Storage

/// How the users of a connection prove who they are: what stands behind Auth0's `strategy`.
///
/// A strategy is one file in `Connections/Strategies` and one line in `Connections/Strategies.swift`. It knows the protocol of
/// its providers and nothing else: who may sign in, which user that is and what follows is decided by
/// ``UpstreamLogin`` and ``LoginSteps``, the same for all.
package protocol ConnectionStrategy: Sendable {
    /// Auth0's names of it, such as `github`.
    var names: Set<String> { get }
    /// What its providers are.
    var family: ConnectionFamily { get }
    /// How the sign-in page offers it.
    var manner: ConnectionManner { get }
    /// The members of `options` that are secrets: they are sealed, and never shown or exported.
    var secretOptions: Set<String> { get }
    /// The members of `options` that say who is sent the secrets. Where one of them changes, the secrets go: nobody else may
    /// be sent them.
    var secretRecipients: Set<String> { get }
    /// Reads a connection's options, for signing in and for finding out whether they are good.
    /// - Parameter options: the connection's `options` with its secrets among them. A secret that is not there is no problem
    ///   before somebody signs in. What is not asked for is kept as it is.
    /// - Throws: ``Document/Problem`` for the first member with which nobody could sign in.
    func login(_ connection: Connection, _ options: inout Document) throws(Document.Problem) -> ConnectionLogin
    /// Whether the connection takes answers that no request of this server's asked for, as far as can be told before anything
    /// of it is opened or read.
    func takesUnsolicited(_ connection: Connection) -> Bool
}

extension ConnectionStrategy {
    /// No: ``RedirectLogin/unsolicited`` is nil.
    package func takesUnsolicited(_ connection: Connection) -> Bool { false }
}

/// What kind of provider a connection has, which decides what its users are called.
package enum ConnectionFamily: Sendable {
    /// One that anybody can have an account at. There is one for everybody: users are `github|ID`.
    case social
    /// An organization's own, or one that its tenant has set up: users are `STRATEGY|CONNECTION|ID`.
    case enterprise
    /// No provider: users prove that they can read an address.
    case passwordless
}

/// How the sign-in page offers a connection.
package enum ConnectionManner: Sendable {
    /// A button that leads to the provider.
    case redirect
    /// The form with name and password.
    case password
    /// An address that a code is sent to.
    case code
}

/// A connection that somebody can sign in with, its options read.
package enum ConnectionLogin: Sendable {
    case redirect(any RedirectLogin)
    case password(any DirectoryLogin)
    /// The page asks for an address and then for what was sent there; the strategy only holds the settings.
    case code(PasswordlessSettings)
}

/// Signing in at a provider that the browser is sent to.
package protocol RedirectLogin: Sendable {
    /// Where the browser is sent.
    /// - Throws: ``UpstreamFailure`` where the provider cannot be asked.
    func begin(_ start: UpstreamStart, _ services: Services) async throws(UpstreamFailure) -> UpstreamDeparture

    /// Who has come back. The return is one for a login that this browser began with this connection, and was never looked at
    /// before; that what it brings is the provider's word is for the strategy to prove.
    /// - Throws: ``UpstreamFailure``.
    func finish(_ arrival: UpstreamArrival, _ services: Services) async throws(UpstreamFailure) -> UpstreamProfile

    /// The login for which it takes answers that no request of this server's asked for; nil where it takes none.
    var unsolicited: UnsolicitedLogin? { get }

    /// Where the provider ends its own session with the user: Auth0's `federated`.
    /// - Returns: nil where it has no such address.
    /// - Throws: ``UpstreamFailure`` where the provider cannot be asked.
    func logout(_ leaving: UpstreamLeaving, _ services: Services) async throws(UpstreamFailure) -> RedirectURI?

    /// What a provider's administrator gives the provider about this server, as XML; nil where the protocol has none.
    func metadata(_ callbackURL: String, _ services: Services) async throws -> String?
}

extension RedirectLogin {
    /// None: whoever has such an answer can sign somebody else's browser in with it.
    package var unsolicited: UnsolicitedLogin? { nil }

    /// None: most providers of OAuth 2.0 have no such address.
    package func logout(
        _ leaving: UpstreamLeaving, _ services: Services
    ) async throws(UpstreamFailure) -> RedirectURI? { nil }

    /// None: most protocols have a form instead.
    package func metadata(_ callbackURL: String, _ services: Services) async throws -> String? { nil }
}

/// Signing in with a name and password that a directory knows.
package protocol DirectoryLogin: Sendable {
    /// Who has this name, where the password is theirs.
    /// - Returns: nil where the password is wrong or nobody has the name, after as long in both cases.
    /// - Throws: ``UpstreamFailure`` where the directory does not say.
    func check(
        username: String, password: String, _ services: Services
    ) async throws(UpstreamFailure) -> UpstreamProfile?
}

/// What a strategy is told when somebody sets out for its provider.
package struct UpstreamStart: Sendable {
    package let connection: Connection
    /// What the provider must give back, so that the return can be told from any other.
    package let state: Secret
    /// Where the provider sends the browser back to: `/login/callback`, or the connection's own below it.
    package let callbackURL: String
    /// The authorization request's parameters that are the provider's business: `login_hint`, `prompt`, `max_age`,
    /// `ui_locales`, `connection_scope`, `access_type` and what `upstream_params` name. Empty for a device.
    package let parameters: Parameters
    /// The address that the user has written on the page, else the request's `login_hint`.
    package let loginHint: String?

    package init(
        connection: Connection, state: Secret, callbackURL: String, parameters: Parameters, identifier: String?
    ) {
        (self.connection, self.state, self.callbackURL) = (connection, state, callbackURL)
        (self.parameters, loginHint) = (parameters, identifier ?? parameters["login_hint"])
    }
}

/// Where a browser goes to sign in at a provider.
package struct UpstreamDeparture: Sendable {
    /// How the browser gets there.
    package enum Destination: Sendable {
        case redirect(RedirectURI)
        /// A form that is sent at once.
        case form(action: RedirectURI, fields: [(name: String, value: String)])
    }

    package let destination: Destination
    /// What the strategy has to know again at the return, such as a nonce; it is kept sealed.
    package let memory: JSONObject

    package init(_ destination: Destination, memory: JSONObject = [:]) {
        (self.destination, self.memory) = (destination, memory)
    }
}

/// A login that begins at a provider, and goes on as if an application had asked for it.
package struct UnsolicitedLogin: Sendable {
    /// The application's.
    package let clientID: String
    /// What the application would have sent to the authorization endpoint, without its `client_id`.
    package let parameters: [String: String]

    package init(clientID: String, parameters: [String: String]) {
        (self.clientID, self.parameters) = (clientID, parameters)
    }
}

/// Somebody who logs out here, and wants to at the provider as well.
package struct UpstreamLeaving: Sendable {
    /// Where the provider sends the browser back to, if it does: an address of this server's, always the same.
    package let returnURL: String
    /// The ID token that the provider gave at the last login; nil where it gave none, the user has several accounts there,
    /// or nobody vouches for the wish.
    package let idToken: String?
}

/// What a browser brings back from a provider.
package struct UpstreamArrival: Sendable {
    package let connection: Connection
    /// The parameters of the query, and of the form where one was posted.
    package let parameters: Parameters
    /// What ``RedirectLogin/begin(_:_:)`` wanted to know again.
    package let memory: JSONObject
    /// The address that the provider was told to send the browser to.
    package let callbackURL: String
    /// What the application wanted of the login, as ``UpstreamStart/parameters``.
    package let requested: Parameters
    /// Whether nobody here has asked for it: it must not answer anything.
    package var isUnsolicited = false
}

/// Every strategy that the server has beside its own databases.
package struct ConnectionStrategies: Sendable {
    private let byName: [String: any ConnectionStrategy]

    package init(_ all: [any ConnectionStrategy] = []) {
        byName = Dictionary(all.flatMap { strategy in strategy.names.map { ($0, strategy) } }) { first, _ in first }
    }

    /// The strategy with Auth0's name; nil for a database, and for one that the server does not have.
    package subscript(name: String) -> (any ConnectionStrategy)? { byName[name] }

    /// Auth0's names of all of them.
    package var names: Set<String> { Set(byName.keys) }

    /// Whether a connection's options are good, as far as they are there.
    /// - Parameter secrets: those members of its options that are kept apart.
    /// - Throws: ``Document/Problem`` with a path below `path`.
    package func check(_ connection: Connection, secrets: JSONObject, path: String) throws(Document.Problem) {
        guard let strategy = self[connection.strategy] else { return }
        _ = try Self.login(strategy, connection, secrets: secrets, path: path)
    }

    /// - Throws: ``Document/Problem`` where the connection's options are none to sign in with.
    static func login(
        _ strategy: any ConnectionStrategy, _ connection: Connection, secrets: JSONObject, path: String
    ) throws(Document.Problem) -> ConnectionLogin {
        var options = Document(
            connection.options.merging(secrets) { $1 }, path: path.isEmpty ? "options" : path + ".options")
        var general = options
        _ = try general.bool(Connection.ownCallbackOption, default: false)
        return try strategy.login(connection, &options)
    }
}
