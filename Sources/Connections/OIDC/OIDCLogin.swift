import AuthorizationServer
import Foundation
import OAuth
import Storage

/// Signing in at a provider of OpenID Connect: with its ID token, which comes from the token endpoint (back channel) or with the
/// browser (front channel).
struct OIDCLogin: RedirectLogin {
    let provider: OIDCProvider
    let discovery: DiscoveryCache

    func begin(_ start: UpstreamStart, _ services: Services) async throws(UpstreamFailure) -> UpstreamDeparture {
        let metadata = try await metadata(services)
        let nonce = Secret.random().text
        var more: [(name: String, value: String)] = [(name: "nonce", value: nonce)]
        if let mode = provider.responseMode { more.append((name: "response_mode", value: mode)) }
        more += provider.wishes(start)
        var request = try provider.oauth2(metadata).authorizationRequest(
            start, responseType: provider.usesFrontChannel ? "id_token" : "code", more: more)
        request.memory["nonce"] = .string(nonce)
        return UpstreamDeparture(.redirect(request.uri), memory: request.memory)
    }

    func finish(_ arrival: UpstreamArrival, _ services: Services) async throws(UpstreamFailure) -> UpstreamProfile {
        let metadata = try await metadata(services)
        try checkIssuer(arrival, metadata)
        if provider.usesFrontChannel {
            try arrival.refuseErrors()
            guard let token = arrival.parameters["id_token"] else {
                throw .untrusted(cause: "The provider came back without an id_token")
            }
            let claims = try await verify(token, arrival, metadata, services)
            return try profile(claims, userInfo: [:], arrival)
        }
        let answer = try await provider.oauth2(metadata).redeem(arrival.code(), arrival, services)
        guard let token = answer.idToken, let accessToken = answer.accessToken else {
            throw .misconfigured(
                cause: "The token endpoint gave no id_token or no access_token", mend: "Ask for the scope openid")
        }
        let claims = try await verify(token, arrival, metadata, services)
        let userInfo = try await userInfo(claims, accessToken, metadata, services)
        var profile = try profile(claims, userInfo: userInfo, arrival)
        profile.tokens = answer.tokens(accessToken, at: services.now())
        profile.tokens?.idToken = token
        return profile
    }

    /// RP-Initiated Logout 1.0 §2, or the provider's own way.
    func logout(_ leaving: UpstreamLeaving, _ services: Services) async throws(UpstreamFailure) -> RedirectURI? {
        if let own = provider.logout { return own(leaving) }
        let endpoint = try await metadata(services).endSessionEndpoint
        guard let base = endpoint.flatMap({ RedirectURI($0) }), base.isAskable else { return nil }
        let parameters = [
            (name: "client_id", value: provider.clientID),
            (name: "post_logout_redirect_uri", value: leaving.returnURL),
        ]
        // A token with which the address would be too long is left out; the provider asks its user then.
        let hinted = leaving.idToken.flatMap {
            RedirectURI(base.adding([(name: "id_token_hint", value: $0)] + parameters))
        }
        return hinted ?? RedirectURI(base.adding(parameters))
    }

    // MARK: Steps

    private func metadata(_ services: Services) async throws(UpstreamFailure) -> OIDCMetadata {
        if let known = provider.metadata { return known }
        guard let url = provider.discoveryURL else {
            throw .misconfigured(
                cause: "The connection has neither discovery_url nor the provider's endpoints",
                mend: "Set discovery_url")
        }
        let metadata = try await discovery.metadata(url, services)
        // OpenID Connect Discovery §4.3: nobody speaks for somebody else's issuer.
        let isOwn = url == Self.discoveryURL(of: metadata.issuer)
        guard provider.issuer.map({ $0 == metadata.issuer }) ?? (isOwn || provider.trustsDiscovery) else {
            throw .misconfigured(
                cause: "\(url.forDisplay) names the issuer \(metadata.issuer.forDisplay), which is not its own",
                mend: "Correct discovery_url, or set issuer to this value where that is right")
        }
        return metadata
    }

    /// Where the metadata of an issuer stands.
    static func discoveryURL(of issuer: String) -> String {
        (issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer) + "/.well-known/openid-configuration"
    }

    /// RFC 9207 §2.4: an answer of another provider than the one that was asked is nobody's, an error too.
    private func checkIssuer(_ arrival: UpstreamArrival, _ metadata: OIDCMetadata) throws(UpstreamFailure) {
        if let sent = arrival.parameters["iss"] {
            guard sent == metadata.issuer else {
                throw .untrusted(cause: "The answer is the one of \(sent.forDisplay), not of \(metadata.issuer)")
            }
        } else if metadata.sendsIssuer {
            throw .untrusted(cause: "The answer does not say whose it is (iss), and the provider's do")
        }
    }

    private func verify(
        _ token: String, _ arrival: UpstreamArrival, _ metadata: OIDCMetadata, _ services: Services
    ) async throws(UpstreamFailure) -> JSONObject {
        let verification = IDTokenVerification(
            provider: provider, metadata: metadata, nonce: arrival.memory["nonce"]?.string,
            maxAge: arrival.requested["max_age"].flatMap { Int($0) })
        let claims = try await verification.claims(token, services)
        try provider.admit(claims)
        return claims
    }

    /// What the userinfo endpoint says, where the ID token says too little.
    private func userInfo(
        _ claims: JSONObject, _ accessToken: String, _ metadata: OIDCMetadata, _ services: Services
    ) async throws(UpstreamFailure) -> JSONObject {
        let isEnough = claims["email"] != nil || claims["name"] != nil
        guard let url = metadata.userInfoEndpoint, provider.attributes.readsUserInfo || !isEnough else { return [:] }
        let value = try await services.askProvider(about: accessToken, url)
        // OpenID Connect Core §5.3.2.
        guard let members = value.object, members["sub"]?.string == claims["sub"]?.string else {
            throw .untrusted(cause: "The userinfo endpoint speaks of another user than the ID token")
        }
        return members
    }

    private func profile(
        _ claims: JSONObject, userInfo: JSONObject, _ arrival: UpstreamArrival
    ) throws(UpstreamFailure) -> UpstreamProfile {
        guard let id = ProfileMap.text(claims[provider.idClaim]) else {
            throw .untrusted(cause: "The ID token has no \(provider.idClaim)")
        }
        var profile = UpstreamProfile(id: id)
        let all = provider.attributes.mapped(claims, userInfo)
        profile.email = all["email"]?.string
        let verified = all["email_verified"]
        profile.isEmailVerified =
            provider.trustsEmail ?? (verified?.bool ?? (verified?.string == "true"))
        profile.attributes = all
        profile.authenticatedAt = claims.date("auth_time")
        provider.complete(&profile, arrival)
        return profile
    }
}
