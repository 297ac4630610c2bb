import Foundation
import OAuth

/// The settings of the tenant, with the names and defaults of Auth0's `/api/v2/tenants/settings`.
package struct TenantSettings: Sendable, Hashable {
    /// What pages and consent call the tenant.
    package var friendlyName: String?
    package var pictureURL: String?
    package var supportURL: String?
    /// The `audience` of requests that name none.
    package var defaultAudience: String?
    package var allowedLogoutURLs: [RegisteredURI] = []
    /// Seconds after which a session ends whatever happens; 7 days.
    package var sessionLifetime = 168 * 3600
    /// Seconds without use after which a session ends; 3 days.
    package var idleSessionLifetime = 72 * 3600
    /// Whether the session cookie outlives the browser.
    package var sessionCookieIsPersistent = true
    /// Whether the consent page lists each scope's own description.
    package var usesScopeDescriptionsForConsent = false
    /// How errors and a few claims are written on the wire.
    package var wireDialect = WireDialect.standard
    /// Whether authorization responses name their issuer; nil leaves it to the dialect.
    package var authorizationResponseIssuer: Bool?
    /// What tokens can be signed with, and so the kinds of key in the JWKS.
    package var signingAlgorithms = SigningAlgorithms.standard
    /// Whether `resource` names the API as `audience` does; nil leaves it to the dialect.
    package var resourceParameterProfile: ResourceParameterProfile?
    /// Whether clients may push authorization requests; nil leaves it to the dialect.
    package var pushedAuthorizationRequests: Bool?
    /// Whether DPoP proofs must have a nonce of the server's, so that none can be made in advance.
    package var requiresDPoPNonce = false
    /// Failed logins of one identifier from one address until the pair is blocked.
    package var bruteForceMaximumAttempts = 10
    /// Where a user goes who opens a page of a login that is no longer under way and whose application is unknown or has
    /// no place for that.
    package var defaultRedirectionURI: String?
    package var logout = TenantLogoutSettings()
    /// The name of the connection whose users the password grant knows.
    package var defaultDirectory: String?
    /// How the codes of the device flow look.
    package var deviceFlow = DeviceFlowSettings()
    /// Whether a `client_id` may be the address of a client metadata document.
    package var readsClientMetadataDocuments = false
    /// Whether discovery names the endpoints of the host that takes certificates, where there is one: Auth0's
    /// `mtls.enable_endpoint_aliases`. Nil does not say.
    package var mutualTLSAliases: Bool?
    /// Auth0's other settings, kept and given back.
    package var other: JSONObject = [:]

    package init() {}

    /// Whether authorization responses carry `iss` ([RFC 9207](https://www.rfc-editor.org/rfc/rfc9207)). Auth0 sends it
    /// only where the tenant asks for that.
    package var sendsIssuerInResponses: Bool { authorizationResponseIssuer ?? (wireDialect == .standard) }

    /// Whether `resource` counts ([RFC 8707](https://www.rfc-editor.org/rfc/rfc8707)). Auth0 ignores it unless told not to.
    package var readsResource: Bool {
        resourceParameterProfile.map { $0 == .compatibility } ?? (wireDialect == .standard)
    }

    /// Whether clients may push authorization requests ([RFC 9126](https://www.rfc-editor.org/rfc/rfc9126)). Auth0 has it
    /// off unless the tenant turns it on.
    package var acceptsPushedRequests: Bool { pushedAuthorizationRequests ?? (wireDialect == .standard) }

    /// Whether discovery names the endpoints of the host that takes certificates, where there is one.
    package var publishesMutualTLSAliases: Bool { mutualTLSAliases ?? true }
}

/// What the `resource` parameter means, as Auth0's setting `resource_parameter_profile` says.
package enum ResourceParameterProfile: String, Sendable, CaseIterable {
    /// It is ignored.
    case audience
    /// It is another name of `audience`.
    case compatibility
}

/// Which of two ways the server words what the RFCs and Auth0 word differently.
package enum WireDialect: String, Sendable, CaseIterable {
    /// As the RFCs and OpenID Connect say.
    case standard
    /// As Auth0 does; a tenant that was imported from there gets it.
    case auth0
}

