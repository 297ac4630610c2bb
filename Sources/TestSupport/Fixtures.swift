import AuthorizationServer
import Foundation
import OAuth
import Storage

/// The tenant that tests start from; each may change it before its server starts.
package struct Fixtures: Sendable {
    package var settings = TenantSettings()
    package var clients: [(client: Client, secret: String?)] = [
        (.regularWebApp, Client.regularWebAppSecret), (.thirdPartyApp, Client.thirdPartySecret),
        (.singlePageApp, nil), (.machine, Client.machineSecret),
    ]
    package var resourceServers: [(ResourceServer, signingSecret: String?)] = [(.appointments, nil)]
    package var clientGrants: [ClientGrant] = [.machineAppointments]
    package var connections: [Connection] = [.database]
    /// The secrets of connections' options, by the connections' names.
    package var connectionSecrets: [String: JSONObject] = [:]
    package var users: [(User, password: String)] = [(.ada, User.adaPassword), (.grace, User.gracePassword)]

    package init() {}

    /// Changes one client.
    package mutating func change(_ clientID: String, _ body: (inout Client) throws -> Void) rethrows {
        guard let index = clients.firstIndex(where: { $0.client.clientID == clientID }) else { return }
        try body(&clients[index].client)
    }

    /// Changes the API.
    package mutating func changeAPI(_ body: (inout ResourceServer) -> Void) { body(&resourceServers[0].0) }

    /// The usual tenant, and the API's own client.
    package static func withAPIClient() -> Fixtures {
        var fixtures = Fixtures()
        fixtures.clients.append((.appointmentsAPI, Client.appointmentsAPISecret))
        return fixtures
    }

    /// The usual tenant, and a device without a browser.
    package static func withTelevision() -> Fixtures {
        var fixtures = Fixtures()
        fixtures.clients.append((.television, nil))
        fixtures.connections[0].enabledClients.insert("television")
        return fixtures
    }

    func write(to services: Services) async throws {
        let fixtures = self
        let now = services.now()
        let box = services.secret.box
        let hashes = try fixtures.users.map { try Self.hash($0.password) }
        try await services.stores.database.write { transaction in
            try TenantStore.update(fixtures.settings, in: transaction)
            for key in try SigningKeyFixture.rows(fixtures.settings.signingAlgorithms) {
                try SigningKeyStore.insert(key, in: transaction)
            }
            for (client, secret) in fixtures.clients {
                try ClientStore.save(
                    client, secretDigest: secret.map { Secret($0).digest },
                    sealedSecret: client.needsReadableSecret ? secret.map(box.seal) : nil, at: now,
                    in: transaction)
            }
            for (api, secret) in fixtures.resourceServers {
                try ResourceServerStore.save(api, sealedSigningSecret: secret.map(box.seal), in: transaction)
            }
            for grant in fixtures.clientGrants { try ClientGrantStore.save(grant, in: transaction) }
            for connection in fixtures.connections { try ConnectionStore.save(connection, in: transaction) }
            for (name, secrets) in fixtures.connectionSecrets {
                try ConnectionStore.saveSecrets(box.seal(JSON.text(secrets)), of: name, in: transaction)
            }
            for ((user, _), hash) in zip(fixtures.users, hashes) {
                try UserStore.insert(user, passwordHash: hash, in: transaction)
            }
        }
    }

    /// bcrypt with its least cost would be quicker, but then every login would upgrade it.
    private static func hash(_ password: String) throws -> String {
        switch password {
        case User.adaPassword: adaHash
        case User.gracePassword: graceHash
        default: try PasswordHash.make(password)
        }
    }

    // The hashes of the two standing users are made once per run.
    private static let adaHash = (try? PasswordHash.make(User.adaPassword)) ?? ""
    private static let graceHash = (try? PasswordHash.make(User.gracePassword)) ?? ""
}

extension Client {
    package static let regularWebAppSecret = "regular-web-app-secret-0123456789abcdef0123456789abcdef012345678"
    package static let thirdPartySecret = "third-party-secret-0123456789abcdef0123456789abcdef0123456789abcd"
    package static let machineSecret = "machine-secret-0123456789abcdef0123456789abcdef0123456789abcdef01"

    /// A first-party application with a secret.
    package static let regularWebApp = client("regular-web-app", "Regular Web App") { client in
        client.appType = .regularWeb
        client.grantTypes = [.authorizationCode, .refreshToken, .clientCredentials]
    }

    /// Another tenant's application: it always needs consent.
    package static let thirdPartyApp = client("third-party-app", "Third Party") { client in
        client.isFirstParty = false
        client.grantTypes = [.authorizationCode, .refreshToken]
    }

