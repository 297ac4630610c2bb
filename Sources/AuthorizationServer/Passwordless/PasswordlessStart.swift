import Foundation
import OAuth
import Storage

/// Auth0's `/passwordless/start`: has a code sent that the application redeems at the token endpoint, or a link that goes on with an
/// authorization request.
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
    ///   - forwarded: where the client says that it comes from.
    ///   - language: the header `X-Request-Language`.
    /// - Throws: ``OAuthError``.
    package func send(
        _ parameters: Parameters, authorizationHeader: String?, address: String,
        forwarded: ForwardedAddress, language: String?
    ) async throws -> Response {
        let trail = LogTrail()
        do {
            return try await send(parameters, authorizationHeader, address, forwarded, language, trail)
        } catch {
            services.log(.failedLogin, trail, failure: error)
            throw error
        }
    }

    private func send(
        _ parameters: Parameters, _ authorizationHeader: String?, _ address: String,
        _ forwarded: ForwardedAddress, _ language: String?, _ trail: LogTrail
    ) async throws -> Response {
        let credentials = try ClientCredentials(
            authorizationHeader: authorizationHeader, parameters: parameters, certificate: nil)
        trail.note { $0.clientID = credentials.clientID }
        let client = try await ClientAuthenticator(services: services).authenticate(credentials).client
        let visitor = forwarded.counted(for: client, else: address)
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
        let settings: PasswordlessSettings
        do {
            settings = try await services.passwordless(connection)
        } catch let failure as UpstreamFailure {
            throw failure.told(connection.title)
        }
        let link = try await link(parameters, client, connection, settings)
        if link == nil { try client.require(.passwordlessOTP) }
        let codes = PasswordlessCodes(
            services: services, connection: connection, settings: settings, place: .client(client))
        do {
            let address = try await codes.send(
                to: parameters.require(settings.parameter), link: link, visitor: visitor, language: language,
                trail: trail)
            services.log(.codeSent, trail, description: link == nil ? "A code was asked for" : "A link was asked for")
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

    /// What a link goes on with; nil where a code is sent. Auth0's standard for mail is a link.
    private func link(
        _ parameters: Parameters, _ client: Client, _ connection: Connection, _ settings: PasswordlessSettings
    ) async throws -> PasswordlessLink.Purpose? {
        let standard = if case .sms = settings.channel { "code" } else { "link" }
        switch (parameters["send"] ?? standard, standard) {
        case ("code", _): return nil
        case ("link", "link"): break
        default:
            throw OAuthError.invalidRequest(
                "send is not valid", hint: "Say link or code, which is the only one for text messages.")
        }
        guard try await services.configuration.settings().allowsMagicLinksAnywhere else {
            throw OAuthError.invalidRequest(
                "Links that an application asks for are not allowed",
                hint: "Send a code (send=code); or have the sign-in page send links (the connection's "
                    + "options.portico_send); or let such links be opened in any browser (the tenant's "
                    + "universal_login.passwordless.allow_magiclink_verify_without_session).")
        }
        return .request(try await request(parameters, client, connection).all)
    }

    /// The authorization request in `authParams`, if it is one that would be answered.
    private func request(
        _ parameters: Parameters, _ client: Client, _ connection: Connection
    ) async throws -> Parameters {
        guard parameters["authParams"] == nil else {
            throw OAuthError.invalidRequest(
                "authParams is not valid", hint: #"Send an object, such as {"scope": "openid", "redirect_uri": …}."#)
        }
        // The connection's own stand where the request says nothing else.
        var sent = (connection.options["authParams"]?.object ?? [:]).compactMapValues(\.string)
        for (name, value) in parameters.all where name.hasPrefix("authParams[") && name.hasSuffix("]") {
            sent[String(name.dropFirst("authParams[".count).dropLast())] = value
        }
        for (name, value) in ["client_id": client.clientID, "connection": connection.name] {
            guard sent[name] ?? value == value else {
                throw OAuthError.invalidRequest("authParams.\(name) is another one than \(name)")
            }
            sent[name] = value
        }
        do {
            // Pushed and signed requests count as at the authorization endpoint; the connection is this one whatever they say.
            var read = try await RequestSource(services: services).read(Parameters(trusted: sent)).1.all
            read["connection"] = connection.name
            let verified = try await AuthorizationEndpoint(services: services).verify(Parameters(trusted: read))
            guard !verified.request.prompt.contains(.none) else {
                throw OAuthError.invalidRequest("authParams.prompt must not be none: somebody opens the link")
            }
            return Parameters(trusted: read)
        } catch let failure as AuthorizationFailure {
            throw failure.error
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