extension TenantSettings {
    /// - Throws: ``Document/Problem`` for the first member that is unknown or has a wrong value.
    package init(document: Document) throws(Document.Problem) {
        var document = document
        friendlyName = try document.string("friendly_name")
        pictureURL = try document.string("picture_url")
        supportURL = try document.string("support_url")
        defaultAudience = try document.string("default_audience")
        allowedLogoutURLs = try document.registeredURIs("allowed_logout_urls") ?? []
        sessionLifetime = try Self.seconds(&document, "session_lifetime", default: 168)
        idleSessionLifetime = try Self.seconds(&document, "idle_session_lifetime", default: 72)
        guard idleSessionLifetime <= sessionLifetime else {
            throw document.problem("idle_session_lifetime", "must not be longer than session_lifetime")
        }
        if var cookie = try document.document("session_cookie") {
            sessionCookieIsPersistent = try cookie.oneOf("mode", SessionCookieMode.self) != .nonPersistent
            _ = try cookie.remaining(known: [])
        }
        wireDialect = try document.oneOf("wire_dialect", WireDialect.self) ?? .standard
        authorizationResponseIssuer = try document.bool("authorization_response_iss_parameter_supported")
        signingAlgorithms = try SigningAlgorithms(&document)
        resourceParameterProfile = try document.oneOf("resource_parameter_profile", ResourceParameterProfile.self)
        pushedAuthorizationRequests = try document.bool("pushed_authorization_requests_supported")
        requiresDPoPNonce = try document.bool("require_dpop_nonce", default: false)
        bruteForceMaximumAttempts = try document.integer("brute_force_max_attempts", in: 1...100) ?? 10
        readsClientMetadataDocuments = try document.bool("client_id_metadata_document_supported", default: false)
        defaultRedirectionURI = try document.string("default_redirection_uri", most: 2048)
        logout = try TenantLogoutSettings(tenant: &document)
        defaultDirectory = try document.string("default_directory")
        if let settings = try document.document("device_flow") {
            deviceFlow = try DeviceFlowSettings(document: settings)
        }
        if var settings = try document.document("mtls") {
            mutualTLSAliases = try settings.bool("enable_endpoint_aliases")
            _ = try settings.remaining(known: [])
        }
        other = try document.remaining(known: Self.known)
        let flags = other["flags"]?.object ?? [:]
        guard flags[Self.registrationFlag].map({ $0 == .null || $0.bool != nil }) ?? true else {
            throw document.problem("flags.\(Self.registrationFlag)", "must be true or false")
        }
        guard Self.member(Self.magicLinkFlag, of: other).map({ $0 == .null || $0.bool != nil }) ?? true else {
            throw document.problem(Self.magicLinkFlag.joined(separator: "."), "must be true or false")
        }
        usesScopeDescriptionsForConsent =
            other["flags"]?.object?["use_scope_descriptions_for_consent"]?.bool ?? false
    }

    private static let registrationFlag = "enable_dynamic_client_registration"

    /// Whether clients may register themselves.
    package var allowsRegistration: Bool { other["flags"]?.object?[Self.registrationFlag]?.bool ?? false }

    /// Whether a magic link that `/passwordless/start` has sent may be opened in any browser, as Auth0's
    /// `universal_login.passwordless.allow_magiclink_verify_without_session` says; as there it may not unless the tenant says so.
    package var allowsMagicLinksAnywhere: Bool {
        Self.member(Self.magicLinkFlag, of: other)?.bool ?? false
    }

    private static let magicLinkFlag = ["universal_login", "passwordless", "allow_magiclink_verify_without_session"]

    private static func member(_ path: [String], of members: JSONObject) -> JSONValue? {
        path.dropFirst().reduce(members[path[0]]) { $0?.object?[$1] }
    }

    /// Whether organizations may be called by their names, and tokens have the names.
    package var usesOrganizationNames: Bool {
        other["allow_organization_name_in_authentication_api"]?.bool ?? false
    }

    private enum SessionCookieMode: String, CaseIterable {
        case persistent
        case nonPersistent = "non-persistent"
    }

    private static func seconds(
        _ document: inout Document, _ name: String, default hours: Int
    ) throws(Document.Problem) -> Int {
        let minutes = try document.integer("\(name)_in_minutes", in: 1...525_600)
        let value = document.take(name)
        if let minutes { return minutes * 60 }
        guard let value else { return hours * 3600 }
        let hours: Double? =
            switch value {
            case .integer(let whole): Double(whole)
            case .number(let fraction): fraction
            default: nil
            }
        guard let hours, hours > 0, hours <= 8760 else {
            throw document.problem(name, "must be a number of hours, more than 0 and at most 8760")
        }
        return max(1, Int((hours * 3600).rounded()))
    }

