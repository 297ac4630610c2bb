import Foundation
import OAuth
import Storage

/// A login, or an exchange in the name of a user, as the tenant's scripts are told of it.
struct ScriptedLogin: Sendable {
    var user: User
    let client: Client
    let flow: Flow
    /// What the application asks for, before anything is left out.
    let requestedScope: Scope
    var resourceServer: ResourceServer?
    /// The browser's session; nil where the user came without one.
    var session: Session?
    /// The refresh token that is exchanged; nil for other flows.
    var refreshToken: RefreshToken?
    var organization: Organization?
    /// When the user proved who they are.
    let authenticatedAt: Date
    /// The authorization request; nil where there is none now.
    var request: AuthorizationRequest?
    /// The parameters of the request to the token endpoint; nil where it is none.
    var body: Parameters?
    /// What the application told of where the answer goes.
    var target: ResponseTarget?
    /// Whether the user has just signed in, and is not let in by what was there before.
    var isNew = false
    /// Whether there is a browser that a script may send somewhere else.
    var mayLeave = false
    /// What came back with the user from where a script had sent them; nil where none has.
    var returned: Parameters?
    /// The `state` of the login's transaction, by which the user comes back.
    var state: Secret?

    /// What the scripts know as the protocol.
    enum Flow: String, Sendable {
        case code = "oidc-basic-profile"
        case implicit = "oidc-implicit-profile"
        case hybrid = "oidc-hybrid-profile"
        case device = "oauth2-device-code"
        case password = "oauth2-password"
        /// Auth0's first grant with credentials, by which codes of passwordless logins came too.
        case passwordless = "oauth2-resource-owner"
        case refresh = "oauth2-refresh-token"
        case assertion = "oauth2-resource-owner-jwt-bearer"
        case exchange = "oauth2-token-exchange"

        init(_ type: ResponseType) {
            self = type == .code ? .code : type.contains(.code) ? .hybrid : .implicit
        }
    }

    init(
        _ user: User, of client: Client, _ flow: Flow, scope: Scope, authenticatedAt: Date,
        resourceServer: ResourceServer? = nil
    ) {
        (self.user, self.client, self.flow, requestedScope) = (user, client, flow, scope)
        (self.authenticatedAt, self.resourceServer) = (authenticatedAt, resourceServer)
    }

    /// When the user passed a second factor for this very request, which has no session; nil for none.
    var passedAt: Date?

    /// When the user passed a second factor for the request, in the session, or in that which the refresh token comes from; nil
    /// for none.
    var multiFactorAt: Date? { passedAt ?? session?.multiFactorAt ?? refreshToken?.family.multiFactorAt }

    /// The name of the connection that the user has signed in with.
    var connectionName: String { session?.connection ?? user.connection }

    /// What only one party may know, and no script has to.
    static let secrets: Set<String> = [
        "password", "client_secret", "client_assertion", "code", "code_verifier", "refresh_token", "otp", "assertion",
        "subject_token", "actor_token", "id_token_hint", "request", "device_code", "mfa_token", "oob_code",
        "binding_code", "recovery_code",
    ]

    /// Parameters that come back with the user in the place of the authorization request's.
    private static let returning: Set<String> = ["state", "session_token"]

    /// The query that scripts see: the authorization request's, and beside it what the user has brought back. Anybody writes
    /// that into a link, so that it takes the place of nothing but what belongs to the way back.
    var query: JSONObject {
        let returned = Self.shown(returned)
        return returned.merging(Self.shown(request?.parameters)) { $1 }
            .merging(returned.filter { Self.returning.contains($0.key) }) { $1 }
    }

    /// Parameters as scripts may see them.
    static func shown(_ parameters: Parameters?) -> JSONObject {
        (parameters?.all ?? [:]).filter { !secrets.contains($0.key) }.mapValues(JSONValue.string)
    }
}

/// What the database and the configuration know of a login, read once for all its scripts.
struct ScriptFacts: Sendable {
    /// The user's identities, the first one first.
    let identities: [User]
    let roles: [String]
    /// The second factors that the user has, by Auth0's names.
    let factors: [String]
    /// The app for one-time codes that the user has; nil for none.
    let authenticatorID: String?
    /// The applications that the session has signed the user in to and that are told of its end.
    let sessionClients: [String]
    /// What is kept with the refresh token that is exchanged.
    let refreshTokenMetadata: JSONObject
    let connection: Connection?
    /// How the tenant has browsers keep the cookies of sessions.
    let cookieMode: CookieMode
    /// What scripts know the tenant by.
    let tenant: String
    let hostname: String
    /// Where the request comes from; nil where that is unknown.
    let place: AddressPlace?
    /// How well the login fits its user; nil where nobody has just proved who they are.
    let risk: RiskAssessment?

    init(_ login: ScriptedLogin, _ services: Services) async throws {
        let (userID, organizationID, sid) = (login.user.id, login.organization?.id, login.session?.sid)
        let familyID = login.refreshToken?.family.id
        let enrolled: SecondFactors.Enrolled
        let history: LoginHistory?
        let source = try await RiskSource(login, services)
        (identities, roles, sessionClients, refreshTokenMetadata, enrolled, history) = try await services.stores
            .database.read {
                transaction in
                let roles =
                    try organizationID.map {
                        try OrganizationStore.roles(of: userID, in: $0, transaction)
                    } ?? RoleStore.roles(of: userID, in: transaction)
                return (
                    try UserStore.identities(of: [userID], in: transaction)[userID] ?? [], roles.map(\.name),
                    try sid.map { try SessionClientStore.clientIDs(of: $0, in: transaction) } ?? [],
                    try familyID.flatMap { try RefreshTokenStore.find(id: $0, in: transaction)?.metadata } ?? [:],
                    try SecondFactors.enrolled(userID, in: transaction), try source?.find(in: transaction)
                )
            }
        risk = history.map { RiskAssessment($0, login, services) }
        authenticatorID = enrolled.authenticator?.id
        let name = login.connectionName
        connection = try await services.configuration.connections().first { $0.name == name }
        factors = enrolled.factors(
            try await services.configuration.sections().multiFactor,
            after: SecondFactors.FirstFactorChannel(connection))
        cookieMode =
            try await services.configuration.settings().sessionCookieIsPersistent ? .persistent : .nonPersistent
        (tenant, hostname, place) = (services.issuer.scriptTenant, services.issuer.domain, services.place)
    }
}

extension Issuer {
    /// What scripts know the tenant by: the first label of its name.
    var scriptTenant: String {
        let host = domain.prefix { $0 != ":" }
        return host.contains(where: \.isLetter) ? String(host.prefix { $0 != "." }) : String(host)
    }
}