    /// A public client.
    package static let singlePageApp = client("single-page-app", "Single Page App") { client in
        client.appType = .spa
        client.tokenEndpointAuthMethod = .none
        client.grantTypes = [.authorizationCode, .refreshToken]
        client.refreshToken.isRotating = true
    }

    /// A client without users.
    package static let machine = client("machine", "Machine") { client in
        client.appType = .nonInteractive
        client.grantTypes = [.clientCredentials]
    }

    /// A public client without a browser.
    package static let television = client("television", "Television") { client in
        client.appType = .native
        client.tokenEndpointAuthMethod = .none
        client.grantTypes = [.deviceCode, .refreshToken]
        client.callbacks = []
    }

    package static let appointmentsAPISecret = "appointments-api-secret-0123456789abcdef0123456789abcdef01234567"

    /// The appointments API's own client.
    package static let appointmentsAPI = client("appointments-api", "Appointments API") { client in
        client.appType = .resourceServer
        client.resourceServerIdentifier = "appointments:api"
        client.callbacks = []
    }

    package static let callback = "https://app.example.com/callback"

    private static func client(_ id: String, _ name: String, _ change: (inout Client) -> Void) -> Client {
        var client = Client(clientID: id, name: name)
        client.callbacks = [try? RegisteredURI(callback), try? RegisteredURI("https://app.example.com/other?tenant=1")]
            .compactMap(\.self)
        client.allowedLogoutURLs = [try? RegisteredURI("https://app.example.com/")].compactMap(\.self)
        change(&client)
        return client
    }
}

extension ResourceServer {
    /// The tutorials' API.
    package static let appointments: ResourceServer = {
        var api = ResourceServer(id: "0123456789abcdef01234567", name: "Appointments", identifier: "appointments:api")
        api.scopes = [
            Permission(value: "appointments", description: "See your appointments"),
            Permission(value: "contacts", description: "See your contacts"),
            Permission(value: "read:notes"), Permission(value: "write:notes"),
        ]
        api.allowsOfflineAccess = true
        api.skipsConsentForVerifiableFirstPartyClients = true
        return api
    }()
}

extension ClientGrant {
    package static let machineAppointments = ClientGrant(
        id: "cgr_0123456789abcdef", clientID: "machine", audience: "appointments:api",
        scope: Scope(["appointments", "read:notes"]))
}

extension Connection {
    package static let database: Connection = {
        var connection = Connection(
            id: "con_0123456789abcdef", name: "Username-Password-Authentication", strategy: databaseStrategy)
        connection.enabledClients = ["regular-web-app", "third-party-app", "single-page-app"]
        return connection
    }()
}

extension User {
    package static let adaPassword = "Analytical-Engine-1843"
    package static let gracePassword = "Nanoseconds-1906"

    package static let ada: User = {
        var user = User(
            id: "auth0|aaaaaaaaaaaaaaaaaaaaaaaa", connection: "Username-Password-Authentication",
            email: "ada@example.com", createdAt: Date(timeIntervalSince1970: 1_780_000_000))
        user.isEmailVerified = true
        user.profile = ["name": "Ada Lovelace", "nickname": "ada", "given_name": "Ada", "family_name": "Lovelace"]
        return user
    }()

    package static let grace = User(
        id: "auth0|bbbbbbbbbbbbbbbbbbbbbbbb", connection: "Username-Password-Authentication",
        email: "grace@example.com", createdAt: Date(timeIntervalSince1970: 1_780_000_000))
}

/// A current and a next signing key of each kind, made once per run and sealed with ``TestServer/secret``: `key-current`
/// and `key-next` are RSA keys, and a key of another kind has it before its name.
enum SigningKeyFixture {
    private static let made: Result<[SigningKey], any Error> = Result {
        try SigningKey.Kind.allCases.flatMap { kind in
            try [SigningKey.State.current, .next].map { state in
                let key = try SigningKeyPair.generate(kind)
                let certificate = try kind == .rsa ? Data(key.selfSignedCertificate(commonName: "test")) : nil
                return SigningKey(
                    id: (kind == .rsa ? "" : "\(kind.rawValue)-") + "key-\(state.rawValue)", kind: kind, state: state,
                    sealedPrivateKey: try TestServer.secret.box.seal(key.pem()),
                    certificate: certificate?.base64EncodedString(),
                    createdAt: Date(timeIntervalSince1970: 1_780_000_000))
            }
        }
    }

    static func rows(_ algorithms: SigningAlgorithms) throws -> [SigningKey] {
        try made.get().filter { algorithms.keyKinds.contains($0.kind) }
    }
}
