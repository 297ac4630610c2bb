import Foundation
import OAuth
import Storage

/// Auth0's `/passwordless/start`: has a code sent that the application redeems at the token endpoint.
package struct PasswordlessStart: Sendable {
    let services: Services

    package init(services: Services) { self.services = services }

    /// What Auth0 answers: the same for strangers and for users.
    package struct Response: Sendable, Encodable {
        let id: String
        let email, phoneNumber: String?
        let emailVerified, phoneVerified: Bool?

        private enum CodingKeys: String, CodingKey {
            case id = "_id"
            case email
            case phoneNumber = "phone_number"
            case emailVerified = "email_verified"
            case phoneVerified = "phone_verified"
        }
    }

    /// - Parameters:
    ///   - address: where the request comes from.
    ///   - language: the header `X-Request-Language`.
    /// - Throws: ``OAuthError``.
    package func send(
        _ parameters: Parameters, authorizationHeader: String?, address: String, language: String?
    ) async throws -> Response {
        let trail = LogTrail()
        do {
            let response = try await send(parameters, authorizationHeader, address, language, trail)
            services.log(.codeSent, trail, description: "A code was asked for")
            return response
        } catch {
            services.log(.failedLogin, trail, failure: error)
            throw error
        }
    }

    private func send(
        _ parameters: Parameters, _ authorizationHeader: String?, _ visitor: String, _ language: String?,
        _ trail: LogTrail
    ) async throws -> Response {
        let credentials = try ClientCredentials(
            authorizationHeader: authorizationHeader, parameters: parameters, certificate: nil)
        trail.note { $0.clientID = credentials.clientID }
        let client = try await ClientAuthenticator(services: services).authenticate(credentials).client
        try client.require(.passwordlessOTP)
        let name = try parameters.require("connection")
        let connection = try await services.configuration.connections().first { $0.name == name }
        guard let connection, connection.serves(client), services.strategies[connection.strategy]?.manner == .code
        else {
            throw OAuthError.invalidRequest(
                "the connection is not enabled",
                hint:
                    "connection is the name of a passwordless connection (email, sms) that is enabled for the application."
            )
        }
        guard parameters["send"] == "code" else {
            throw OAuthError.invalidRequest(
                "send must be code",
                hint: "This version sends codes, not links, which Auth0 sends where send is left out.")
        }
        let settings: PasswordlessSettings
        do {
            settings = try await services.passwordless(connection)
        } catch let failure as UpstreamFailure {
            throw failure.told(connection.title)
        }
        let codes = PasswordlessCodes(
            services: services, connection: connection, settings: settings, place: .client(client))
        do {
            let address = try await codes.send(
                to: parameters.require(settings.parameter), visitor: visitor, language: language, trail: trail)
            let isMail = address.contains("@")
            let id = String(
                services.secret.authenticate("\(connection.id) \(address)", for: .passwordlessCodes)
                    .utf8.prefix(12).map { String($0, radix: 16) }.joined())
            return Response(
                id: id, email: isMail ? address : nil, phoneNumber: isMail ? nil : address,
                emailVerified: isMail ? false : nil, phoneVerified: isMail ? nil : false)
        } catch let refusal as PasswordlessCodes.Refusal {
            throw Self.error(refusal, settings)
        }
    }

    private static func error(_ refusal: PasswordlessCodes.Refusal, _ settings: PasswordlessSettings) -> OAuthError {
        switch refusal {
        case .noAddress:
            .invalidRequest(
                "\(settings.parameter) is not valid", hint: "Phone numbers are in E.164, such as +4915112345678.")
        case .tooManyRequests(let wait):
            OAuthError(.tooManyRequests, "Too many codes were asked for; try again later.", retryAfter: wait)
        case .notSent:
            OAuthError(
                .temporarilyUnavailable, "The code cannot be sent",
                hint: "Set up what sends it: the tenant's e-mail provider, or the connection's SMS gateway.")
        }
    }
}
