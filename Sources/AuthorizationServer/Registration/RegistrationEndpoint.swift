import Foundation
import OAuth
import Storage

/// Clients that register themselves: [RFC 7591](https://www.rfc-editor.org/rfc/rfc7591), OpenID Connect Dynamic Client
/// Registration 1.0, and [RFC 7592](https://www.rfc-editor.org/rfc/rfc7592) for what they change later.
package struct RegistrationEndpoint: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// Registrations and changes from one address, good and bad, in ``window`` seconds.
    package static let mostPerAddress = 100
    package static let window: TimeInterval = 3600

    /// Registers a client: a third-party application, which signs in through the domain connections.
    /// - Parameter address: where the request comes from.
    /// - Returns: the client information response, RFC 7591 §3.2.1.
    /// - Throws: ``OAuthError``.
    package func register(_ members: JSONObject, address: String) async throws -> JSONObject {
        try await recording("Register a client") { trail in try await register(members, address, trail) }
    }

    private func register(_ members: JSONObject, _ address: String, _ trail: LogTrail) async throws -> JSONObject {
        try await requireOpen()
        try await countAttempt(from: address)
        let now = services.now()
        var client = Client(clientID: RandomBytes.alphanumeric(32), name: "")
        client.isFirstParty = false
        try await ClientMetadata.apply(
            members, to: &client, algorithms: services.configuration.settings().signingAlgorithms)
        try requireSupported(client.tokenEndpointAuthMethod)
        try await SectorIdentifier(services: services).check(client)
        trail.note { $0.clientID = client.clientID }
        let credentials = try Credentials(for: client, box: services.secret.box)
        let token = Secret.random(prefix: "reg_")
        let registration = ClientRegistration(
            clientID: client.clientID, accessTokenDigest: token.digest, registeredAt: now)
        let registered = client
        try await services.stores.database.write { transaction in
            try ClientStore.save(
                registered, secretDigest: credentials?.secret.digest, sealedSecret: credentials?.sealed, at: now,
                in: transaction)
            try ClientRegistrationStore.insert(registration, in: transaction)
        }
        return response(client, registration, token, newSecret: credentials?.secret)
    }

    /// What is registered, RFC 7592 §2.1. The secret is not among it: only its digest is kept.
    /// - Throws: ``OAuthError``.
    package func read(_ clientID: String, accessToken: Secret?) async throws -> JSONObject {
        let (registered, registration, token) = try await authorize(clientID, accessToken)
        return response(registered.client, registration, token, newSecret: nil)
    }

    /// Replaces what is registered, and the registration access token with it, RFC 7592 §2.2.
    /// - Throws: ``OAuthError``.
    package func update(
        _ clientID: String, _ members: JSONObject, accessToken: Secret?, address: String
    ) async throws -> JSONObject {
        try await recording("Update a registered client") { trail in
            trail.note { $0.clientID = clientID }
            return try await update(clientID, members, accessToken, address)
        }
    }

    private func update(
        _ clientID: String, _ members: JSONObject, _ accessToken: Secret?, _ address: String
    ) async throws -> JSONObject {
        let (registered, registration, token) = try await authorize(clientID, accessToken)
        try await countAttempt(from: address)
        try Self.checkIdentity(members, of: registered)
        var client = registered.client
        try await ClientMetadata.apply(
            members, to: &client, algorithms: services.configuration.settings().signingAlgorithms)
        try requireSupported(client.tokenEndpointAuthMethod)
        try await SectorIdentifier(services: services).check(client)
        let credentials = try Credentials(for: client, replacing: registered, box: services.secret.box)
        let (changed, newToken, now) = (client, Secret.random(prefix: "reg_"), services.now())
        let isReplaced = try await services.stores.database.write { transaction in
            guard
                try ClientRegistrationStore.replaceToken(
                    of: clientID, from: token.digest, to: newToken.digest, in: transaction)
            else { return false }
            try ClientStore.save(
                changed, secretDigest: credentials?.secret.digest, sealedSecret: credentials?.sealed, at: now,
                in: transaction)
            return true
        }
        guard isReplaced else { throw Self.invalidToken }
        return response(client, registration, newToken, newSecret: credentials?.secret)
    }

    /// Removes the client with its tokens and consents, RFC 7592 §2.3.
    /// - Throws: ``OAuthError``.
    package func delete(_ clientID: String, accessToken: Secret?) async throws {
        try await recording("Delete a registered client") { trail in
            trail.note { $0.clientID = clientID }
            _ = try await authorize(clientID, accessToken)
            try await services.stores.database.write { try ClientStore.delete(clientID, in: $0) }
        }
    }

    // MARK: Steps

    /// Registrations change the tenant as the Management API does, so they are logged as its operations are.
    private func recording<T>(_ operation: String, _ body: (LogTrail) async throws -> T) async throws -> T {
        let trail = LogTrail()
        trail.note { $0.details["operation"] = .string(operation) }
        do {
            let result = try await body(trail)
            services.log(.apiOperation, trail, description: operation)
            return result
        } catch {
            services.log(.failedAPIOperation, trail, failure: error)
            throw error
        }
    }

    private func requireOpen() async throws {
        guard try await services.configuration.settings().allowsRegistration else {
            throw OAuthError(
                .endpointDisabled,
                "Dynamic client registration is off; the tenant setting flags.enable_dynamic_client_registration turns "
                    + "it on",
                hint: "Ask the tenant's administrator for a client, or set the flag to true.")
        }
    }

    /// - Throws: ``OAuthError`` where the client could never prove itself.
    private func requireSupported(_ method: ClientAuthenticationMethod) throws(OAuthError) {
        let supported = ClientAuthenticationMethod.supported(services.mutualTLS)
        guard supported.contains(method) else {
            throw OAuthError(
                .invalidClientMetadata,
                "token_endpoint_auth_method: '\(method.rawValue)' is none of "
                    + supported.map(\.rawValue).joined(separator: ", "),
                hint: "token_endpoint_auth_methods_supported in the discovery document lists them.")
        }
    }

    private func countAttempt(from address: String) async throws {
        let refusal = try await services.stores.rateLimits.refusal(
            "registration \(address)", most: Self.mostPerAddress, window: Self.window, at: services.now())
        guard let refusal else { return }
        throw OAuthError(
            .tooManyRequests, "Too many registrations from this address; try again in an hour",
            hint: "A client registers once and keeps what it gets.", retryAfter: refusal)
    }

    private static let invalidToken = OAuthError(
        .invalidToken, "The registration access token is not this client's",
        hint: "Each change of the registration replaces the token; send the newest.")

    /// The client whose registration the token manages.
    private func authorize(
        _ clientID: String, _ token: Secret?
    ) async throws -> (RegisteredClient, ClientRegistration, Secret) {
        guard let token else { throw Self.invalidToken }
        let found = try await services.stores.clientRegistrations.find(accessTokenDigest: token.digest)
        // Whether there is such a client is told to nobody else.
        guard let found, found.clientID == clientID,
            let registered = try await services.stores.clients.find(clientID)
        else { throw Self.invalidToken }
        guard try await services.configuration.settings().allowsRegistration, !registered.client.isFirstParty else {
            throw OAuthError(
                .insufficientScope, "The registration may not be read or changed by the client any more",
                hint: "The tenant has turned registration off, or has made the application one of its own "
                    + "(is_first_party).")
        }
        return (registered, found, token)
    }

    /// RFC 7592 §2.2: a change names the client that it is for, and cannot choose its secret.
    private static func checkIdentity(_ members: JSONObject, of registered: RegisteredClient) throws(OAuthError) {
        guard members["client_id"]?.string == registered.client.clientID else {
            throw OAuthError(.invalidClientMetadata, "client_id: must be the client's own")
        }
        guard let sent = members["client_secret"], sent != .null else { return }
        guard let secret = sent.string, Secret(secret).digest == registered.secretDigest else {
            throw OAuthError(
                .invalidClientMetadata, "client_secret: must be the present one, or left out",
                hint: "The server makes secrets, not the client.")
        }
    }

    private func response(
        _ client: Client, _ registration: ClientRegistration, _ token: Secret, newSecret: Secret?
    ) -> JSONObject {
        var members = ClientMetadata.document(of: client)
        members["client_id_issued_at"] = .integer(Int64(registration.registeredAt.timeIntervalSince1970))
        if let newSecret {
            members["client_secret"] = .string(newSecret.text)
            members["client_secret_expires_at"] = 0
        }
        members["registration_access_token"] = .string(token.text)
        members["registration_client_uri"] = .string(services.issuer.url("oidc/register/\(client.clientID)"))
        return members
    }
}

/// The secret that a client is given when it registers.
private struct Credentials: Sendable {
    let secret: Secret
    /// Kept only where the server must be able to read it again.
    let sealed: String?

    /// - Returns: nil for a client that needs no new secret.
    init?(for client: Client, replacing former: RegisteredClient? = nil, box: SecretBox) throws {
        guard client.usesSecret else { return nil }
        let needsSealing = client.needsReadableSecret
        if let former, former.client.usesSecret, former.secretDigest != nil,
            !needsSealing || former.sealedSecret != nil
        {
            return nil
        }
        secret = Secret(Base64URL.encode(RandomBytes.make(48)))
        sealed = needsSealing ? try box.seal(secret.text) : nil
    }
}
