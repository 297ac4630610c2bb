import Logging
import OAuth
import Storage

/// The token endpoint, [RFC 6749 §3.2](https://www.rfc-editor.org/rfc/rfc6749#section-3.2).
package struct TokenEndpoint: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// - Parameters:
    ///   - authorizationHeader: the value of the `Authorization` header.
    ///   - isFromBrowser: whether the request has an `Origin`.
    ///   - address: where the request comes from.
    ///   - forwarded: where the client says that it comes from.
    ///   - proofs: the values of the `DPoP` headers.
    ///   - certificate: the certificate of the client's connection.
    /// - Throws: ``OAuthError``.
    package func issue(
        _ parameters: Parameters, authorizationHeader: String?, isFromBrowser: Bool, address: String,
        forwarded: ForwardedAddress = ForwardedAddress(nil), proofs: [String] = [],
        certificate: ClientCertificate? = nil
    ) async throws -> TokenResponse {
        let trail = LogTrail()
        do {
            let response = try await issue(
                parameters, authorizationHeader, isFromBrowser: isFromBrowser, address, forwarded, proofs, certificate,
                trail)
            services.logTokens(parameters["grant_type"], trail)
            return response
        } catch {
            services.logTokens(parameters["grant_type"], trail, failure: error)
            throw error
        }
    }

    private func issue(
        _ parameters: Parameters, _ authorizationHeader: String?, isFromBrowser: Bool, _ address: String,
        _ forwarded: ForwardedAddress, _ proofs: [String], _ certificate: ClientCertificate?, _ trail: LogTrail
    ) async throws -> TokenResponse {
        let type = GrantType(rawValue: try parameters.require("grant_type"))
        guard let grant = Grants.make(type, services: services) else {
            throw OAuthError(
                .unsupportedGrantType, "Unsupported grant type: \(type.rawValue.forDisplay)",
                hint: "This server has " + Grants.all.map { $0.type.rawValue }.sorted().joined(separator: ", ") + ".")
        }
        let credentials = try ClientCredentials(
            authorizationHeader: authorizationHeader, parameters: parameters, certificate: certificate)
        trail.note { $0.clientID = credentials.clientID }
        let registered = try await ClientAuthenticator(services: services).authenticate(credentials)
        try registered.client.require(type)
        let now = services.now()
        var request = TokenRequest(
            parameters: parameters, client: registered.client, now: now, isFromBrowser: isFromBrowser,
            address: forwarded.counted(for: registered.client, else: address), trail: trail,
            resource: try await resource(parameters))
        (request.certificate, request.device) = (certificate, services.device)
        try await readProof(proofs, into: &request)
        var authorization = try await grant.redeem(request)
        // A grant asks before it writes anything; this is for whatever it does not know by then.
        let audience = authorization.resourceServer?.resourceServer.identifier
        if let problem = request.proofProblem(audience: audience) { throw problem }
        authorization.confirmation = request.confirmation(audience: audience)
        if authorization.mustBeBound, authorization.confirmation.isEmpty {
            guard let certificate else { throw OAuthError.exchangeUnbinds }
            authorization.confirmation.certificateThumbprint = certificate.thumbprint
        }
        trail.note(authorization)
        return try await services.tokens.issue(authorization, at: now)
    }

    /// The client's proof of possession, [RFC 9449 §5](https://www.rfc-editor.org/rfc/rfc9449#section-5).
    private func readProof(_ proofs: [String], into request: inout TokenRequest) async throws {
        request.proof = try await DPoPVerifier(services: services).verify(
            proofs, for: DPoPProof.Target(method: "POST", path: "oauth/token", services: services))
        request.possessionDemands = try await services.configuration.possessionDemands()
        // Whoever can prove nothing at all is told before the grant does its work.
        if let problem = request.clientProblem(request.possession) { throw problem }
    }

    private func resource(_ parameters: Parameters) async throws -> String? {
        guard let text = parameters["resource"], try await services.configuration.settings().readsResource else {
            return nil
        }
        return try ResourceIndicator.parse(text)
    }
}
