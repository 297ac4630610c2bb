import Foundation
import OAuth

/// An application that asks for tokens: Auth0's client, with the names and defaults of `/api/v2/clients`.
package struct Client: Sendable, Hashable {
    package var clientID: String
    package var name: String
    package var appType: AppType?
    package var logoURI: String?
    package var isFirstParty = true
    package var isOIDCConformant = true
    package var callbacks: [RegisteredURI] = []
    package var allowedLogoutURLs: [RegisteredURI] = []
    package var webOrigins: [String] = []
    package var allowedOrigins: [String] = []
    package var grantTypes: Set<GrantType> = []
    package var tokenEndpointAuthMethod = ClientAuthenticationMethod.clientSecretPost
    package var initiateLoginURI: String?
    /// The API whose own client this is: it may ask about the tokens for it. For ``AppType/resourceServer`` only.
    package var resourceServerIdentifier: String?
    /// Whether an authorization request must be pushed ahead ([RFC 9126 §6](https://www.rfc-editor.org/rfc/rfc9126#section-6)).
    package var requiresPushedRequests = false
    /// Seconds for which an ID token is valid.
    package var idTokenLifetime = 36_000
    package var idTokenAlgorithm = SigningAlgorithm.rs256
    package var refreshToken = RefreshTokenSettings()
    /// Whether the client's access tokens must be bound to a key (RFC 9449) or certificate (RFC 8705) of its own.
    package var requiresProofOfPossession = false
    /// Whether the client's servers may say in `auth0-forwarded-for` for whose address a request counts.
    package var isForwardedAddressTrusted = false
    package var tokenExchange = TokenExchangeSettings()
    package var jwtBearer = JWTBearerSettings()
    package var openID = OpenIDSettings()
    /// Whether the client is what the document at its `client_id` says: Auth0's `external_metadata_type` `cimd`.
    package var isMetadataDocument = false
    package var keys = ClientKeys()
    package var requestObject = RequestObjectSettings()
    package var information = ClientInformation()
    package var logout = ClientLogoutSettings()
    package var organizations = ClientOrganizationSettings()
    /// Auth0's other fields, kept and given back.
    package var other: JSONObject = [:]

    /// Auth0's kinds of application; a kind decides defaults and nothing else.
    package enum AppType: String, Sendable, CaseIterable {
        case native, spa
        case regularWeb = "regular_web"
        case nonInteractive = "non_interactive"
        case resourceServer = "resource_server"
    }

    private enum ExternalMetadataType: String, CaseIterable {
        case cimd
    }

    package init(clientID: String, name: String) { (self.clientID, self.name) = (clientID, name) }

    /// Whether the client can keep a secret (RFC 6749 §2.1).
    package var isConfidential: Bool { tokenEndpointAuthMethod != .none }

    /// Whether the client has a secret to share with the server, and not only a key or certificate of its own.
    package var usesSecret: Bool { tokenEndpointAuthMethod.usesSecret || needsReadableSecret }

    /// Whether the server must know the secret itself, not only its digest: it signs or verifies with it.
    package var needsReadableSecret: Bool {
        idTokenAlgorithm == .hs256 || openID.userInfoAlgorithm == .hs256 || tokenEndpointAuthMethod == .clientSecretJWT
            || requestObject.isSignedWithSecret
    }
}

/// A client's `refresh_token` settings.
package struct RefreshTokenSettings: Sendable, Hashable {
    /// Whether each exchange replaces the token.
    package var isRotating = false
    /// Seconds in which the token replaced last may be used again.
    package var leeway = 0
    /// Seconds from the first issue to the end of the whole family; nil for no end.
    package var absoluteLifetime: Int?
    /// Seconds without use after which a token ends; nil for no end.
    package var idleLifetime: Int?

    package init() {}

    /// Rotating, with Auth0's standard lifetimes.
    package static let rotating: RefreshTokenSettings = {
        var settings = RefreshTokenSettings()
        (settings.isRotating, settings.absoluteLifetime, settings.idleLifetime) = (true, 2_592_000, 1_296_000)
        return settings
    }()
}

