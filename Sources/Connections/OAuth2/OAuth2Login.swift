import AuthorizationServer
import Crypto
import Foundation
import OAuth
import Storage

/// Signing in by OAuth 2.0's authorization code ([RFC 6749 §4.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1)), and asking
/// the provider who it was.
struct OAuth2Login: RedirectLogin {
    let provider: OAuth2Provider
    /// Who the tokens are for.
    let profile: @Sendable (TokenAnswer, UpstreamArrival, Services) async throws(UpstreamFailure) -> UpstreamProfile

    func begin(_ start: UpstreamStart, _ services: Services) async throws(UpstreamFailure) -> UpstreamDeparture {
        let request = try provider.authorizationRequest(start)
        return UpstreamDeparture(.redirect(request.uri), memory: request.memory)
    }

    func finish(_ arrival: UpstreamArrival, _ services: Services) async throws(UpstreamFailure) -> UpstreamProfile {
        try checkIssuer(arrival)
        let code = try arrival.code()
        let answer = try await provider.redeem(code, arrival, services)
        guard let accessToken = answer.accessToken else {
            throw .unavailable(cause: "The token endpoint gave no access_token", mend: "Check tokenURL")
        }
        var profile = try await profile(answer, arrival, services)
        profile.tokens = answer.tokens(accessToken, at: services.now())
        return profile
    }

    func logout(_ leaving: UpstreamLeaving, _ services: Services) async throws(UpstreamFailure) -> RedirectURI? {
        provider.logout?(leaving)
    }

    /// RFC 9207 §2.4: an answer that says whose it is must be the provider's, an error too. Where the connection does not
    /// know its provider's name, nothing shows that it is: the code may be another provider's, and is not shown to this one.
    private func checkIssuer(_ arrival: UpstreamArrival) throws(UpstreamFailure) {
        guard let sent = arrival.parameters["iss"], sent != provider.issuer,
            provider.issuer != nil || provider.isOfTenantsChoice
        else { return }
        throw .untrusted(
            cause: "The answer is the one of \(sent.forDisplay), and the connection's provider is "
                + "\((provider.issuer ?? "not known; set options.issuer where that is it").forDisplay)")
    }
}

/// What a token endpoint answered.
struct TokenAnswer: Sendable {
    let members: JSONObject

    var accessToken: String? { members["access_token"]?.string }
    var idToken: String? { members["id_token"]?.string }

    func tokens(_ accessToken: String, at now: Date) -> UpstreamTokens {
        let seconds = members["expires_in"]?.integer ?? members["expires_in"]?.string.flatMap(Int.init)
        return UpstreamTokens(
            accessToken: accessToken, refreshToken: members["refresh_token"]?.string,
            expiresAt: seconds.map { now.addingTimeInterval(Double(min(max($0, 0), 31_536_000))) })
    }
}

extension UpstreamArrival {
    /// The code that the provider gave.
    /// - Throws: ``UpstreamFailure`` for the provider's error, or where there is none of both.
    func code() throws(UpstreamFailure) -> String {
        try refuseErrors()
        guard let code = parameters["code"] else { throw .untrusted(cause: "The provider came back without a code") }
        return code
    }

    /// - Throws: ``UpstreamFailure`` for the error that the provider gave.
    func refuseErrors() throws(UpstreamFailure) {
        guard let error = parameters["error"] else { return }
        let description = parameters["error_description"]
        // Providers' words for a user who went back.
        let refusals = ["access_denied", "user_cancelled_authorize", "user_cancelled_login", "user_cancelled"]
        if refusals.contains(error) { throw .denied(description: description) }
        throw .error(code: error, description: description)
    }
}

extension OAuth2Provider {
    /// The address that the browser is sent to, and what must be known at its return.
    func authorizationRequest(
        _ start: UpstreamStart, responseType: String = "code", more: [(name: String, value: String)] = []
    ) throws(UpstreamFailure) -> (uri: RedirectURI, memory: JSONObject) {
        var memory: JSONObject = [:]
        var all: [(name: String, value: String)] = [
            (name: "response_type", value: responseType), (name: "client_id", value: clientID),
            (name: "redirect_uri", value: start.callbackURL), (name: "state", value: start.state.text),
        ]
        let asked = (scope + ScopeText.values(start.parameters["connection_scope"] ?? "")).reduce(into: [String]()) {
            if !$0.contains($1) { $0.append($1) }
        }
        if !asked.isEmpty { all.append((name: "scope", value: asked.joined(separator: " "))) }
        if usesPKCE, responseType.split(separator: " ").contains("code") {
            let verifier = Secret.random().text
            memory["code_verifier"] = .string(verifier)
            all += [
                (name: "code_challenge", value: Base64URL.encode(SHA256.hash(data: Array(verifier.utf8)))),
                (name: "code_challenge_method", value: "S256"),
            ]
        }
        all += more + parameters
        for parameter in forwarded where !all.contains(where: { $0.name == parameter.name }) {
            if let value = parameter.value(in: start.parameters) { all.append((name: parameter.name, value: value)) }
        }
        // Whatever applications pass on must leave the address one that browsers take.
        guard let base = RedirectURI(authorizationURL), let uri = RedirectURI(base.adding(all)) else {
            throw .misconfigured(
                cause: "The address of the provider with its parameters is none, or longer than 2048 bytes",
                mend: "Correct the authorization address, or let the application send less")
        }
        return (uri, memory)
    }