    /// The settings as Auth0 writes them.
    package var document: JSONObject {
        var members = other
        members["friendly_name"] = friendlyName.map(JSONValue.string)
        members["picture_url"] = pictureURL.map(JSONValue.string)
        members["support_url"] = supportURL.map(JSONValue.string)
        members["default_audience"] = defaultAudience.map(JSONValue.string)
        if !allowedLogoutURLs.isEmpty { members["allowed_logout_urls"] = JSONValue(allowedLogoutURLs) }
        if readsClientMetadataDocuments { members["client_id_metadata_document_supported"] = true }
        members["default_redirection_uri"] = defaultRedirectionURI.map(JSONValue.string)
        members["session_lifetime"] = Self.hours(sessionLifetime)
        members["idle_session_lifetime"] = Self.hours(idleSessionLifetime)
        members["session_cookie"] = ["mode": .string(sessionCookieIsPersistent ? "persistent" : "non-persistent")]
        members["wire_dialect"] = .string(wireDialect.rawValue)
        members["authorization_response_iss_parameter_supported"] = authorizationResponseIssuer.map(JSONValue.bool)
        if requiresDPoPNonce { members["require_dpop_nonce"] = true }
        members["signing_algorithms"] = signingAlgorithms.document
        members["resource_parameter_profile"] = resourceParameterProfile.map { .string($0.rawValue) }
        members["pushed_authorization_requests_supported"] = pushedAuthorizationRequests.map(JSONValue.bool)
        members["default_directory"] = defaultDirectory.map(JSONValue.string)
        members["mtls"] = mutualTLSAliases.map { ["enable_endpoint_aliases": .bool($0)] }
        members["device_flow"] = .object(deviceFlow.document)
        members["brute_force_max_attempts"] = .integer(Int64(bruteForceMaximumAttempts))
        logout.write(to: &members)
        return members
    }

    private static func hours(_ seconds: Int) -> JSONValue {
        seconds % 3600 == 0 ? .integer(Int64(seconds / 3600)) : .number(Double(seconds) / 3600)
    }

    /// Auth0's settings that change nothing here yet.
    private static let known: Set<String> = [
        "flags", "change_password", "guardian_mfa_page", "error_page",
        "support_email", "ephemeral_session_lifetime", "idle_ephemeral_session_lifetime",
        "sandbox_version", "sandbox_versions_available", "enabled_locales",
        "allow_organization_name_in_authentication_api", "customize_mfa_in_postlogin_action", "acr_values_supported",
        "skip_non_verifiable_callback_uri_confirmation_prompt",
        "default_token_quota", "dynamic_client_registration_security_mode",
        "phone_consolidated_experience", "country_codes", "security_headers", "universal_login",
    ]
}

extension JSONValue {
    /// The texts of registered URIs.
    package init(_ uris: [RegisteredURI]) { self = .array(uris.map { .string($0.text) }) }
    /// A list of texts.
    package init(_ strings: [String]) { self = .array(strings.map(JSONValue.string)) }
}

/// The tenant's row: its settings, and the version of everything that nodes keep in memory.
package struct TenantStore: Sendable {
    let database: any SQLDatabase

    /// The settings of the tenant.
    package func settings() async throws -> TenantSettings {
        try await database.readOnce { try Self.settings(in: $0) }
    }

    /// The settings of the tenant.
    package static func settings(in transaction: any SQLTransaction) throws -> TenantSettings {
        guard let row = try transaction.row("SELECT document FROM tenant WHERE id = 1") else { return TenantSettings() }
        return try TenantSettings(document: Document(row.json("document"), path: "tenant"))
    }

    /// Replaces the settings.
    package static func update(_ settings: TenantSettings, in transaction: any SQLTransaction) throws {
        try transaction.execute("UPDATE tenant SET document = \(JSON.text(settings.document)) WHERE id = 1")
        try configurationChanged(in: transaction)
    }

    /// Grows with every change of the configuration, whichever process makes it.
    package func configurationVersion() async throws -> Int {
        try await database.readOnce { try Self.configurationVersion(in: $0) }
    }

    /// Grows with every change of the configuration, whichever process makes it.
    package static func configurationVersion(in transaction: any SQLTransaction) throws -> Int {
        try transaction.row("SELECT configuration_version FROM tenant WHERE id = 1")?
            .integer("configuration_version") ?? 0
    }

    /// Waits until nobody else changes the configuration, and keeps others out until the transaction ends: the start of
    /// every change that depends on what there is.
    package static func lockConfiguration(in transaction: any SQLTransaction) throws {
        try transaction.lock(.configuration)
    }

    /// Makes every node read its configuration anew; part of each transaction that changes some.
    package static func configurationChanged(in transaction: any SQLTransaction) throws {
        try transaction.execute("UPDATE tenant SET configuration_version = configuration_version + 1 WHERE id = 1")
        try transaction.announceConfigurationChange()
    }
}