extension Client {
    /// - Parameter standardID: the `client_id` of a document that has none.
    /// - Throws: ``Document/Problem`` for the first member that is unknown or has a wrong value.
    package init(document: Document, standardID: String) throws(Document.Problem) {
        var document = document
        clientID = try document.string("client_id") ?? standardID
        guard !clientID.isEmpty, clientID.utf8.count <= 255, clientID.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { throw document.problem("client_id", "must be 1 to 255 printable ASCII characters without spaces") }
        name = try document.requiredString("name")
        appType = try document.oneOf("app_type", AppType.self)
        logoURI = try document.string("logo_uri")
        isFirstParty = try document.bool("is_first_party", default: true)
        isOIDCConformant = try document.bool("oidc_conformant", default: true)
        callbacks = try document.registeredURIs("callbacks") ?? []
        allowedLogoutURLs = try document.registeredURIs("allowed_logout_urls") ?? []
        webOrigins = try document.strings("web_origins") ?? []
        allowedOrigins = try document.strings("allowed_origins") ?? []
        initiateLoginURI = try document.string("initiate_login_uri")
        resourceServerIdentifier = try document.string("resource_server_identifier")
        guard resourceServerIdentifier == nil || appType == .resourceServer else {
            throw document.problem(
                "resource_server_identifier", "makes the client its API's own; set app_type to resource_server")
        }
        requiresPushedRequests = try document.bool("require_pushed_authorization_requests", default: false)
        keys = try ClientKeys(from: &document)
        requestObject = try RequestObjectSettings(from: &document)
        let isPublic = appType == .spa || appType == .native
        tokenEndpointAuthMethod =
            try document.oneOf("token_endpoint_auth_method", ClientAuthenticationMethod.self)
            ?? (isPublic ? .none : .clientSecretPost)
        // Auth0's way to declare the method is to register its credentials.
        tokenEndpointAuthMethod = keys.declaredMethod ?? tokenEndpointAuthMethod
        if let lack = keys.lack(for: tokenEndpointAuthMethod) {
            throw document.problem("token_endpoint_auth_method", lack)
        }
        let standardGrants: [GrantType] = [.authorizationCode, .implicit, .refreshToken]
        grantTypes = Set(
            try document.strings("grant_types")?.map(GrantType.init)
                ?? standardGrants + (tokenEndpointAuthMethod == .none ? [] : [.clientCredentials]))
        if var settings = try document.document("jwt_configuration") {
            idTokenLifetime = try settings.integer("lifetime_in_seconds", in: 1...2_592_000) ?? 36_000
            idTokenAlgorithm = try settings.oneOf("alg", SigningAlgorithm.self) ?? .rs256
            _ = try settings.remaining(known: ["secret_encoded", "scopes"])
        }
        requiresProofOfPossession = try document.bool("require_proof_of_possession", default: false)
        isForwardedAddressTrusted = try document.bool("is_token_endpoint_ip_header_trusted", default: false)
        if let settings = try document.document("refresh_token") {
            refreshToken = try RefreshTokenSettings(document: settings)
        }
        if let settings = try document.document("token_exchange") {
            tokenExchange = try TokenExchangeSettings(document: settings)
        }
        isMetadataDocument = try document.oneOf("external_metadata_type", ExternalMetadataType.self) != nil
        if let settings = try document.document("jwt_bearer") {
            jwtBearer = try JWTBearerSettings(document: settings)
        }
        openID = try OpenIDSettings(from: &document)
        guard openID.userInfoAlgorithm != .hs256 || isConfidential else {
            throw document.problem(
                "userinfo_signed_response_alg",
                "HS256 signs with the client's secret, and this client has none; use RS256")
        }
        guard !requestObject.isSignedWithSecret || isConfidential else {
            throw document.problem("request_object_signing_alg", RequestObjectSettings.needsSecret)
        }
        information = try ClientInformation(from: &document)
        logout = try ClientLogoutSettings(from: &document, callbacks: callbacks)
        organizations = try ClientOrganizationSettings(from: &document)
        other = try document.remaining(known: Self.known)
        guard idTokenAlgorithm != .hs256 || isConfidential else {
            throw document.problem(
                "jwt_configuration.alg", "HS256 signs with the client's secret, and this client has none; use RS256")
        }
    }

