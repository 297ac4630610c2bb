import AuthorizationServer
import Foundation
import OAuth

/// Whether a provider's ID token proves who has signed in
/// ([OpenID Connect Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation)).
struct IDTokenVerification: Sendable {
    let provider: OIDCProvider
    let metadata: OIDCMetadata
    /// What the request had, which the token must have too.
    let nonce: String?
    /// Seconds since the user's last login at the provider, at most, where the application wants that.
    let maxAge: Int?

    /// Seconds that the provider's clock may differ from this one.
    private static let leeway: TimeInterval = 60

    /// - Throws: ``UpstreamFailure`` ``UpstreamFailure/untrusted(cause:)`` for a token that proves nothing here.
    func claims(_ text: String, _ services: Services) async throws(UpstreamFailure) -> JSONObject {
        let token: SignedToken
        do throws(SignedToken.Problem) {
            token = try SignedToken(parsing: text)
        } catch {
            throw .untrusted(cause: "ID token: \(error)")
        }
        let claims = try await verified(token, services)
        try checkIssuer(claims)
        try checkAudience(claims)
        try checkTimes(claims, services.now())
        guard let nonce, ConstantTime.equal(claims["nonce"]?.string ?? "", nonce) else {
            throw .untrusted(cause: "The ID token has not the nonce of this login")
        }
        return claims
    }

    private func verified(_ token: SignedToken, _ services: Services) async throws(UpstreamFailure) -> JSONObject {
        do {
            if let algorithm = token.algorithm, JWSAlgorithm.symmetric.contains(algorithm),
                case .text(let secret) = provider.secret
            {
                return try token.verified(bySecret: secret, algorithms: provider.algorithms)
            }
            guard let url = metadata.keysURL else {
                throw UpstreamFailure.misconfigured(cause: "The provider has no jwks_uri", mend: "Set jwks_uri")
            }
            let keys = try await services.remoteKeySets.keys(at: url, now: services.now())
            do {
                return try token.verified(by: keys, algorithms: provider.algorithms)
            } catch SignedToken.Problem.unknownKey {
                // The provider may have a new key since.
                let newest = try await services.remoteKeySets.keys(at: url, newest: true, now: services.now())
                return try token.verified(by: newest, algorithms: provider.algorithms)
            }
        } catch let failure as UpstreamFailure {
            throw failure
        } catch let problem as SignedToken.Problem {
            throw .untrusted(cause: "ID token: \(problem)")
        } catch {
            throw .unavailable(cause: "The provider's keys: \(error)", mend: "Check jwks_uri")
        }
    }

    private func checkIssuer(_ claims: JSONObject) throws(UpstreamFailure) {
        var expected = metadata.issuer
        // Microsoft's shared endpoints issue for every tenant of theirs, each under its own name.
        if expected.contains("{tenantid}"), let tenant = claims["tid"]?.string,
            tenant.wholeMatch(of: /[0-9a-fA-F-]{36}/) != nil
        {
            expected = expected.replacing("{tenantid}", with: tenant)
        }
        guard claims["iss"]?.string == expected else {
            throw .untrusted(cause: "The ID token is issued by \((claims["iss"]?.string ?? "nobody").forDisplay)")
        }
    }

    private func checkAudience(_ claims: JSONObject) throws(UpstreamFailure) {
        let audience = claims["aud"]?.string.map { [$0] } ?? claims["aud"]?.array?.compactMap(\.string) ?? []
        guard audience.contains(provider.clientID) else {
            throw .untrusted(cause: "The ID token is for another application (aud)")
        }
        let party = claims["azp"]?.string
        guard party.map({ $0 == provider.clientID }) ?? (audience.count == 1) else {
            throw .untrusted(cause: "The ID token was issued to another application (azp)")
        }
    }

    private func checkTimes(_ claims: JSONObject, _ now: Date) throws(UpstreamFailure) {
        guard let end = claims.date("exp"), let issued = claims.date("iat") else {
            throw .untrusted(cause: "The ID token does not say when it was issued and ends (iat, exp)")
        }
        guard end.addingTimeInterval(Self.leeway) > now else { throw .untrusted(cause: "The ID token has ended") }
        guard issued.addingTimeInterval(-Self.leeway) <= now else {
            throw .untrusted(cause: "The ID token is of the future; compare the two servers' clocks")
        }
        guard let maxAge else { return }
        guard let login = claims.date("auth_time"),
            now.timeIntervalSince(login) <= Double(maxAge) + Self.leeway
        else { throw .untrusted(cause: "The provider did not sign the user in anew, as max_age demands") }
    }
}