    /// Exchanges a code for tokens (RFC 6749 §4.1.3).
    func redeem(
        _ code: String, _ arrival: UpstreamArrival, _ services: Services
    ) async throws(UpstreamFailure) -> TokenAnswer {
        var form: [(name: String, value: String)] = [
            (name: "grant_type", value: "authorization_code"), (name: "code", value: code),
            (name: "redirect_uri", value: arrival.callbackURL),
        ]
        if let verifier = arrival.memory["code_verifier"]?.string {
            form.append((name: "code_verifier", value: verifier))
        }
        var headers = headers
        let text: String?
        switch secret {
        case .none: text = nil
        case .text(let secret): text = secret
        case .made(let make): text = try make(services)
        }
        if usesBasic, let text {
            // RFC 6749 §2.3.1: both are form-encoded first.
            let pair = "\(FormEncoding.percentEncoded(clientID)):\(FormEncoding.percentEncoded(text))"
            headers.append((name: "Authorization", value: "Basic \(Data(pair.utf8).base64EncodedString())"))
        } else {
            form.append((name: "client_id", value: clientID))
            if let text { form.append((name: "client_secret", value: text)) }
        }
        let members = try await services.askProvider(
            OutboundRequest(.post(form: form), tokenURL, accept: "application/json", headers: headers))
        if let error = members["error"]?.string {
            throw .misconfigured(
                cause: "The provider does not accept the code: \(error.forDisplay) "
                    + (members["error_description"]?.string ?? "").forDisplay,
                mend: "Compare client_id, client_secret and the callback address with the provider's")
        }
        return TokenAnswer(members: members)
    }
}

extension Services {
    /// The members of a provider's JSON answer. One that refuses has its reason in it too, as far as RFC 6749 §5.2 goes.
    func askProvider(_ request: OutboundRequest) async throws(UpstreamFailure) -> JSONObject {
        let value = try await askProviderForJSON(request)
        guard let members = value.object else {
            throw .unavailable(
                cause: "\(request.url.forDisplay) did not answer with a JSON object", mend: "Check the address")
        }
        return members
    }

    /// As ``askProvider(_:)``, for an answer that may be a list.
    /// - Parameter forbidden: the statuses by which the provider keeps something to itself; the answer is null then.
    func askProviderForJSON(
        _ request: OutboundRequest, forbidden: Set<Int> = []
    ) async throws(UpstreamFailure) -> JSONValue {
        let response: OutboundResponse
        do throws(OutboundFailure) {
            response = try await outbound.send(request)
        } catch {
            throw .unavailable(cause: error.cause, mend: error.mend)
        }
        if forbidden.contains(response.status) { return .null }
        // A list is read as the only member of an object: the reader for strangers' words reads objects.
        let text = #"{"answer":"# + String(decoding: response.body, as: UTF8.self) + "}"
        let value = (try? JSON.decode(JSONObject.self, from: text))?["answer"]
        let isRefusal = value?.object?["error"]?.string != nil && (400...499).contains(response.status)
        guard let value, (200...299).contains(response.status) || isRefusal else {
            throw .unavailable(
                cause: "\(request.url.forDisplay) answered \(response.status)"
                    + (value == nil ? " and no JSON" : ""),
                mend: "Check the address, and the provider's own log")
        }
        return value
    }

    /// Asks a provider about the owner of an access token.
    /// - Parameter forbidden: the statuses by which the provider keeps something to itself; the answer is null then.
    func askProvider(
        about accessToken: String, _ url: String, accept: String = "application/json",
        headers: [(name: String, value: String)] = [], forbidden: Set<Int> = []
    ) async throws(UpstreamFailure) -> JSONValue {
        guard accessToken.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .unavailable(cause: "The access token has characters that none has", mend: "Check the provider")
        }
        let value = try await askProviderForJSON(
            OutboundRequest(
                .get, url, accept: accept, mostBytes: 262_144,
                headers: [(name: "Authorization", value: "Bearer \(accessToken)")] + headers), forbidden: forbidden)
        if let error = value.object?["error"] {
            throw .misconfigured(
                cause: "\(url.forDisplay) refuses: \((error.string ?? "").forDisplay)",
                mend: "Check the scopes that the connection asks for")
        }
        return value
    }
}