    /// The client as Auth0 writes it, without its secret.
    package var document: JSONObject {
        var members = other
        members["client_id"] = .string(clientID)
        members["name"] = .string(name)
        members["app_type"] = appType.map { .string($0.rawValue) }
        members["logo_uri"] = logoURI.map(JSONValue.string)
        members["is_first_party"] = .bool(isFirstParty)
        members["oidc_conformant"] = .bool(isOIDCConformant)
        members["callbacks"] = JSONValue(callbacks)
        if !allowedLogoutURLs.isEmpty { members["allowed_logout_urls"] = JSONValue(allowedLogoutURLs) }
        if !webOrigins.isEmpty { members["web_origins"] = JSONValue(webOrigins) }
        if !allowedOrigins.isEmpty { members["allowed_origins"] = JSONValue(allowedOrigins) }
        if isMetadataDocument { members["external_metadata_type"] = .string(ExternalMetadataType.cimd.rawValue) }
        members["initiate_login_uri"] = initiateLoginURI.map(JSONValue.string)
        members["resource_server_identifier"] = resourceServerIdentifier.map(JSONValue.string)
        if requiresPushedRequests { members["require_pushed_authorization_requests"] = true }
        members["grant_types"] = JSONValue(grantTypes.map(\.rawValue).sorted())
        members["token_endpoint_auth_method"] = .string(tokenEndpointAuthMethod.rawValue)
        members["jwt_configuration"] = [
            "alg": .string(idTokenAlgorithm.rawValue), "lifetime_in_seconds": .integer(Int64(idTokenLifetime)),
        ]
        if requiresProofOfPossession { members["require_proof_of_possession"] = true }
        if isForwardedAddressTrusted { members["is_token_endpoint_ip_header_trusted"] = true }
        members["refresh_token"] = .object(refreshToken.document)
        members["jwt_bearer"] = jwtBearer.document.map(JSONValue.object)
        members["token_exchange"] = tokenExchange.document.map(JSONValue.object)
        let groups = [
            openID.members, information.members, keys.members, requestObject.members, logout.members,
            organizations.members,
        ]
        for group in groups {
            members.merge(group) { $1 }
        }
        return members
    }

    /// Auth0's fields that change nothing here yet.
    private static let known: Set<String> = [
        "description", "allowed_clients", "client_aliases", "sso", "cross_origin_authentication", "cross_origin_auth",
        "cross_origin_loc", "custom_login_page", "custom_login_page_on", "custom_login_page_preview", "form_template",
        "addons", "client_metadata", "mobile", "native_social_login",
        "session_transfer",
        "compliance_level", "skip_non_verifiable_callback_uri_confirmation_prompt", "par_request_expiry",
        "token_quota", "redirection_policy", "third_party_security_mode",
        "sso_disabled", "callback_url_template", "encryption_key", "express_configuration",
        "async_approval_notification_channels",
    ]
}

extension RefreshTokenSettings {
    private enum RotationType: String, CaseIterable {
        case rotating
        case nonRotating = "non-rotating"
    }

    private enum ExpirationType: String, CaseIterable {
        case expiring
        case nonExpiring = "non-expiring"
    }

    init(document: Document) throws(Document.Problem) {
        var document = document
        isRotating = try document.oneOf("rotation_type", RotationType.self) == .rotating
        leeway = try document.integer("leeway", in: 0...2_592_000) ?? 0
        let expires = try document.oneOf("expiration_type", ExpirationType.self) == .expiring || isRotating
        let absolute = try document.integer("token_lifetime", in: 1...31_557_600) ?? 2_592_000
        let idle = try document.integer("idle_token_lifetime", in: 1...31_557_600) ?? 1_296_000
        let isAbsoluteInfinite = try document.bool("infinite_token_lifetime") ?? !expires
        let isIdleInfinite = try document.bool("infinite_idle_token_lifetime") ?? !expires
        absoluteLifetime = isAbsoluteInfinite ? nil : absolute
        idleLifetime = isIdleInfinite ? nil : idle
        _ = try document.remaining(known: ["policies"])
    }

