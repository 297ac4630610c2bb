import Foundation
import OAuth
import Storage

/// The device authorization endpoint, [RFC 8628 §3.1](https://www.rfc-editor.org/rfc/rfc8628#section-3.1).
package struct DeviceAuthorizationEndpoint: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// Requests of one address within their lifetime. Anybody may begin one, and each is a row.
    private static let most = 300

    /// Seconds until a request that nobody answers ends.
    static let lifetime = 900

    /// The answer to a device, RFC 8628 §3.2.
    package struct Response: Sendable, Encodable {
        let deviceCode, userCode, verificationURI, verificationURIComplete: String
        let expiresIn, interval: Int

        private enum CodingKeys: String, CodingKey {
            case interval
            case deviceCode = "device_code"
            case userCode = "user_code"
            case verificationURI = "verification_uri"
            case verificationURIComplete = "verification_uri_complete"
            case expiresIn = "expires_in"
        }
    }

    /// Begins a request that a user answers at `/activate`.
    /// - Parameter address: where the request comes from.
    /// - Throws: ``OAuthError`` where the client is not proved, may not use the grant, asks for an API that there is not, or
    ///   the address has asked too often.
    package func begin(
        _ parameters: Parameters, authorizationHeader: String?, address: String, certificate: ClientCertificate? = nil
    ) async throws -> Response {
        let trail = LogTrail()
        do {
            return try await begin(parameters, authorizationHeader, address, certificate, trail)
        } catch {
            services.log(.failedDeviceAuthorization, trail, failure: error)
            throw error
        }
    }

    private func begin(
        _ parameters: Parameters, _ authorizationHeader: String?, _ address: String, _ certificate: ClientCertificate?,
        _ trail: LogTrail
    ) async throws -> Response {
        let credentials = try ClientCredentials(
            authorizationHeader: authorizationHeader, parameters: parameters, certificate: certificate)
        trail.note { $0.clientID = credentials.clientID }
        let client = try await ClientAuthenticator(services: services).authenticate(credentials)
            .client
        try client.require(.deviceCode)
        try client.requireNoOrganization()
        let scope = try Scope(parsing: parameters["scope"] ?? "")
        let api = try await RequestedAccess.resourceServer(
            parameters["audience"], resource: try ResourceIndicator.parse(parameters["resource"]), services: services)
        let refusal = try await services.stores.rateLimits.refusal(
            "device codes \(address)", most: Self.most, window: Double(Self.lifetime), at: services.now())
        if let refusal {
            throw OAuthError(
                .tooManyRequests, "Too many devices have asked from this address; try again later.",
                retryAfter: refusal)
        }
        let settings = try await services.configuration.settings().deviceFlow
        let deviceCode = Secret.random()
        let expiresAt = services.now().addingTimeInterval(Double(Self.lifetime))
        let userCode = try await keep(settings) { userCodeDigest in
            DeviceCode(
                digest: deviceCode.digest, userCodeDigest: userCodeDigest,
                authorizationID: RandomBytes.alphanumeric(24), clientID: client.clientID, scope: scope,
                audience: api?.resourceServer.identifier, expiresAt: expiresAt)
        }
        let address = services.issuer.url("activate")
        let query = userCode.text.replacing(" ", with: "+")
        return Response(
            deviceCode: deviceCode.text, userCode: userCode.text, verificationURI: address,
            verificationURIComplete: "\(address)?user_code=\(query)", expiresIn: Self.lifetime,
            interval: DeviceCodeStore.pollInterval)
    }

    /// User codes are short: now and then two devices would get the same one, and then another is made.
    private func keep(
        _ settings: DeviceFlowSettings, _ row: (_ userCodeDigest: String) -> DeviceCode
    ) async throws -> UserCode {
        for _ in 0..<5 {
            let code = UserCode.random(settings)
            let row = row(services.secret.digest(of: code))
            do {
                try await services.stores.database.write { try DeviceCodeStore.insert(row, in: $0) }
                return code
            } catch SQLError.uniqueViolation {
                continue
            }
        }
        throw OAuthError(.temporarilyUnavailable, "No user code is free; try again.")
    }
}

extension ServerSecret {
    /// What is stored of a user code. It is short, so without the server's secret a thief of the database could try all.
    func digest(of code: UserCode) -> String { authenticate(code.characters, for: .userCodes) }
}
