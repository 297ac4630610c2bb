import OAuth
import Storage

/// `private_key_jwt`, OpenID Connect Core §9: an assertion signed with the client's own key, whose public half it has
/// registered.
enum KeyAssertionProof: ClientProof {
    static let methods: Set<ClientAuthenticationMethod> = [.privateKeyJWT]

    static func prove(
        _ credentials: ClientCredentials, of registered: RegisteredClient, _ services: Services
    ) async throws {
        let keys = registered.client.keys
        let assertion = try ClientAssertion(credentials, of: registered.client)
        let algorithms = keys.assertionAlgorithm.map { [$0] } ?? JWSAlgorithm.asymmetric
        let claims: JSONObject
        do {
            claims = try await ClientKeyring(services: services, keys: keys, credentials: keys.credentials)
                .verify(assertion.token, algorithms: algorithms)
        } catch let problem as ClientKeyring.Problem {
            throw ClientAssertion.refused(problem.description)
        }
        try await ClientAssertion.use(claims, clientID: registered.client.clientID, services)
    }
}

/// `client_secret_jwt`, OpenID Connect Core §9: an assertion signed with the secret, which is never sent itself.
enum SecretAssertionProof: ClientProof {
    static let methods: Set<ClientAuthenticationMethod> = [.clientSecretJWT]

    static func prove(
        _ credentials: ClientCredentials, of registered: RegisteredClient, _ services: Services
    ) async throws {
        let assertion = try ClientAssertion(credentials, of: registered.client)
        guard let sealed = registered.sealedSecret else {
            throw ClientAssertion.refused("the application has no secret")
        }
        let algorithms = registered.client.keys.assertionAlgorithm.map { [$0] } ?? JWSAlgorithm.symmetric
        let secret = try services.secret.box.open(sealed)
        let claims: JSONObject
        do throws(SignedToken.Problem) {
            claims = try assertion.token.verified(bySecret: secret, algorithms: algorithms)
        } catch {
            throw ClientAssertion.refused(error.description)
        }
        try await ClientAssertion.use(claims, clientID: registered.client.clientID, services)
    }
}