    var document: JSONObject {
        var members: JSONObject = [
            "rotation_type": .string(isRotating ? "rotating" : "non-rotating"),
            "expiration_type": .string(
                absoluteLifetime == nil && idleLifetime == nil && !isRotating ? "non-expiring" : "expiring"),
            "leeway": .integer(Int64(leeway)),
            "infinite_token_lifetime": .bool(absoluteLifetime == nil),
            "infinite_idle_token_lifetime": .bool(idleLifetime == nil),
        ]
        members["token_lifetime"] = absoluteLifetime.map { .integer(Int64($0)) }
        members["idle_token_lifetime"] = idleLifetime.map { .integer(Int64($0)) }
        return members
    }
}

/// A client with what proves it.
package struct RegisteredClient: Sendable {
    package let client: Client
    /// The digest of its secret; nil where it has none.
    package let secretDigest: String?
    /// Its secret, sealed, kept only where tokens are signed with it (HS256, `client_secret_jwt`, request objects).
    package let sealedSecret: String?
}

/// The clients of the tenant.
package struct ClientStore: Sendable {
    let database: any SQLDatabase

    /// The client with this `client_id`, or nil where there is none.
    package func find(_ clientID: String) async throws -> RegisteredClient? {
        try await database.readOnce { try Self.find(clientID, in: $0) }
    }

    /// The client with this `client_id`, or nil where there is none.
    package static func find(_ clientID: String, in transaction: any SQLTransaction) throws -> RegisteredClient? {
        try transaction.row("SELECT * FROM client WHERE client_id = \(clientID)").map(RegisteredClient.init)
    }

    /// Every client, in the order of the names.
    package func list() async throws -> [RegisteredClient] {
        try await database.readOnce { try Self.list(in: $0) }
    }

    /// Every client, in the order of the names.
    package static func list(in transaction: any SQLTransaction) throws -> [RegisteredClient] {
        try transaction.rows("SELECT * FROM client ORDER BY name, client_id").map(RegisteredClient.init)
    }

    /// Inserts the client, or replaces the one with its `client_id`; a nil secret leaves a stored one as it is. What is
    /// sealed goes where nothing needs it any more.
    package static func save(
        _ client: Client, secretDigest: String?, sealedSecret: String?, at now: Date, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO client (client_id, name, document, secret_digest, sealed_secret, created_at, updated_at)
            VALUES (\(client.clientID), \(client.name), \(JSON.text(client.document)), \(secretDigest), \(sealedSecret),
                \(now), \(now))
            ON CONFLICT (client_id) DO UPDATE SET name = excluded.name, document = excluded.document,
                secret_digest = COALESCE(excluded.secret_digest, client.secret_digest),
                sealed_secret = COALESCE(excluded.sealed_secret, client.sealed_secret),
                updated_at = excluded.updated_at
            """)
        if !client.needsReadableSecret {
            try transaction.execute("UPDATE client SET sealed_secret = NULL WHERE client_id = \(client.clientID)")
        }
        try TenantStore.configurationChanged(in: transaction)
    }

    /// Removes the client with its grants, consents and tokens.
    package static func delete(_ clientID: String, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM client WHERE client_id = \(clientID)")
        try TenantStore.configurationChanged(in: transaction)
    }
}

extension RegisteredClient {
    fileprivate init(_ row: SQLRow) throws {
        let clientID = try row.text("client_id")
        client = try Client(document: Document(row.json("document"), path: "client"), standardID: clientID)
        secretDigest = row.optionalText("secret_digest")
        sealedSecret = row.optionalText("sealed_secret")
    }
}
